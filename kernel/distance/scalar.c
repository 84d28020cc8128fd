// SPDX-License-Identifier: GPL-2.0-only
/*
 * Distances with what every x86-64 processor has: SSE2. Four sums keep the
 * additions from waiting for each other.
 */
#include "distance.h"

static inline float vss_square(float delta)
{
	return delta * delta;
}

static inline float vss_l2sq_row(const float *query, const float *row,
				 u32 lanes)
{
	float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
	const float *end = row + lanes;

	for (; row < end; row += 4, query += 4) {
		sum0 += vss_square(query[0] - row[0]);
		sum1 += vss_square(query[1] - row[1]);
		sum2 += vss_square(query[2] - row[2]);
		sum3 += vss_square(query[3] - row[3]);
	}
	return (sum0 + sum1) + (sum2 + sum3);
}

static void vss_l2sq_scalar(const float *query, const float *rows, u32 count,
			    u32 lanes, float *out)
{
	u32 i;

	for (i = 0; i < count; i++)
		out[i] = vss_l2sq_row(query, rows + (size_t)i * lanes, lanes);
}

const struct vss_distance_ops vss_distance_scalar = {
	.name = "scalar",
	.l2sq = vss_l2sq_scalar,
};
