/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_FLOAT_H
#define VSS_FLOAT_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * What the driver knows of a float outside of distance/, where it is its bits:
 * a sign, an exponent that is all ones in infinities and NaNs and all zeros in
 * 0 and subnormal numbers, and a fraction.
 */
#define VSS_F32_SIGN		0x80000000U
#define VSS_F32_INFINITY	0x7f800000U
#define VSS_F32_LEAST_NORMAL	0x00800000U

/* The same bits for each of two floats. */
#define VSS_F32_PAIR(_bits)	((_bits) * 0x100000001ULL)

static inline bool vss_f32_is_finite(u32 bits)
{
	return (bits & VSS_F32_INFINITY) != VSS_F32_INFINITY;
}

static inline bool vss_f32_is_nan(u32 bits)
{
	return (bits & ~VSS_F32_SIGN) > VSS_F32_INFINITY;
}

/* Whether a number that is not negative is neither 0, subnormal nor infinite. */
static inline bool vss_f32_is_normal(u32 bits)
{
	return bits >= VSS_F32_LEAST_NORMAL && bits < VSS_F32_INFINITY;
}

/* Two components, which may lie where a u64 may not. */
struct vss_f32_pair {
	u64 bits;
} __packed;

/* One more in the last place of an exponent that is all ones carries into the sign. */
static inline u64 vss_f32_carry(const struct vss_f32_pair *pair)
{
	return (pair->bits & VSS_F32_PAIR(VSS_F32_INFINITY)) +
	       VSS_F32_PAIR(VSS_F32_LEAST_NORMAL);
}

/* Whether none of VSS_F32_SOME components is infinite or a NaN. */
#define VSS_F32_SOME 8
static inline bool vss_f32_are_finite(const u32 *components)
{
	const struct vss_f32_pair *pairs = (const void *)components;
	u64 carry = vss_f32_carry(&pairs[0]) | vss_f32_carry(&pairs[1]) |
		    vss_f32_carry(&pairs[2]) | vss_f32_carry(&pairs[3]);

	return !(carry & VSS_F32_PAIR(VSS_F32_SIGN));
}

/* How many of the first @count components are finite before one is not. */
static inline u32 vss_f32_count_finite(const u32 *components, u32 count)
{
	u32 i = 0;

	while (count - i >= VSS_F32_SOME && vss_f32_are_finite(components + i))
		i += VSS_F32_SOME;
	while (i < count && vss_f32_is_finite(components[i]))
		i++;
	return i;
}

#endif /* VSS_FLOAT_H */
