// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the instruction set once, at load, and opens the FPU sections.
 *
 * This file is compiled without floating point: were a section opened in a
 * file that has it, the compiler would be free to use a vector register
 * before vss_fpu_begin().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "cpu.h"
#include "distance.h"
#include "section.h"

/*
 * Components that are read in one FPU section while rows are put. A longer vector is
 * read as a whole, in a section for each step.
 */
#define VSS_SECTION_COMPONENTS 4096

/* Components, for all queries, of rows whose section is worth being timed. */
#define VSS_TIMED_COMPONENTS 4096

#ifdef CONFIG_ARM64
#define VSS_LEVEL_NAMES "neon"
#else
#define VSS_LEVEL_NAMES "avx512, avx2, sse2"
#endif

static char *simd = "auto";
module_param(simd, charp, 0444);
MODULE_PARM_DESC(simd,
		 "Instruction set for distances: auto (default, the best that the processor has), "
		 VSS_LEVEL_NAMES " (or scalar, its former name)");

static const struct vss_distance_ops *vss_ops __ro_after_init;
static const char *vss_level __ro_after_init;

/* Best first: the first one that suits the processor is what auto means. */
static const struct {
	const char *name;
	const struct vss_distance_ops *ops;
	bool (*supported)(void);
	bool (*suits)(void);
} vss_levels[] = {
#ifdef CONFIG_ARM64
	{ "neon", &vss_distance_neon, vss_cpu_has_neon, vss_cpu_has_neon },
	{ "scalar", &vss_distance_neon, vss_cpu_has_neon, vss_cpu_has_neon },
#else
	{ "avx512", &vss_distance_avx512, vss_cpu_has_avx512,
	  vss_cpu_likes_avx512 },
	{ "avx2", &vss_distance_avx2, vss_cpu_has_avx2, vss_cpu_has_avx2 },
	{ "sse2", &vss_distance_sse2, vss_cpu_has_sse2, vss_cpu_has_sse2 },
	{ "scalar", &vss_distance_sse2, vss_cpu_has_sse2, vss_cpu_has_sse2 },
#endif
};

/**
 * vss_distance_init() - choose the instruction set
 *
 * Return: 0, -EINVAL when the parameter names none, or -ENODEV when the
 * processor lacks the one it names.
 */
int __init vss_distance_init(void)
{
	bool any = !strcmp(simd, "auto"), known = any;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vss_levels); i++) {
		if (!any && strcmp(simd, vss_levels[i].name))
			continue;
		known = true;
		if (any ? vss_levels[i].suits() : vss_levels[i].supported()) {
			vss_ops = vss_levels[i].ops;
			vss_level = vss_levels[i].name;
			return 0;
		}
	}
	if (!known) {
		pr_err("simd=%s: no such level; known are auto, " VSS_LEVEL_NAMES ", scalar\n",
		       simd);
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
	return vss_level;
}

/*
 * Between these two, floating point is allowed, and nothing else may run on the
 * processor. The clock is left alone around most of what is short: reading it twice
 * would take as long.
 */
static u64 vss_section_begin(bool timed)
{
	vss_fpu_begin();
	return timed ? ktime_get_ns() : 0;
}

/*
 * Returns for how long, in nanoseconds, if only for as short as the clock can
 * tell; 0 where it was not timed.
 */
static u64 vss_section_end(u64 begin)
{
	u64 time = begin ? max(ktime_get_ns() - begin, 1ULL) : 0;

	vss_fpu_end();
	return time;
}

/* Vectors that are read in one section, when all that is done is a sum. */
static u32 vss_section_vectors(u32 dimension)
{
	return max(VSS_SECTION_COMPONENTS / dimension, 1U);
}

/**
 * vss_distance_norms() - Euclidean norms of consecutive vectors
 * @vectors: the first one's components, others following without padding
 * @count: number of vectors
 * @dimension: components of each
 * @norms: out, as their bits
 *
 * Return: the longest FPU section, in nanoseconds.
 */
u64 vss_distance_norms(const u32 *vectors, u32 count, u32 dimension,
		       u32 *norms)
{
	u32 i, piece, most = vss_section_vectors(dimension);
	u64 begin, longest = 0;

	for (i = 0; i < count; i += piece) {
		piece = min(most, count - i);
		begin = vss_section_begin(true);
		vss_metric_norms((const float *)vectors + (size_t)i * dimension,
				 piece, dimension, (float *)norms + i);
		longest = max(longest, vss_section_end(begin));
	}
	return longest;
}

/**
 * vss_distance_normalize() - divide a vector by its norm
 * @vector: in, out
 * @dimension: its components
 * @norm: its norm, a normal float
 */
void vss_distance_normalize(u32 *vector, u32 dimension, u32 norm)
{
	vss_fpu_begin();
	vss_metric_normalize((float *)vector, dimension, (const float *)&norm);
	vss_fpu_end();
}

/* How many of @count vectors are encoded side by side. */
static u32 vss_encode_rows(u32 dimension, u32 count)
{
	count = min_t(u32, count, VSS_ENCODE_ROWS);
	return min(count, vss_section_vectors(dimension));
}

/**
 * vss_distance_encode_bytes() - what vss_distance_encode() wants to work with
 * @dimension: components of a vector
 * @count: number of vectors, at most
 *
 * Return: bytes: room for padded vectors, and for what is left of them.
 */
size_t vss_distance_encode_bytes(u32 dimension, u32 count)
{
	return 2 * vss_encode_rows(dimension, count) *
	       ALIGN(dimension, VSS_LANES) * sizeof(u32);
}

/**
 * struct vss_source - vectors whose codes are made
 * @metric: one of enum vss_metric
 * @dimension: components of each
 * @vectors: the first one's components, others following without padding
 * @norms: their norms, for VSS_METRIC_COS
 * @room: for padded rows
 */
struct vss_source {
	u32 metric;
	u32 dimension;
	const u32 *vectors;
	const u32 *norms;
	float *room;
};

/*
 * Makes padded rows of some vectors, normalized for VSS_METRIC_COS, unless they are
 * such rows.
 */
static void vss_encode_load(const struct vss_source *source, u32 first,
			    struct vss_encoding *some)
{
	u32 i, dimension = source->dimension, lanes = some->lanes;
	const u32 *vector = source->vectors + (size_t)first * dimension;
	bool as_is = source->metric != VSS_METRIC_COS && dimension == lanes &&
		     IS_ALIGNED((unsigned long)vector, VSS_ALIGN);
	float *row = source->room;

	some->rows = as_is ? (const float *)vector : row;
	if (as_is)
		return;
	for (i = 0; i < some->count; i++, vector += dimension, row += lanes) {
		memcpy(row, vector, dimension * sizeof(u32));
		memset(row + dimension, 0, (lanes - dimension) * sizeof(u32));
		if (source->metric == VSS_METRIC_COS)
			vss_metric_normalize(row, dimension,
					     (const float *)&source->norms[first + i]);
	}
}

/* One FPU section for some vectors, @side of them at a time, or less. */
static u64 vss_encode_several(const struct vss_source *source, u32 first,
			      u32 count, u32 side, struct vss_encoding *some)
{
	u64 zeros, begin = vss_section_begin(true);
	u32 i;

	for (i = 0; i < count; i += some->count) {
		some->count = min(side, count - i);
		vss_encode_load(source, first + i, some);
		/* Denormals are no zeros before they are divided. */
		zeros = vss_zeros_begin();
		vss_ops->encode_upper(some);
		vss_ops->encode_lower(some);
		vss_zeros_end(zeros);
		some->codes += some->count * VSS_PLANES *
			       vss_code_words(some->lanes);
	}
	return vss_section_end(begin);
}

/* An FPU section for a part of what is done with a long vector. */
static u64 vss_encode_step(void (*step)(struct vss_encoding *some),
			   struct vss_encoding *some)
{
	u64 begin = vss_section_begin(true);
	u64 zeros = vss_zeros_begin();

	step(some);
	vss_zeros_end(zeros);
	return vss_section_end(begin);
}

/* Several FPU sections for one vector that is too long for one. */
static u64 vss_encode_long(const struct vss_source *source, u32 first,
			   struct vss_encoding *some)
{
	u64 time, begin = vss_section_begin(true);

	some->count = 1;
	vss_encode_load(source, first, some);
	time = vss_section_end(begin);
	time = max(time, vss_encode_step(vss_ops->encode_upper, some));
	time = max(time, vss_encode_step(vss_ops->encode_lower, some));
	some->codes += VSS_PLANES * vss_code_words(some->lanes);
	return time;
}

/**
 * vss_distance_encode() - make the codes of consecutive vectors
 * @metric: one of enum vss_metric
 * @vectors: the first one's components, others following without padding
 * @norms: their norms, for VSS_METRIC_COS
 * @count: number of vectors
 * @dimension: components of each
 * @scratch: vss_distance_encode_bytes(), aligned to VSS_ALIGN
 * @codes: out, the words of each, plane after plane
 *
 * Return: the longest FPU section, in nanoseconds.
 */
u64 vss_distance_encode(u32 metric, const u32 *vectors, const u32 *norms,
			u32 count, u32 dimension, u32 *scratch, u32 *codes)
{
	u32 i, piece, lanes = ALIGN(dimension, VSS_LANES);
	u32 most = vss_section_vectors(dimension);
	u32 side = vss_encode_rows(dimension, count);
	const struct vss_source source = {
		.metric = metric,
		.dimension = dimension,
		.vectors = vectors,
		.norms = norms,
		.room = (float *)scratch,
	};
	struct vss_encoding some = {
		.residuals = (float *)scratch + side * lanes,
		.lanes = lanes,
		.codes = codes,
	};
	u64 time, longest = 0;

	for (i = 0; i < count; i += piece) {
		piece = min(most, count - i);
		time = dimension > VSS_SECTION_COMPONENTS ?
		       vss_encode_long(&source, i, &some) :
		       vss_encode_several(&source, i, piece, side, &some);
		longest = max(longest, time);
	}
	return longest;
}

/**
 * vss_distance_deal() - write a row's words in a plane to where they belong
 * @stripe: the first word of the row's stripe there
 * @row: which row of the stripe
 * @code: the words
 * @words: how many
 *
 * Nothing is written that belongs to other rows, not even with what was there: those
 * may be read meanwhile.
 */
void vss_distance_deal(u32 *stripe, u32 row, const u32 *code, u32 words)
{
	u32 word, byte, apart = vss_ops->tabulate ? VSS_CODE_SQUARE(words) : 0;

	for (word = 0; word < apart; word++, stripe += VSS_STRIPE) {
		u8 *to = (u8 *)stripe + row;

		for (byte = 0; byte < sizeof(u32); byte++)
			WRITE_ONCE(to[byte * VSS_STRIPE], code[word] >> 8 * byte);
	}
	for (; word < words; word++, stripe += VSS_STRIPE)
		WRITE_ONCE(stripe[row], code[word]);
}

/**
 * vss_distance_code_bytes() - what a query's code takes
 * @lanes: padded dimension
 *
 * Return: bytes, a multiple of VSS_ALIGN.
 */
size_t vss_distance_code_bytes(u32 lanes)
{
	size_t bytes = ALIGN(lanes, VSS_ALIGN);

	return bytes + (vss_ops->tabulate ? lanes / VSS_LANES * VSS_TABLE_BYTES : 0);
}

/**
 * vss_distance_piece() - rows that may be computed together
 * @lanes: padded dimension
 * @nr_queries: for how many queries
 *
 * Return: how many, 1 to VSS_TILE_ROWS.
 */
u32 vss_distance_piece(u32 lanes, u32 nr_queries)
{
	size_t rows = vss_ops->rows_bytes / (lanes * sizeof(u32));
	size_t most = VSS_TILE_ROWS;

	/* More queries take longer over as many rows, however short those are. */
	if (nr_queries > 1) {
		rows = DIV_ROUND_UP(rows, 2);
		most /= 2;
	}
	return clamp_t(size_t, rows, 1, most);
}

/* One FPU section's worth of vss_distance_rows(): queries from @first on. */
static u64 vss_rows_some(u32 metric, const float *const *queries, u32 first,
			 u32 count, const struct vss_rows *rows,
			 struct vss_measured *measured)
{
	float *distances = (float *)measured->distances + first * VSS_TILE_ROWS;
	u64 begin = vss_section_begin(measured->timed ||
				      rows->count * rows->lanes * count >=
				      VSS_TIMED_COMPONENTS);
	u32 i;

	if (metric == VSS_METRIC_L2SQ)
		vss_ops->l2sq(queries + first, count, rows, distances);
	else
		vss_ops->dot(queries + first, count, rows, distances);
	for (i = first; i < first + count; i++, distances += VSS_TILE_ROWS) {
		if (metric == VSS_METRIC_IP)
			vss_metric_finish_ip(distances, rows->count);
		if (metric == VSS_METRIC_COS)
			vss_metric_finish_cos(distances, rows);
		vss_ops->near(distances, rows->count,
			      (const float *)&measured->limits[i],
			      (u16 *)measured->near[i]);
	}
	return vss_section_end(begin);
}

/* Queries whose distances to one long row are computed in one FPU section. */
static u32 vss_rows_queries(u32 lanes)
{
	u32 most = vss_ops->rows_bytes / (lanes * sizeof(u32));

	return max(most / vss_ops->queries, 1U) * vss_ops->queries;
}

/**
 * vss_distance_rows() - distances of some queries to some rows
 * @metric: one of enum vss_metric
 * @queries: the padded queries' components, aligned to VSS_ALIGN; normalized
 *           for VSS_METRIC_COS
 * @nr_queries: how many, at most VSS_TILE_QUERIES
 * @rows: the rows, no more than vss_distance_piece()
 * @measured: in: what the caller sets; out: all else
 *
 * Return: for how long the longest FPU section lasted, in nanoseconds; 0 where it
 * was too short to be timed.
 */
u64 vss_distance_rows(u32 metric, const u32 *const *queries, u32 nr_queries,
		      const struct vss_rows *rows,
		      struct vss_measured *measured)
{
	const float *const *q = (const float *const *)queries;
	u32 i, some, most = nr_queries;
	u64 longest = 0;

	/* One row may be so long that it takes a section for a few queries alone. */
	if (rows->count == 1 && rows->lanes * sizeof(u32) * VSS_TILE_QUERIES >
				vss_ops->rows_bytes)
		most = vss_rows_queries(rows->lanes);
	for (i = 0; i < nr_queries; i += some) {
		some = min(most, nr_queries - i);
		longest = max(longest, vss_rows_some(metric, q, i, some, rows,
						     measured));
	}
	return longest;
}

/* One FPU section's worth of vss_distance_sift(), for probes that are ready. */
static u64 vss_sift_some(u32 metric, struct vss_probe *const *probes,
			 u32 nr_probes, const struct vss_stripes *stripes,
			 const struct vss_part *part, u32 lanes)
{
	u64 begin = vss_section_begin(true);
	u64 zeros = vss_zeros_begin();
	u32 i;

	for (i = 0; i < nr_probes; i++)
		vss_metric_aim(metric, probes[i], lanes);
	if (metric == VSS_METRIC_IP)
		vss_ops->sift_ip(probes, nr_probes, stripes, part);
	else
		vss_ops->sift(probes, nr_probes, stripes, part);
	vss_zeros_end(zeros);
	return vss_section_end(begin);
}

/* Sifts all stripes for some probes, @piece of them in one FPU section. */
static u64 vss_sift_several(u32 metric, struct vss_probe *const *probes,
			    u32 nr_probes, const struct vss_stripes *stripes,
			    u32 piece, u32 lanes)
{
	struct vss_part part = { .end = VSS_PLANES };
	u64 longest = 0;

	for (; part.first < stripes->count; part.first += part.count) {
		part.count = min(piece, stripes->count - part.first);
		longest = max(longest, vss_sift_some(metric, probes, nr_probes,
						     stripes, &part, lanes));
	}
	return longest;
}

/* Sifts stripes that are so long that each plane of one takes an FPU section. */
static u64 vss_sift_long(u32 metric, struct vss_probe *probe,
			 const struct vss_stripes *stripes, u32 lanes)
{
	struct vss_part part = { .count = 1 };
	u64 longest = 0;

	for (; part.first < stripes->count; part.first++) {
		part.plane = 0;
		do {
			part.end = part.plane + 1;
			longest = max(longest,
				      vss_sift_some(metric, &probe, 1, stripes,
						    &part, lanes));
		} while (++part.plane < VSS_PLANES &&
			 vss_worth_a_plane(probe->masks[part.first]));
	}
	return longest;
}

/* One FPU section's worth of vss_sift_ready(). */
static u64 vss_sift_step(void (*step)(struct vss_probe *probe,
				      const float *query, u32 lanes),
			 struct vss_probe *probe, const u32 *query, u32 lanes)
{
	u64 begin = vss_section_begin(true);
	u64 zeros = vss_zeros_begin();

	step(probe, (const float *)query, lanes);
	vss_zeros_end(zeros);
	return vss_section_end(begin);
}

/* One more of them, where products are looked up. */
static u64 vss_sift_tabulate(struct vss_probe *probe, u32 lanes)
{
	u64 begin = vss_section_begin(true);

	vss_ops->tabulate(probe->code, lanes, probe->tables);
	return vss_section_end(begin);
}

/* Makes a probe ready: each step takes long where the query has many components. */
static u64 vss_sift_ready(struct vss_probe *probe, const u32 *query, u32 lanes)
{
	u64 time;

	probe->tables = vss_ops->tabulate ?
			(u8 *)probe->code + ALIGN(lanes, VSS_ALIGN) : NULL;
	time = vss_sift_step(vss_metric_scale, probe, query, lanes);
	time = max(time, vss_sift_step(vss_metric_round, probe, query, lanes));
	if (probe->tables)
		time = max(time, vss_sift_tabulate(probe, lanes));
	probe->ready = true;
	return time;
}

/**
 * vss_distance_sift() - find out which rows codes do not rule out
 * @metric: one of enum vss_metric
 * @probes: the queries' probes, limits and masks set
 * @queries: the padded queries, as for vss_distance_rows()
 * @nr_probes: how many, at most VSS_TILE_QUERIES
 * @stripes: the rows
 * @lanes: padded dimension
 *
 * A row that is ruled out has a distance beyond the limit, had it been computed
 * by vss_distance_rows().
 *
 * Return: the longest FPU section, in nanoseconds.
 */
u64 vss_distance_sift(u32 metric, struct vss_probe *const *probes,
		      const u32 *const *queries, u32 nr_probes,
		      const struct vss_stripes *stripes, u32 lanes)
{
	u32 stripe = stripes->words * VSS_STRIPE * sizeof(u32);
	u32 i, some, most = clamp(vss_ops->sift_bytes / stripe, 1U,
				  vss_ops->probes);
	u64 longest = 0;

	for (i = 0; i < nr_probes; i++) {
		if (!probes[i]->ready)
			longest = max(longest, vss_sift_ready(probes[i],
							      queries[i], lanes));
	}
	for (i = 0; i < nr_probes; i += some) {
		some = min(nr_probes - i, most);
		longest = max(longest,
			      stripe > vss_ops->sift_bytes ?
			      vss_sift_long(metric, probes[i], stripes, lanes) :
			      vss_sift_several(metric, probes + i, some, stripes,
					       vss_ops->sift_bytes / (stripe * some),
					       lanes));
	}
	return longest;
}
