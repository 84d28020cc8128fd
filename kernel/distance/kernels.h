/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inner loops, written once, for a file that has defined what they are made
 * of in one instruction set:
 *
 * VSS_WIDTH			floats in a register
 * VSS_QUERIES, VSS_CODES	queries that have room in the registers beside
 *				four rows, or beside a stripe
 * vss_float, vss_int		registers of floats, and of s32
 * vss_load, vss_store		from and to memory
 * vss_set, vss_set_int		the same in each place
 * vss_fma(a, b, c)		a * b + c
 * vss_add_int, vss_sub_int	of integers
 * vss_least, vss_most		of two, place by place
 * vss_root			square roots
 * vss_cut			to integers, towards 0
 * vss_widen			of integers to floats
 * vss_fold, vss_fold_most	the sum of all places, and the greatest
 * vss_beyond(a, b)		bit i: whether place i of a is greater than b's
 * struct vss_nibbles		codes of VSS_WIDTH rows, unpacked by vss_unpack() from
 *				two words of each
 * struct vss_sum		sums of products of such codes, a row each
 * vss_multiply			adds those of struct vss_nibbles and a query's code
 * vss_total			of a struct vss_sum, as a vss_int
 * vss_pack			codes of 16 components to a byte each
 *
 * A distance is built in the same order whatever it is computed together with,
 * so equal rows have equal distances.
 */
#ifndef VSS_KERNELS_H
#define VSS_KERNELS_H

#include <linux/compiler.h>

#include "distance.h"
#include "rounding.h"

#define VSS_ROWS 4
#define VSS_FITS 2
#define VSS_PARTS (VSS_STRIPE / VSS_WIDTH)

#define VSS_UNROLL _Pragma("GCC unroll 16")

/* Adds the terms of some components to a sum. */
typedef vss_float vss_step(vss_float sum, vss_float query, vss_float row);

/* @sum + (@query - @row)^2 */
static inline vss_float vss_add_square(vss_float sum, vss_float query,
				       vss_float row)
{
	vss_float delta = query - row;

	return vss_fma(delta, delta, sum);
}

/* @sum + @query * @row */
static inline vss_float vss_add_product(vss_float sum, vss_float query,
					vss_float row)
{
	return vss_fma(query, row, sum);
}

/*
 * Each of @nr_queries queries with each of @nr_rows rows: each component is
 * loaded once, and the independent sums hide the latency of the FMA unit.
 */
static __always_inline void vss_tile(const float *const *queries,
				     const u32 nr_queries,
				     const float *const *rows,
				     const u32 nr_rows, u32 lanes, float *out,
				     vss_step *step)
{
	vss_float sums[VSS_QUERIES][VSS_ROWS];
	u32 i, q, r;

	VSS_UNROLL
	for (q = 0; q < nr_queries; q++)
		VSS_UNROLL
		for (r = 0; r < nr_rows; r++)
			sums[q][r] = vss_set(0.0f);
	for (i = 0; i < lanes; i += VSS_WIDTH) {
		vss_float row[VSS_ROWS];

		VSS_UNROLL
		for (r = 0; r < nr_rows; r++)
			row[r] = vss_load(rows[r] + i);
		VSS_UNROLL
		for (q = 0; q < nr_queries; q++) {
			vss_float query = vss_load(queries[q] + i);

			VSS_UNROLL
			for (r = 0; r < nr_rows; r++)
				sums[q][r] = step(sums[q][r], query, row[r]);
		}
	}
	VSS_UNROLL
	for (q = 0; q < nr_queries; q++)
		VSS_UNROLL
		for (r = 0; r < nr_rows; r++)
			out[q * VSS_TILE_ROWS + r] = vss_fold(sums[q][r]);
}

static inline const float *vss_row(const struct vss_rows *rows, u32 i)
{
	return (const float *)rows->rows + (size_t)rows->index[i] * rows->lanes;
}

static __always_inline void vss_strip(const float *const *queries,
				      const u32 nr_queries,
				      const struct vss_rows *rows, float *out,
				      vss_step *step)
{
	u32 i = 0;

	/*
	 * One query's rows come from memory, which is fastest when it is read
	 * from one end to the other. With more queries there is enough to do
	 * with each of four.
	 */
	for (; nr_queries > 1 && i + VSS_ROWS <= rows->count; i += VSS_ROWS) {
		const float *row[VSS_ROWS] = {
			vss_row(rows, i), vss_row(rows, i + 1),
			vss_row(rows, i + 2), vss_row(rows, i + 3),
		};

		vss_tile(queries, nr_queries, row, VSS_ROWS, rows->lanes,
			 out + i, step);
	}
	for (; i < rows->count; i++) {
		const float *row = vss_row(rows, i);

		vss_tile(queries, nr_queries, &row, 1, rows->lanes, out + i,
			 step);
	}
}

static __always_inline void vss_sums(const float *const *queries,
				     u32 nr_queries,
				     const struct vss_rows *rows, float *out,
				     vss_step *step)
{
	u32 q;

	for (q = 0; q + VSS_QUERIES <= nr_queries; q += VSS_QUERIES)
		vss_strip(queries + q, VSS_QUERIES, rows,
			  out + q * VSS_TILE_ROWS, step);
	for (; q < nr_queries; q++)
		vss_strip(queries + q, 1, rows, out + q * VSS_TILE_ROWS, step);
}

static void vss_l2sq(const float *const *queries, u32 nr_queries,
		     const struct vss_rows *rows, float *out)
{
	vss_sums(queries, nr_queries, rows, out, vss_add_square);
}

static void vss_dot(const float *const *queries, u32 nr_queries,
		    const struct vss_rows *rows, float *out)
{
	vss_sums(queries, nr_queries, rows, out, vss_add_product);
}

/*
 * Twice the product of a query's code and those of VSS_WIDTH rows, b * (2c - 15),
 * which is less than 2^24 and so exact as a float.
 */
static __always_inline void vss_products(const u32 *plane, u32 words,
					 struct vss_probe *const *probes,
					 const u32 nr_probes, vss_float *out)
{
	struct vss_sum sums[VSS_CODES] = { };
	u32 q, w, codes = VSS_CODE_ERROR(words);

	for (w = 0; w < codes; w += 2) {
		const u32 *first = plane + w * VSS_STRIPE;
		struct vss_nibbles nibbles = vss_unpack(first,
							first + VSS_STRIPE);

		VSS_UNROLL
		for (q = 0; q < nr_probes; q++)
			vss_multiply(&sums[q], &nibbles,
				     probes[q]->code + w * 8);
	}
	VSS_UNROLL
	for (q = 0; q < nr_probes; q++) {
		vss_int total = vss_total(&sums[q]);

		out[q] = vss_widen(vss_sub_int(vss_add_int(total, total), vss_set_int(probes[q]->bias)));
	}
}

static inline vss_float vss_word(const u32 *plane, u32 word)
{
	return vss_load((const float *)plane + word * VSS_STRIPE);
}

/*
 * Which of the VSS_WIDTH rows from row @first of a stripe on are farther than
 * they may be, as their bits.
 */
static __always_inline u32 vss_too_far(const struct vss_probe *probe,
				       vss_float product, vss_float square,
				       vss_float error, const float *norms,
				       u32 first)
{
	vss_float least = vss_fma(square + vss_set(probe->square),
				  vss_set(1.0f - 2.0f * VSS_SLACK),
				  vss_set(-probe->step) * product);
	vss_float reach = vss_set(probe->reach);

	if (norms) {
		/* That of vss_metric_aim(), and the row's part. */
		vss_float norm = vss_load(norms + first);

		reach = vss_fma(norm * norm, vss_set(probe->stretch), reach);
		reach = vss_root(vss_most(reach, vss_set(0.0f)));
		reach = vss_fma(reach, vss_set(1.0f + VSS_SLACK),
				vss_set(probe->error));
	}
	reach = reach + error;
	return vss_beyond(least, reach * reach) << first;
}

/* Looks at the first plane of one stripe, for some queries. */
static __always_inline void vss_sift_first(struct vss_probe *const *probes,
					   const u32 nr_probes,
					   const u32 *plane, u32 words,
					   const float *norms,
					   vss_float (*coarse)[VSS_PARTS],
					   u32 *far)
{
	u32 part, q;

	VSS_UNROLL
	for (q = 0; q < nr_probes; q++)
		far[q] = 0;
	VSS_UNROLL
	for (part = 0; part < VSS_PARTS; part++) {
		const u32 *at = plane + part * VSS_WIDTH;
		vss_float scale = vss_word(at, VSS_CODE_SCALE(words));
		vss_float square = vss_word(at, VSS_CODE_SQUARE(words));
		vss_float error = vss_word(at, VSS_CODE_ERROR(words));
		vss_float products[VSS_CODES];

		vss_products(at, words, probes, nr_probes, products);
		VSS_UNROLL
		for (q = 0; q < nr_probes; q++) {
			coarse[q][part] = products[q] * scale;
			far[q] |= vss_too_far(probes[q], coarse[q][part],
					      square, error, norms,
					      part * VSS_WIDTH);
		}
	}
}

/* Looks at the second plane of one stripe besides, for one query. */
static __always_inline u32 vss_sift_second(struct vss_probe *probe,
					   const u32 *plane, u32 words,
					   const float *norms,
					   const vss_float *coarse)
{
	u32 part, far = 0;

	VSS_UNROLL
	for (part = 0; part < VSS_PARTS; part++) {
		const u32 *at = plane + part * VSS_WIDTH;
		vss_float scale = vss_word(at, VSS_CODE_SCALE(words));
		vss_float fine;

		vss_products(at, words, &probe, 1, &fine);
		fine = vss_fma(fine, scale, coarse[part]);
		far |= vss_too_far(probe, fine,
				   vss_word(at, VSS_CODE_SQUARE(words)),
				   vss_word(at, VSS_CODE_ERROR(words)), norms,
				   part * VSS_WIDTH);
	}
	return far;
}

/*
 * Whether so many rows of a stripe are left that its second plane, which is as
 * long as two rows, is worth a look: three or more.
 */
static inline bool vss_worth_second(u32 mask)
{
	mask &= mask - 1;
	return mask & (mask - 1);
}

static __always_inline void vss_sift_stripes(struct vss_probe *const *probes,
					     const u32 nr_probes,
					     const struct vss_stripes *stripes,
					     bool with_norms)
{
	u32 i, q, words = stripes->words, stripe = words * VSS_STRIPE;

	for (i = 0; i < stripes->count; i++) {
		const u32 *first = stripes->planes[0] + i * stripe;
		const u32 *second = stripes->planes[1] + i * stripe;
		const float *norms = (const float *)stripes->norms +
				     i * VSS_STRIPE;
		vss_float coarse[VSS_CODES][VSS_PARTS];
		u32 far[VSS_CODES], wanted = 0;

		for (q = 0; q < nr_probes; q++)
			wanted |= probes[q]->masks[i];
		if (!wanted)
			continue;
		norms = with_norms ? norms : NULL;
		vss_sift_first(probes, nr_probes, first, words, norms, coarse,
			       far);
		for (q = 0; q < nr_probes; q++) {
			u16 *mask = &probes[q]->masks[i];

			*mask &= ~far[q];
			if (vss_worth_second(*mask))
				*mask &= ~vss_sift_second(probes[q], second,
							  words, norms,
							  coarse[q]);
		}
	}
}

static __always_inline void vss_sift_all(struct vss_probe *const *probes,
					 u32 nr_probes,
					 const struct vss_stripes *stripes,
					 bool with_norms)
{
	u32 q;

	for (q = 0; q + VSS_CODES <= nr_probes; q += VSS_CODES)
		vss_sift_stripes(probes + q, VSS_CODES, stripes, with_norms);
	for (; q < nr_probes; q++)
		vss_sift_stripes(probes + q, 1, stripes, with_norms);
}

static void vss_sift(struct vss_probe *const *probes, u32 nr_probes,
		     const struct vss_stripes *stripes)
{
	vss_sift_all(probes, nr_probes, stripes, false);
}

static void vss_sift_ip(struct vss_probe *const *probes, u32 nr_probes,
			const struct vss_stripes *stripes)
{
	vss_sift_all(probes, nr_probes, stripes, true);
}

/* The codes of some components at a scale, whose inverse is given. */
static inline vss_int vss_quantize(vss_float row, vss_float inverse)
{
	vss_float at = vss_fma(row, inverse, vss_set(8.0f));

	return vss_cut(vss_least(vss_most(at, vss_set(0.0f)), vss_set(15.5f)));
}

/* What a code stands for, at scale 1. */
static inline vss_float vss_level(vss_int code)
{
	return vss_widen(code) - vss_set(7.5f);
}

/**
 * struct vss_fit - codes of a row, rounded at one scale
 * @inverse: of that scale
 * @product: of the row and what its codes stand for at scale 1
 * @square: of the latter
 *
 * What the codes stand for is nearest to the row at the scale @product / @square,
 * and then leaves an error whose square is less than the row's by @product^2 /
 * @square.
 */
struct vss_fit {
	float inverse;
	float product;
	float square;
};

static inline bool vss_fits_better(const struct vss_fit *a,
				   const struct vss_fit *b)
{
	return a->product * a->product * b->square >
	       b->product * b->product * a->square;
}

/* Rounds a row at some scales side by side; returns what fits best. */
static struct vss_fit vss_fit_best(const float *row, u32 lanes,
				   const float *scales)
{
	vss_float product[VSS_FITS], square[VSS_FITS], inverse[VSS_FITS];
	struct vss_fit best, fit;
	u32 i, j;

	VSS_UNROLL
	for (j = 0; j < VSS_FITS; j++) {
		inverse[j] = vss_set(1.0f / scales[j]);
		product[j] = square[j] = vss_set(0.0f);
	}
	for (i = 0; i < lanes; i += VSS_WIDTH) {
		vss_float x = vss_load(row + i);

		VSS_UNROLL
		for (j = 0; j < VSS_FITS; j++) {
			vss_float level = vss_level(vss_quantize(x, inverse[j]));

			product[j] = vss_fma(x, level, product[j]);
			square[j] = vss_fma(level, level, square[j]);
		}
	}
	VSS_UNROLL
	for (j = 0; j < VSS_FITS; j++) {
		fit.inverse = 1.0f / scales[j];
		fit.product = vss_fold(product[j]);
		fit.square = vss_fold(square[j]);
		if (!j || vss_fits_better(&fit, &best))
			best = fit;
	}
	return best;
}

static inline float vss_greatest(const float *row, u32 lanes)
{
	vss_float most = vss_set(0x1p-100f);
	u32 i;

	for (i = 0; i < lanes; i += VSS_WIDTH) {
		vss_float x = vss_load(row + i);

		most = vss_most(most, vss_most(x, vss_set(0.0f) - x));
	}
	return vss_fold_most(most);
}

/*
 * Writes a plane's codes, and what they leave of @row to @residual, which may
 * be @row. Returns the square of the latter.
 */
static float vss_encode_plane(const float *row, float *residual, u32 lanes,
			      float inverse, float scale, u32 *code)
{
	vss_float sum = vss_set(0.0f);
	u32 i, j;

	for (i = 0; i < lanes; i += 16) {
		vss_int codes[16 / VSS_WIDTH];
		u64 bytes[2];

		VSS_UNROLL
		for (j = 0; j < 16 / VSS_WIDTH; j++) {
			vss_float rest = vss_load(row + i + j * VSS_WIDTH);

			codes[j] = vss_quantize(rest, vss_set(inverse));
			rest = vss_fma(vss_level(codes[j]), vss_set(-scale),
				       rest);
			sum = vss_fma(rest, rest, sum);
			vss_store(residual + i + j * VSS_WIDTH, rest);
		}
		vss_pack(codes, bytes);
		/* The last four of eight above the first four. */
		code[i / 8] = bytes[0] | bytes[0] >> 28;
		code[i / 8 + 1] = bytes[1] | bytes[1] >> 28;
	}
	return vss_fold(sum);
}

/* Square of the difference of two rows. */
static float vss_gap(const float *a, const float *b, u32 lanes)
{
	vss_float sum = vss_set(0.0f);
	u32 i;

	for (i = 0; i < lanes; i += VSS_WIDTH)
		sum = vss_add_square(sum, vss_load(a + i), vss_load(b + i));
	return vss_fold(sum);
}

static void vss_encode_end(u32 *code, u32 lanes, float scale, float square,
			   float rest)
{
	u32 words = vss_code_words(lanes);
	float error = vss_code_error(square, rest, lanes);

	*(float *)&code[VSS_CODE_ERROR(words)] = error;
	*(float *)&code[VSS_CODE_SQUARE(words)] = square;
	*(float *)&code[VSS_CODE_SCALE(words)] = scale;
}

static void vss_encode(const float *row, float *residual, u32 lanes, u32 *code)
{
	float greatest = vss_greatest(row, lanes) / 7.5f;
	/*
	 * The error is least if some of the greatest components are cut off:
	 * those of a Gaussian row at 0.95 of the greatest one for 100
	 * components, and at 0.65 for 8192. What that leaves may lie between
	 * two levels, or beyond the last.
	 */
	const float scales[VSS_FITS] = { 0.9f * greatest, 0.72f * greatest };
	float rests[VSS_FITS], scale, rest;
	struct vss_fit fit;

	fit = vss_fit_best(row, lanes, scales);
	scale = fit.product / fit.square;
	rest = vss_encode_plane(row, residual, lanes, fit.inverse, scale, code);
	vss_encode_end(code, lanes, scale, scale * scale * fit.square, rest);

	code += vss_code_words(lanes);
	rests[0] = vss_greatest(residual, lanes) / 7.5f;
	rests[1] = scale / 15.0f + 0x1p-100f;
	fit = vss_fit_best(residual, lanes, rests);
	scale = fit.product / fit.square;
	rest = vss_encode_plane(residual, residual, lanes, fit.inverse, scale,
				code);
	/* As little as it may be: that rules least out. */
	vss_encode_end(code, lanes, scale, vss_gap(row, residual, lanes) *
		       (1.0f - vss_sum_slack(lanes)), rest);
}

#endif /* VSS_KERNELS_H */
