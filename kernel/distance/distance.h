/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_DISTANCE_H
#define VSS_DISTANCE_H

#include <linux/types.h>

/*
 * Rows and queries are padded with zeros to a multiple of this many
 * components, which is one cache line: no kernel needs a remainder loop, and
 * the padding adds nothing to a distance.
 */
#define VSS_LANES 16
#define VSS_ALIGN 64

/**
 * struct vss_distance_ops - the inner loops of one instruction set
 * @name: as in the module parameter simd
 * @l2sq: squared Euclidean distances of one query to consecutive rows.
 *        @lanes is the padded dimension, @query and @rows are aligned to a
 *        cache line, and @out has room for @count results.
 * @dot: inner products, likewise
 *
 * Every function is called inside an FPU section, and never sleeps.
 */
struct vss_distance_ops {
	const char *name;
	void (*l2sq)(const float *query, const float *rows, u32 count,
		     u32 lanes, float *out);
	void (*dot)(const float *query, const float *rows, u32 count,
		    u32 lanes, float *out);
};

extern const struct vss_distance_ops vss_distance_scalar;
extern const struct vss_distance_ops vss_distance_avx2;

/* metric.c: what comes before and after the inner loops, in an FPU section. */
void vss_metric_norms(const float *vectors, u32 count, u32 dimension,
		      float *norms);
void vss_metric_normalize(float *vector, u32 dimension, const float *norm);
void vss_metric_finish_ip(float *distances, u32 count);
void vss_metric_finish_cos(float *distances, const float *norms, u32 count);

/* ops.c: what the driver calls; floats are passed as their bits. */
int vss_distance_init(void);
const char *vss_distance_level(void);
void vss_distance_norms(const u32 *vectors, u32 count, u32 dimension,
			u32 *norms);
void vss_distance_normalize(u32 *vector, u32 dimension, u32 norm);
void vss_distance_rows(u32 metric, const u32 *query, const u32 *rows,
		       const u32 *norms, u32 count, u32 lanes, u32 *out);

#endif /* VSS_DISTANCE_H */
