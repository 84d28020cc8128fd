/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_DISTANCE_H
#define VSS_DISTANCE_H

#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/types.h>

/*
 * Rows and queries are padded with zeros to a multiple of this many
 * components, which is one cache line: no inner loop needs a remainder, and
 * the padding adds nothing to a distance.
 */
#define VSS_LANES 16
#define VSS_ALIGN 64

/*
 * Codes: what rules a row out without a look at its components.
 *
 * A row x has a code in four planes of 2 bits a component. The first n of them
 * stand for the vector r whose components are sums of s_i * (c_i - 1.5), with
 * c_i from 0 to 3. Beside each plane lie its scale s_n, the error e = |x - r| and
 * the square |r|^2. A query q is rounded once to q^ = t * b, with b from -127 to
 * 127 at most and the error f = |q - q^|.
 *
 * Two planes are the halves of 4 bits at one scale, which is chosen for both to
 * fit best: s_1 = 4 s_2, and s_3 = 4 s_4 for what the first two leave. Where rows
 * lie in clusters, the first plane rules out nearly all of those in others, and
 * a search reads a sixteenth of the vectors; where they do not, it reads on.
 *
 * By the triangle inequality, |q - x| >= |q^ - r| - e - f, and
 * |q^ - r|^2 = |q^|^2 + |r|^2 - 2 q^ * r, in which q^ * r is a product of small
 * integers, exact, times t and s. So a row is farther than the root of T if
 *
 *	|q^|^2 + |r|^2 - 2 q^ * r > (sqrt(T) + e + f)^2.
 *
 * (Weber, Schek, Blott: A quantitative analysis and performance study for
 * similarity-search methods in high-dimensional spaces, VLDB 1998, has the idea
 * of a scan over approximations.) What T is, for a hit's greatest distance D:
 *
 * L2SQ	T = D.
 * COS	The code is that of x / |x|, the query is a unit vector, and then
 *	|q - x|^2 = 2 - 2 q * x, which is T = 2 D.
 * IP	1 - q * x <= D means |q - x|^2 = |q|^2 + |x|^2 - 2 q * x
 *	<= |q|^2 + |x|^2 + 2 (D - 1), which is T: another one for each row.
 *
 * A search is to find what a full scan finds, to the bit. So whatever rounding
 * may do counts against ruling out: see rounding.h.
 *
 * 16 rows share a stripe of each plane, in which word w of all of them stands
 * side by side, so that one instruction works on the same components of many
 * rows. The words of a row: one for VSS_LANES components each, of which component
 * 4i + j is in the bits 8j + 2i and 8j + 2i + 1; then |r|^2, a float; then s and e
 * in one word, each the upper half of a float, s above e.
 *
 * Where products are looked up instead, it is for the same byte of all 16 rows at
 * once. There the bytes of a word lie apart: byte j of all rows after byte j - 1 of
 * all of them. Only vss_distance_deal() and the inner loops know.
 */
#define VSS_STRIPE 16
#define VSS_PLANES 4
#define VSS_CODE_SQUARE(_words) ((_words) - 2)
#define VSS_CODE_SCALE(_words) ((_words) - 1)

/* Words of a row's code in each plane. */
static inline u32 vss_code_words(u32 lanes)
{
	return lanes / VSS_LANES + 2;
}

/* Bytes of a query's tables for VSS_LANES components, where products are looked up. */
#define VSS_TABLE_BYTES 128

/* Rows that are encoded side by side, at most, and scales that are tried for each. */
#define VSS_ENCODE_ROWS 4
#define VSS_FITS 2

/* Queries that an inner loop takes at a time, at most. */
#define VSS_TILE_QUERIES 8

/* Rows that an inner loop takes at a time, at most. */
#define VSS_TILE_ROWS 512

/*
 * Whether so many rows of a stripe are left that its next plane, which is as
 * long as one row, is worth a look: two or more.
 */
static inline bool vss_worth_a_plane(u32 mask)
{
	return mask & (mask - 1);
}

/* For a loop over registers, whose count is a constant. */
#define VSS_UNROLL _Pragma("GCC unroll 16")

/**
 * struct vss_rows - rows whose distances are wanted
 * @rows: the components of row 0, others following; aligned to a cache line
 * @norms: the rows' norms, for VSS_METRIC_COS
 * @lanes: padded dimension
 * @count: how many, at most VSS_TILE_ROWS
 * @index: which ones, or NULL for the first ones
 */
struct vss_rows {
	const u32 *rows;
	const u32 *norms;
	u32 lanes;
	u32 count;
	const u16 *index;
};

static inline u32 vss_rows_index(const struct vss_rows *rows, u32 i)
{
	return rows->index ? rows->index[i] : i;
}

/**
 * struct vss_measured - distances of some rows from some queries
 * @timed: whether the time is wanted however short it may be; set by the caller
 * @limits: for each query, the greatest of interest, as its bits; set by the
 *          caller
 * @near: for each query, a bit for each row: whether it is not beyond that
 * @distances: as their bits, neither -0 nor no number; those of query i begin at
 *             @distances[i * VSS_TILE_ROWS]; aligned to VSS_ALIGN
 */
struct vss_measured {
	bool timed;
	u32 limits[VSS_TILE_QUERIES];
	unsigned long near[VSS_TILE_QUERIES][BITS_TO_LONGS(VSS_TILE_ROWS)];
	u32 *distances;
};

/**
 * struct vss_stripes - stripes that are to be sifted
 * @planes: the first stripe of each plane, others following
 * @norms: the rows' norms, for VSS_METRIC_IP
 * @words: words of a row's code in each plane
 * @count: how many stripes
 * @sums: scratch for VSS_TILE_ROWS floats a query; aligned to VSS_ALIGN
 */
struct vss_stripes {
	const u32 *planes[VSS_PLANES];
	const u32 *norms;
	u32 words;
	u32 count;
	u32 *sums;
};

/**
 * struct vss_part - what of some stripes is looked at in one FPU section
 * @first: the first stripe
 * @count: how many
 * @plane: the first plane
 * @end: the plane behind the last one
 */
struct vss_part {
	u32 first;
	u32 count;
	u32 plane;
	u32 end;
};

/**
 * struct vss_encoding - rows whose codes are made
 * @rows: consecutive padded rows
 * @residuals: what the upper half of the planes leaves of them
 * @lanes: padded dimension
 * @count: how many, at most VSS_ENCODE_ROWS
 * @codes: the words of each row, plane after plane
 * @scales: of each row, those to be tried; the second is what the upper half leaves
 *          for the lower one
 */
struct vss_encoding {
	const float *rows;
	float *residuals;
	u32 lanes;
	u32 count;
	u32 *codes;
	float scales[VSS_ENCODE_ROWS][VSS_FITS];
};

/**
 * struct vss_probe - a query, made ready for codes
 * @limit: greatest distance of a hit, as its bits; set by the caller
 * @masks: a bit for each row of each stripe: in, whether it is wanted; out,
 *         whether it is not ruled out; set by the caller
 * @code: b, the padded query in integers; vss_distance_code_bytes() of room, aligned
 *        to VSS_ALIGN
 * @tables: what is looked up, behind @code; NULL where products are computed
 * @ready: whether @code and what follows have been computed
 * @bias: 3 times the sum of @code; where products are looked up, less twice the most
 *        that they may come to, which is -3 times the sum of absolute values
 * @step: t
 * @square: |q^|^2
 * @error: f
 * @norm: |q|^2
 * @reach: sqrt(T) + f, or for VSS_METRIC_IP what T is without |x|^2
 * @stretch: for VSS_METRIC_IP, how often |x|^2 is added
 *
 * The floats are those of files that have floating point; others leave them
 * alone.
 */
struct vss_probe {
	u32 limit;
	u16 *masks;
	s8 *code;
	u8 *tables;
	bool ready;
	s32 bias;
	float step;
	float square;
	float error;
	float norm;
	float reach;
	float stretch;
};

/**
 * struct vss_distance_ops - the inner loops of one instruction set
 * @queries: queries that @l2sq and @dot take side by side
 * @probes: queries that @sift looks at side by side, at most VSS_TILE_QUERIES
 * @sift_bytes: of the first plane, what it looks at in one FPU section for one
 *              query; less for more of them. Of the other planes, it may look at as
 *              much in the same one; of a longer stripe, at one plane
 * @rows_bytes: of rows, what @l2sq and @dot compute in one for one query; half as
 *              much for more of them. For a row that is longer, at @queries in one
 * @l2sq: squared Euclidean distances of some queries to some rows: those of
 *        query i begin at @out[i * VSS_TILE_ROWS]
 * @dot: inner products, likewise
 * @near: which distances are not beyond a limit, as bits
 * @sift: finds out which rows of a part the codes do not rule out, where all rows of
 *        a query have one T. What begins at a later plane goes on with the masks that
 *        the planes before have left, and their sums: those of one query and of
 *        VSS_TILE_ROWS rows, at most
 * @sift_ip: likewise, for VSS_METRIC_IP
 * @encode_upper: makes the first half of the planes of some rows
 * @encode_lower: makes the rest, after that
 * @tabulate: makes a query's tables of its code, for @sift to look products up in
 *            stripes the bytes of whose words lie apart; NULL if it computes them
 *
 * Every function is called inside an FPU section, and never sleeps.
 */
struct vss_distance_ops {
	u32 queries;
	u32 probes;
	u32 sift_bytes;
	u32 rows_bytes;
	void (*l2sq)(const float *const *queries, u32 nr_queries,
		     const struct vss_rows *rows, float *out);
	void (*dot)(const float *const *queries, u32 nr_queries,
		    const struct vss_rows *rows, float *out);
	void (*near)(const float *distances, u32 count, const float *limit,
		     u16 *near);
	void (*sift)(struct vss_probe *const *probes, u32 nr_probes,
		     const struct vss_stripes *stripes,
		     const struct vss_part *part);
	void (*sift_ip)(struct vss_probe *const *probes, u32 nr_probes,
			const struct vss_stripes *stripes,
			const struct vss_part *part);
	void (*encode_upper)(struct vss_encoding *some);
	void (*encode_lower)(struct vss_encoding *some);
	void (*tabulate)(const s8 *code, u32 lanes, u8 *tables);
};

extern const struct vss_distance_ops vss_distance_avx512;
extern const struct vss_distance_ops vss_distance_avx2;
extern const struct vss_distance_ops vss_distance_sse2;
extern const struct vss_distance_ops vss_distance_neon;

/* metric.c: what comes before and after the inner loops, in an FPU section. */
void vss_metric_norms(const float *vectors, u32 count, u32 dimension,
		      float *norms);
void vss_metric_normalize(float *vector, u32 dimension, const float *norm);
void vss_metric_finish_ip(float *distances, u32 count);
void vss_metric_finish_cos(float *distances, const struct vss_rows *rows);
void vss_metric_scale(struct vss_probe *probe, const float *query, u32 lanes);
void vss_metric_round(struct vss_probe *probe, const float *query, u32 lanes);
void vss_metric_aim(u32 metric, struct vss_probe *probe, u32 lanes);

/* ops.c: what the driver calls; floats are passed as their bits. */
int vss_distance_init(void);
const char *vss_distance_level(void);
u64 vss_distance_norms(const u32 *vectors, u32 count, u32 dimension,
		       u32 *norms);
void vss_distance_normalize(u32 *vector, u32 dimension, u32 norm);
size_t vss_distance_encode_bytes(u32 dimension, u32 count);
u64 vss_distance_encode(u32 metric, const u32 *vectors, const u32 *norms,
			u32 count, u32 dimension, u32 *scratch, u32 *codes);
void vss_distance_deal(u32 *stripe, u32 row, const u32 *code, u32 words);
size_t vss_distance_code_bytes(u32 lanes);
u32 vss_distance_piece(u32 lanes, u32 nr_queries);
u64 vss_distance_rows(u32 metric, const u32 *const *queries, u32 nr_queries,
		      const struct vss_rows *rows,
		      struct vss_measured *measured);
u64 vss_distance_sift(u32 metric, struct vss_probe *const *probes,
		      const u32 *const *queries, u32 nr_probes,
		      const struct vss_stripes *stripes, u32 lanes);

#endif /* VSS_DISTANCE_H */
