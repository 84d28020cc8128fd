/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds of what rounding does, for those files that have floating point.
 */
#ifndef VSS_ROUNDING_H
#define VSS_ROUNDING_H

#include <linux/types.h>

/*
 * A handful of operations is off by less than VSS_SLACK, in parts of the
 * greatest number among them.
 */
#define VSS_SLACK 0x1p-20f

/*
 * Squares of tiny numbers may vanish, and so may denormal numbers themselves.
 * VSS_TINY is greater than the root of all that is lost then, and its square is a
 * normal float.
 */
#define VSS_TINY 0x1p-60f

/* From here on, sums of a few squares may leave the range of a float. */
#define VSS_HUGE 0x1p120f

/*
 * A sum of floats that are not negative is off by at most half a unit in the
 * last place, 2^-24 of itself, for each addition on its way. The loops that sum
 * up @lanes squares or products have at least four sums side by side, or use
 * doubles: this is twice what it takes.
 */
static inline float vss_sum_slack(u32 lanes)
{
	return (lanes / 4 + 16) * 0x1p-23f;
}

/*
 * The norm of what a code leaves of a vector, rounded up: @rest is its square,
 * @square that of what the code stands for, each a sum of @lanes squares.
 * Infinite, so that nothing is ruled out, where they are no sane numbers.
 */
static inline float vss_code_error(float square, float rest, u32 lanes)
{
	float error = __builtin_sqrtf(rest) * (1.0f + vss_sum_slack(lanes));

	if (!(square < VSS_HUGE && rest < VSS_HUGE))
		return __builtin_inff();
	/* Its components are differences, off by parts of what they are of. */
	return error + VSS_SLACK * (__builtin_sqrtf(square) + error) + VSS_TINY;
}

static inline u32 vss_bits(float a)
{
	union {
		float of;
		u32 bits;
	} a_float = { .of = a };

	return a_float.bits;
}

static inline float vss_float_of(u32 bits)
{
	union {
		u32 bits;
		float of;
	} a_float = { .bits = bits };

	return a_float.of;
}

/* To a float that the upper half of its bits suffices for: the nearest one. */
static inline float vss_round(float a)
{
	return vss_float_of((vss_bits(a) + 0x8000) & 0xffff0000);
}

/* ... or the next one that is not less than @a, which is not negative. */
static inline float vss_round_up(float a)
{
	return vss_float_of((vss_bits(a) + 0xffff) & 0xffff0000);
}

#endif /* VSS_ROUNDING_H */
