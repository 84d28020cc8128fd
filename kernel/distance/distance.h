/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_DISTANCE_H
#define VSS_DISTANCE_H

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
 * A row x has a code in two planes of 4 bits a component. The first alone
 * stands for the vector r1 with components s1 * (c - 7.5), c from 0 to 15; both
 * together for r2 = r1 + s2 * (c' - 7.5). Beside each plane lie its scale s,
 * the error e = |x - r| and the square |r|^2. A query q is rounded once to
 * q^ = t * b, with b from -127 to 127 and the error f = |q - q^|.
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
 * rows. The words of a row: VSS_LANES / 8 a lane's worth of components, eight
 * in each, component i of the first four in bits 8i to 8i + 3 and that of the
 * last four in bits 8i + 4 to 8i + 7; then e, |r|^2 and s, as floats.
 */
#define VSS_STRIPE 16
#define VSS_PLANES 2
#define VSS_CODE_ERROR(_words) ((_words) - 3)
#define VSS_CODE_SQUARE(_words) ((_words) - 2)
#define VSS_CODE_SCALE(_words) ((_words) - 1)

/* Words of a row's code in each plane. */
static inline u32 vss_code_words(u32 lanes)
{
	return lanes / 8 + 3;
}

/* Queries that an inner loop takes at a time, at most. */
#define VSS_TILE_QUERIES 8

/* Rows that an inner loop takes at a time, at most. */
#define VSS_TILE_ROWS 256

/**
 * struct vss_rows - rows whose distances are wanted
 * @rows: the components of row 0, others following; aligned to a cache line
 * @norms: the rows' norms, for VSS_METRIC_COS
 * @lanes: padded dimension
 * @count: how many, at most VSS_TILE_ROWS
 * @index: which ones
 */
struct vss_rows {
	const u32 *rows;
	const u32 *norms;
	u32 lanes;
	u32 count;
	u16 index[VSS_TILE_ROWS];
};

/**
 * struct vss_stripes - stripes that are to be sifted
 * @planes: the first stripe of each plane, others following
 * @norms: the rows' norms, for VSS_METRIC_IP
 * @words: words of a row's code in each plane
 * @count: how many stripes
 */
struct vss_stripes {
	const u32 *planes[VSS_PLANES];
	const u32 *norms;
	u32 words;
	u32 count;
};

/**
 * struct vss_probe - a query, made ready for codes
 * @limit: greatest distance of a hit, as its bits; set by the caller
 * @masks: a bit for each row of each stripe: in, whether it is wanted; out,
 *         whether it is not ruled out; set by the caller
 * @code: b, the padded query in integers
 * @ready: whether @code and what follows have been computed
 * @bias: 15 times the sum of @code
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
 * @probes: queries that @sift looks at side by side, at most VSS_TILE_QUERIES
 * @l2sq: squared Euclidean distances of some queries to some rows: those of
 *        query i begin at @out[i * VSS_TILE_ROWS]
 * @dot: inner products, likewise
 * @sift: finds out which rows the codes do not rule out, where all rows of a
 *        query have one T
 * @sift_ip: likewise, for VSS_METRIC_IP
 * @encode: makes the code of one padded row, of both planes one after the other;
 *          @residual is scratch of the row's size
 *
 * Every function is called inside an FPU section, and never sleeps.
 */
struct vss_distance_ops {
	u32 probes;
	void (*l2sq)(const float *const *queries, u32 nr_queries,
		     const struct vss_rows *rows, float *out);
	void (*dot)(const float *const *queries, u32 nr_queries,
		    const struct vss_rows *rows, float *out);
	void (*sift)(struct vss_probe *const *probes, u32 nr_probes,
		     const struct vss_stripes *stripes);
	void (*sift_ip)(struct vss_probe *const *probes, u32 nr_probes,
			const struct vss_stripes *stripes);
	void (*encode)(const float *row, float *residual, u32 lanes, u32 *code);
};

extern const struct vss_distance_ops vss_distance_avx512;
extern const struct vss_distance_ops vss_distance_avx2;
extern const struct vss_distance_ops vss_distance_sse2;

/* metric.c: what comes before and after the inner loops, in an FPU section. */
void vss_metric_norms(const float *vectors, u32 count, u32 dimension,
		      float *norms);
void vss_metric_normalize(float *vector, u32 dimension, const float *norm);
void vss_metric_finish_ip(float *distances, u32 count);
void vss_metric_finish_cos(float *distances, const struct vss_rows *rows);
void vss_metric_round(struct vss_probe *probe, const float *query, u32 lanes);
void vss_metric_aim(u32 metric, struct vss_probe *probe, u32 lanes);

/* ops.c: what the driver calls; floats are passed as their bits. */
int vss_distance_init(void);
const char *vss_distance_level(void);
u64 vss_distance_norms(const u32 *vectors, u32 count, u32 dimension,
		       u32 *norms);
void vss_distance_normalize(u32 *vector, u32 dimension, u32 norm);
u64 vss_distance_encode(u32 metric, const u32 *vectors, const u32 *norms,
			u32 count, u32 dimension, u32 *scratch, u32 *codes);
u64 vss_distance_rows(u32 metric, const u32 *const *queries, u32 nr_queries,
		      const struct vss_rows *rows, u32 *out);
u64 vss_distance_sift(u32 metric, struct vss_probe *const *probes,
		      const u32 *const *queries, u32 nr_probes,
		      const struct vss_stripes *stripes, u32 lanes);

#endif /* VSS_DISTANCE_H */
