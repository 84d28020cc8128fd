// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with AVX2 and FMA, eight components a time, in the compiler's own
 * vector types: the compiler contracts each multiplication and addition.
 *
 * Four rows share each load of the query. Their four independent sums also
 * hide the latency of the FMA unit. A row's sum is built in the same order
 * whether it is one of four or alone, so equal rows have equal distances.
 */
#include <linux/compiler.h>

#include "distance.h"

#define VSS_TILE 4

/* Turns a float into eight of them: float VSS_X8. */
#define VSS_X8 __attribute__((vector_size(32)))

/* Adds the terms of eight components to a sum. */
typedef float VSS_X8 vss_step(float VSS_X8 sum, float VSS_X8 query,
			      const float *row);

static const float VSS_X8 vss_zero;

static inline float vss_fold(float VSS_X8 vector)
{
	const float *v = (const float *)&vector;

	return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* @sum + (@query - @row)^2 */
static inline float VSS_X8 vss_add_square(float VSS_X8 sum,
					  float VSS_X8 query, const float *row)
{
	float VSS_X8 delta = query - *(const float VSS_X8 *)row;

	return sum + delta * delta;
}

/* @sum + @query * @row */
static inline float VSS_X8 vss_add_product(float VSS_X8 sum,
					   float VSS_X8 query, const float *row)
{
	return sum + query * *(const float VSS_X8 *)row;
}

static __always_inline void vss_sum_tile(const float *query, const float *rows,
					 u32 lanes, float *out, vss_step *step)
{
	float VSS_X8 sum0 = vss_zero, sum1 = vss_zero;
	float VSS_X8 sum2 = vss_zero, sum3 = vss_zero;
	const float *row1 = rows + lanes, *row2 = row1 + lanes;
	const float *row3 = row2 + lanes;
	u32 i;

	for (i = 0; i < lanes; i += 8) {
		float VSS_X8 q = *(const float VSS_X8 *)(query + i);

		sum0 = step(sum0, q, rows + i);
		sum1 = step(sum1, q, row1 + i);
		sum2 = step(sum2, q, row2 + i);
		sum3 = step(sum3, q, row3 + i);
	}
	out[0] = vss_fold(sum0);
	out[1] = vss_fold(sum1);
	out[2] = vss_fold(sum2);
	out[3] = vss_fold(sum3);
}

static __always_inline void vss_sum_row(const float *query, const float *row,
					u32 lanes, float *out, vss_step *step)
{
	float VSS_X8 sum = vss_zero;
	u32 i;

	for (i = 0; i < lanes; i += 8)
		sum = step(sum, *(const float VSS_X8 *)(query + i), row + i);
	*out = vss_fold(sum);
}

static __always_inline void vss_sums(const float *query, const float *rows,
				     u32 count, u32 lanes, float *out,
				     vss_step *step)
{
	u32 i;

	for (i = 0; i + VSS_TILE <= count; i += VSS_TILE)
		vss_sum_tile(query, rows + (size_t)i * lanes, lanes, out + i,
			     step);
	for (; i < count; i++)
		vss_sum_row(query, rows + (size_t)i * lanes, lanes, out + i,
			    step);
}

static void vss_l2sq_avx2(const float *query, const float *rows, u32 count,
			  u32 lanes, float *out)
{
	vss_sums(query, rows, count, lanes, out, vss_add_square);
}

static void vss_dot_avx2(const float *query, const float *rows, u32 count,
			 u32 lanes, float *out)
{
	vss_sums(query, rows, count, lanes, out, vss_add_product);
}

const struct vss_distance_ops vss_distance_avx2 = {
	.name = "avx2",
	.l2sq = vss_l2sq_avx2,
	.dot = vss_dot_avx2,
};
