// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a metric needs besides the inner loops over all components, the same
 * for every instruction set.
 */
#include <linux/vss.h>

#include "distance.h"
#include "rounding.h"

/**
 * vss_metric_norms() - Euclidean norms of consecutive vectors
 * @vectors: the first one's components, others following without padding
 * @count: number of vectors
 * @dimension: components of each
 * @norms: out, rounded to float; infinite beyond its range
 *
 * The squares of floats neither overflow nor vanish in a double.
 */
void vss_metric_norms(const float *vectors, u32 count, u32 dimension,
		      float *norms)
{
	u32 i, j;

	for (i = 0; i < count; i++, vectors += dimension) {
		double sum = 0;

		for (j = 0; j < dimension; j++)
			sum += (double)vectors[j] * vectors[j];
		norms[i] = (float)__builtin_sqrt(sum);
	}
}

/**
 * vss_metric_normalize() - divide a vector by its norm
 * @vector: in, out
 * @dimension: its components
 * @norm: its norm, a normal float
 */
void vss_metric_normalize(float *vector, u32 dimension, const float *norm)
{
	u32 i;

	for (i = 0; i < dimension; i++)
		vector[i] /= *norm;
}

/*
 * A sum that passes the range of a float may end as no number at all: that is
 * farther than anything. Adding zero turns -0 into 0, whose bits are others.
 */
static inline float vss_settle(float distance)
{
	return distance == distance ? distance + 0.0f : __builtin_inff();
}

/**
 * vss_metric_finish_ip() - make distances of inner products
 * @distances: in, out
 * @count: how many
 */
void vss_metric_finish_ip(float *distances, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		distances[i] = vss_settle(1.0f - distances[i]);
}

/**
 * vss_metric_finish_cos() - make cosine distances of inner products
 * @distances: in: of a normalized query and the rows; out
 * @rows: which rows
 *
 * Rounding must not leave the range of a cosine.
 */
void vss_metric_finish_cos(float *distances, const struct vss_rows *rows)
{
	const float *norms = (const float *)rows->norms;
	u32 i;

	for (i = 0; i < rows->count; i++) {
		float norm = norms[vss_rows_index(rows, i)];
		float distance = 1.0f - distances[i] / norm;

		if (distance < 0.0f)
			distance = 0.0f;
		if (distance > 2.0f)
			distance = 2.0f;
		distances[i] = vss_settle(distance);
	}
}

/* The step of which the greatest component has 127. */
static float vss_metric_step(const float *query, u32 lanes)
{
	float most = 0.0f;
	u32 i;

	for (i = 0; i < lanes; i++) {
		float size = __builtin_fabsf(query[i]);

		most = size > most ? size : most;
	}
	return most / 127.0f;
}

/*
 * The step where products are looked up, and those of four components share a byte: it
 * holds 3 times 85 steps. If the greatest four have 120 together, few of the sums are
 * saturated, and rounding leaves least in doubt: in Gaussian rows of 128 and 768
 * components, more rows remain for 83 and for 166.
 */
static float vss_metric_table_step(const float *query, u32 lanes)
{
	float most = 0.0f;
	u32 i, j;

	for (i = 0; i < lanes; i += VSS_LANES) {
		for (j = i; j < i + 4; j++) {
			float size = __builtin_fabsf(query[j]) +
				     __builtin_fabsf(query[j + 4]) +
				     __builtin_fabsf(query[j + 8]) +
				     __builtin_fabsf(query[j + 12]);

			most = size > most ? size : most;
		}
	}
	return most / 120.0f;
}

/**
 * vss_metric_scale() - choose the step of a query's code
 * @probe: not ready yet, its tables set
 * @query: the padded query; normalized for VSS_METRIC_COS
 * @lanes: padded dimension
 */
void vss_metric_scale(struct vss_probe *probe, const float *query, u32 lanes)
{
	float step = probe->tables ? vss_metric_table_step(query, lanes) :
				     vss_metric_step(query, lanes);

	probe->step = step > 0x1p-107f ? step : 0x1p-107f;
}

/**
 * vss_metric_round() - make the code of a query
 * @probe: not ready yet, its step chosen
 * @query: the padded query; normalized for VSS_METRIC_COS
 * @lanes: padded dimension
 *
 * The sum of the code's squares is less than 2^27, and fits an s32.
 */
void vss_metric_round(struct vss_probe *probe, const float *query, u32 lanes)
{
	const float step = probe->step, scale = 1.0f / step;
	double error = 0.0, norm = 0.0;
	s32 sum = 0, sizes = 0, squares = 0;
	u32 i;

	for (i = 0; i < lanes; i++) {
		float at = query[i] * scale;
		/* No branch: the signs cannot be foreseen. */
		s32 code = (s32)(at + __builtin_copysignf(0.5f, at));
		float rest = query[i] - step * code;

		probe->code[i] = code;
		sum += code;
		sizes += code < 0 ? -code : code;
		squares += code * code;
		error += (double)rest * rest;
		norm += (double)query[i] * query[i];
	}
	probe->bias = 3 * (probe->tables ? -sizes : sum);
	probe->square = step * step * squares;
	/* What exceeds a float becomes infinite, and rules nothing out. */
	probe->error = vss_code_error(probe->square, error, lanes);
	probe->norm = norm;
}

/**
 * vss_metric_aim() - find out what rules a row out
 * @metric: one of enum vss_metric
 * @probe: ready, its limit set
 * @lanes: padded dimension
 *
 * Computes a T that is not less than that of any row whose distance, computed,
 * is not beyond the limit.
 */
void vss_metric_aim(u32 metric, struct vss_probe *probe, u32 lanes)
{
	float slack = vss_sum_slack(lanes), reach = 0.0f;
	const float limit = *(const float *)&probe->limit;

	switch (metric) {
	case VSS_METRIC_L2SQ:
		reach = limit * (1.0f + slack);
		break;
	case VSS_METRIC_COS:
		/* Neither the query nor a row is of length 1 to the last bit. */
		reach = 2.0f * limit + 8.0f * slack;
		break;
	case VSS_METRIC_IP:
		/* The last bits of |q| |x|, which is at most half of both squares. */
		probe->stretch = 1.0f + 4.0f * slack;
		probe->reach = 2.0f * (limit - 1.0f) +
			       VSS_SLACK * (1.0f + __builtin_fabsf(limit)) +
			       probe->norm * probe->stretch;
		return;
	}
	/* A limit below all distances must not become no number. */
	reach = reach > 0.0f ? reach : 0.0f;
	probe->reach = (__builtin_sqrtf(reach) + probe->error) *
		       (1.0f + VSS_SLACK) + VSS_TINY;
}
