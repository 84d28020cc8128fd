// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with what every x86-64 processor has: SSE2. Four sums keep the
 * additions from waiting for each other.
 */
#include <linux/compiler.h>

#include "distance.h"

typedef float vss_term(float query, float component);

static inline float vss_square(float query, float component)
{
	return (query - component) * (query - component);
}

static inline float vss_product(float query, float component)
{
	return query * component;
}

/* The sum of @term over all components, for each row. */
static __always_inline void vss_sums(const float *query, const float *rows,
				     u32 count, u32 lanes, float *out,
				     vss_term *term)
{
	u32 i, j;

	for (i = 0; i < count; i++, rows += lanes) {
		float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;

		for (j = 0; j < lanes; j += 4) {
			sum0 += term(query[j], rows[j]);
			sum1 += term(query[j + 1], rows[j + 1]);
			sum2 += term(query[j + 2], rows[j + 2]);
			sum3 += term(query[j + 3], rows[j + 3]);
		}
		out[i] = (sum0 + sum1) + (sum2 + sum3);
	}
}

static void vss_l2sq_scalar(const float *query, const float *rows, u32 count,
			    u32 lanes, float *out)
{
	vss_sums(query, rows, count, lanes, out, vss_square);
}

static void vss_dot_scalar(const float *query, const float *rows, u32 count,
			   u32 lanes, float *out)
{
	vss_sums(query, rows, count, lanes, out, vss_product);
}

const struct vss_distance_ops vss_distance_scalar = {
	.name = "scalar",
	.l2sq = vss_l2sq_scalar,
	.dot = vss_dot_scalar,
};
