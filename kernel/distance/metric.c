// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a metric needs besides the inner loops over all components, the same
 * for every instruction set.
 */
#include "distance.h"

#ifdef __CHECKER__
/* Sparse does not know this one. */
double __builtin_sqrt(double square);
#endif

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
 * @norms: of the rows
 * @count: how many
 *
 * Rounding must not leave the range of a cosine. A free slot's stale norm may
 * make anything of its distance, which nobody looks at.
 */
void vss_metric_finish_cos(float *distances, const float *norms, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		float distance = 1.0f - distances[i] / norms[i];

		if (distance < 0.0f)
			distance = 0.0f;
		if (distance > 2.0f)
			distance = 2.0f;
		distances[i] = vss_settle(distance);
	}
}
