// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the instruction set once, at load, and opens the FPU sections.
 *
 * This file is compiled without floating point: were a section opened in a
 * file that has it, the compiler would be free to use a vector register
 * before kernel_fpu_begin().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#ifndef CONFIG_X86_64
#error "vss computes distances on x86-64 only"
#endif

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/vss.h>

#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#include "distance.h"

static char *simd = "auto";
module_param(simd, charp, 0444);
MODULE_PARM_DESC(simd, "Instruction set for distances: auto (default, the best that the processor has), avx2, scalar");

static const struct vss_distance_ops *vss_ops __ro_after_init;

static bool vss_has_scalar(void)
{
	return true;
}

static bool vss_has_avx2(void)
{
	return boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_FMA) &&
	       cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
}

/* Best first. */
static const struct {
	const struct vss_distance_ops *ops;
	bool (*supported)(void);
} vss_levels[] = {
	{ &vss_distance_avx2, vss_has_avx2 },
	{ &vss_distance_scalar, vss_has_scalar },
};

/**
 * vss_distance_init() - choose the instruction set
 *
 * Return: 0, -EINVAL when the parameter names none, or -ENODEV when the
 * processor lacks the one it names.
 */
int __init vss_distance_init(void)
{
	bool known = !strcmp(simd, "auto");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vss_levels); i++) {
		const struct vss_distance_ops *ops = vss_levels[i].ops;

		if (strcmp(simd, "auto") && strcmp(simd, ops->name))
			continue;
		known = true;
		if (vss_levels[i].supported()) {
			vss_ops = ops;
			return 0;
		}
	}
	if (!known) {
		pr_err("simd=%s: no such level; known are auto, avx2, scalar\n", simd);
		return -EINVAL;
	}
	pr_err("simd=%s: this processor does not have it\n", simd);
	return -ENODEV;
}

/**
 * vss_distance_level() - the instruction set in use
 *
 * Return: its name.
 */
const char *vss_distance_level(void)
{
	return vss_ops->name;
}

/**
 * vss_distance_norms() - Euclidean norms of consecutive vectors
 * @vectors: the first one's components, others following without padding
 * @count: number of vectors
 * @dimension: components of each
 * @norms: out, as their bits
 *
 * Runs in one FPU section, which the caller bounds by @count * @dimension.
 */
void vss_distance_norms(const u32 *vectors, u32 count, u32 dimension,
			u32 *norms)
{
	kernel_fpu_begin();
	vss_metric_norms((const float *)vectors, count, dimension,
			 (float *)norms);
	kernel_fpu_end();
}

/**
 * vss_distance_normalize() - divide a vector by its norm
 * @vector: in, out
 * @dimension: its components
 * @norm: its norm, a normal float
 */
void vss_distance_normalize(u32 *vector, u32 dimension, u32 norm)
{
	kernel_fpu_begin();
	vss_metric_normalize((float *)vector, dimension, (const float *)&norm);
	kernel_fpu_end();
}

/**
 * vss_distance_rows() - distances of a query to consecutive rows
 * @metric: one of enum vss_metric
 * @query: the padded query's components; normalized for VSS_METRIC_COS
 * @rows: the first row's components, others following
 * @norms: the rows' norms, for VSS_METRIC_COS
 * @count: number of rows
 * @lanes: padded dimension
 * @out: the distances; neither -0 nor no number
 *
 * Runs in one FPU section, which disables preemption: the caller bounds it by
 * @count * @lanes.
 */
void vss_distance_rows(u32 metric, const u32 *query, const u32 *rows,
		       const u32 *norms, u32 count, u32 lanes, u32 *out)
{
	const float *q = (const float *)query, *r = (const float *)rows;
	float *distances = (float *)out;

	kernel_fpu_begin();
	switch (metric) {
	case VSS_METRIC_L2SQ:
		vss_ops->l2sq(q, r, count, lanes, distances);
		break;
	case VSS_METRIC_IP:
		vss_ops->dot(q, r, count, lanes, distances);
		vss_metric_finish_ip(distances, count);
		break;
	case VSS_METRIC_COS:
		vss_ops->dot(q, r, count, lanes, distances);
		vss_metric_finish_cos(distances, (const float *)norms, count);
		break;
	}
	kernel_fpu_end();
}
