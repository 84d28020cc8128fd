/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_FLOAT_H
#define VSS_FLOAT_H

#include <linux/types.h>

/*
 * What the driver knows of a float outside of distance/, where it is its bits:
 * a sign, an exponent that is all ones in infinities and NaNs and all zeros in
 * 0 and subnormal numbers, and a fraction.
 */
#define VSS_F32_SIGN		0x80000000U
#define VSS_F32_INFINITY	0x7f800000U
#define VSS_F32_LEAST_NORMAL	0x00800000U

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

/* How many of the first @count components are finite before one is not. */
static inline u32 vss_f32_count_finite(const u32 *components, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!vss_f32_is_finite(components[i]))
			break;
	}
	return i;
}

#endif /* VSS_FLOAT_H */
