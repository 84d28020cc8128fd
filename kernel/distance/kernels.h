/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inner loops, written once, for a file that has defined what they are made
 * of in one instruction set:
 *
 * VSS_WIDTH			floats in a register
 * VSS_QUERIES, VSS_CODES	queries that have room in the registers beside
 *				four rows, or beside a stripe
 * VSS_PARTS			of VSS_WIDTH rows each, whose codes are looked at
 *				side by side
 * VSS_SPREAD			whether one query's rows are read in four places
 * vss_float, vss_int		registers of floats, and of s32
 * vss_load, vss_store		from and to memory
 * vss_set, vss_set_int		the same in each place
 * vss_fma(a, b, c)		a * b + c
 * vss_add_int, vss_sub_int	of integers
 * vss_least, vss_most		of two, place by place
 * vss_root			square roots
 * vss_cut			to integers, towards 0
 * vss_widen			of integers to floats
 * vss_quarter			of integers, without its fraction
 * vss_fold, vss_fold_most	the sum of all places, and the greatest
 * vss_beyond(a, b)		bit i: whether place i of a is greater than b's
 * vss_upper_half, vss_lower_half	of each place, as a float that ends there
 * vss_totals			products of some queries' codes with those of rows,
 *				a part each: see words.h
 * vss_pack			codes of 16 components to a byte each, of two u64
 *
 * A distance is built in the same order whatever it is computed together with,
 * so equal rows have equal distances.
 */
#ifndef VSS_KERNELS_H
#define VSS_KERNELS_H

#include <linux/compiler.h>

#include "aim.h"
#include "distance.h"
#include "rounding.h"

#define VSS_ROWS 4

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
 * loaded once, and the independent sums hide the latency of the FMA unit. What lies
 * ahead of the rows is asked for if it is @expected; their distances are @apart in
 * @out.
 */
static __always_inline void vss_tile(const float *const *queries,
				     const u32 nr_queries,
				     const float *const *rows,
				     const u32 nr_rows, u32 lanes,
				     const bool expected, u32 apart, float *out,
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
		for (r = 0; r < nr_rows; r++) {
			if (expected && i % VSS_LANES == 0)
				vss_expect(rows[r] + i);
			row[r] = vss_load(rows[r] + i);
		}
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
			out[q * VSS_TILE_ROWS + r * apart] =
				vss_fold(sums[q][r]);
}

static inline const float *vss_row(const struct vss_rows *rows, u32 i)
{
	return (const float *)rows->rows +
	       (size_t)vss_rows_index(rows, i) * rows->lanes;
}

/* @nr_rows rows from @first on, @apart from each other. */
static __always_inline void vss_some_rows(const float *const *queries,
					  const u32 nr_queries,
					  const struct vss_rows *rows,
					  u32 first, const u32 nr_rows,
					  u32 apart, const bool expected,
					  float *out, vss_step *step)
{
	const float *some[VSS_ROWS];
	u32 r;

	VSS_UNROLL
	for (r = 0; r < nr_rows; r++)
		some[r] = vss_row(rows, first + r * apart);
	vss_tile(queries, nr_queries, some, nr_rows, rows->lanes, expected,
		 apart, out + first, step);
}

/*
 * With several queries there is enough to do with each of four rows. One query's come
 * from memory as fast as the processor can read them. Some do best from one end to the
 * other, and with a word of where they will be soon. Others, as AMD's with AVX2 but no
 * AVX-512, do best if they look ahead by themselves, in each of four places.
 */
static __always_inline void vss_strip(const float *const *queries,
				      const u32 nr_queries,
				      const struct vss_rows *rows, float *out,
				      vss_step *step)
{
	const bool alone = nr_queries == 1;
	u32 i = 0, part = rows->count / VSS_ROWS;

	if (alone && VSS_SPREAD && !rows->index) {
		for (; i < part; i++)
			vss_some_rows(queries, 1, rows, i, VSS_ROWS, part,
				      false, out, step);
		i *= VSS_ROWS;
	} else if (!alone || !rows->index) {
		for (; i + VSS_ROWS <= rows->count; i += VSS_ROWS)
			vss_some_rows(queries, nr_queries, rows, i, VSS_ROWS, 1,
				      alone, out, step);
	}
	for (; i < rows->count; i++)
		vss_some_rows(queries, nr_queries, rows, i, 1, 1, false, out,
			      step);
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
 * Twice the products of queries' codes and those of rows in a plane: b * (2c - 3),
 * which is less than 2^24 and so exact as a float.
 */
static __always_inline void vss_products(const u32 *plane, u32 words,
					 const struct vss_aim *aims,
					 const u32 nr_aims,
					 vss_float (*out)[VSS_PARTS])
{
	vss_int totals[VSS_CODES][VSS_PARTS];
	u32 q, p;

	vss_totals(plane, VSS_CODE_SQUARE(words), aims, nr_aims, totals);
	VSS_UNROLL
	for (q = 0; q < nr_aims; q++)
		VSS_UNROLL
		for (p = 0; p < VSS_PARTS; p++) {
			vss_int twice = vss_add_int(totals[q][p], totals[q][p]);
			vss_int bias = vss_set_int(aims[q].bias);

			out[q][p] = vss_widen(vss_sub_int(twice, bias));
		}
}

/*
 * Which of the VSS_WIDTH rows from row @first of a stripe on are farther than
 * they may be, as their bits.
 */
static __always_inline u32 vss_too_far(const struct vss_aim *aim,
				       vss_float product, vss_float square,
				       vss_float error, const float *norms,
				       u32 first)
{
	vss_float least = vss_fma(square + vss_set(aim->square),
				  vss_set(1.0f - 2.0f * VSS_SLACK),
				  vss_set(aim->step) * product);
	vss_float reach = vss_set(aim->reach);

	if (norms) {
		/* That of vss_metric_aim(), and the row's part. */
		vss_float norm = vss_load(norms + first);

		reach = vss_fma(norm * norm, vss_set(aim->stretch), reach);
		reach = vss_root(vss_most(reach, vss_set(0.0f)));
		reach = vss_fma(reach, vss_set(1.0f + VSS_SLACK),
				vss_set(aim->error));
	}
	reach = reach + error;
	return vss_beyond(least, reach * reach) << first;
}

/*
 * Looks at one more plane of a stripe, for some queries; @sums are their products
 * with the planes before, at a distance of VSS_TILE_ROWS from each other. Sets
 * @far to the rows that are ruled out, as bits.
 */
static __always_inline void vss_sift_plane(const struct vss_aim *aims,
					   const u32 nr_aims,
					   const u32 *plane, u32 words,
					   const float *norms, bool first,
					   float *sums, u32 *far)
{
	const float *squares = (const float *)plane +
			       VSS_CODE_SQUARE(words) * VSS_STRIPE;
	u32 part, p, q;

	VSS_UNROLL
	for (q = 0; q < nr_aims; q++)
		far[q] = 0;
	VSS_UNROLL
	for (part = 0; part < VSS_STRIPE; part += VSS_PARTS * VSS_WIDTH) {
		vss_float products[VSS_CODES][VSS_PARTS];

		/* In the order in which they lie in memory. */
		vss_products(plane + part, words, aims, nr_aims, products);
		VSS_UNROLL
		for (p = 0; p < VSS_PARTS; p++) {
			const u32 at = part + p * VSS_WIDTH;
			vss_float square = vss_load(squares + at);
			vss_float both = vss_load(squares + VSS_STRIPE + at);

			VSS_UNROLL
			for (q = 0; q < nr_aims; q++) {
				float *to = sums + q * VSS_TILE_ROWS + at;
				vss_float sum = products[q][p] *
						vss_upper_half(both);

				if (!first)
					sum = sum + vss_load(to);
				vss_store(to, sum);
				far[q] |= vss_too_far(&aims[q], sum, square,
						      vss_lower_half(both),
						      norms, at);
			}
		}
	}
}

/* The norms of a stripe's rows, for VSS_METRIC_IP; NULL for others. */
static inline const float *vss_stripe_norms(const struct vss_stripes *stripes,
					    u32 i)
{
	return stripes->norms ?
	       (const float *)stripes->norms + i * VSS_STRIPE : NULL;
}

/* Looks at the first plane of some stripes. */
static __always_inline void vss_sift_first(struct vss_probe *const *probes,
					   const u32 nr_probes,
					   const struct vss_stripes *stripes,
					   u32 first, u32 count, bool with_norms)
{
	u32 i, q, words = stripes->words, stripe = words * VSS_STRIPE;
	const u32 *plane = stripes->planes[0] + first * stripe;
	float *sums = (float *)stripes->sums;
	struct vss_aim aims[VSS_CODES];

	vss_take_aim(probes, nr_probes, aims);
	for (i = first; i < first + count;
	     i++, plane += stripe, sums += VSS_STRIPE) {
		u32 far[VSS_CODES], wanted = 0;

		VSS_UNROLL
		for (q = 0; q < nr_probes; q++)
			wanted |= aims[q].masks[i];
		if (!wanted)
			continue;
		vss_sift_plane(aims, nr_probes, plane, words,
			       with_norms ? vss_stripe_norms(stripes, i) : NULL,
			       true, sums, far);
		VSS_UNROLL
		for (q = 0; q < nr_probes; q++)
			aims[q].masks[i] &= ~far[q];
	}
}

/*
 * Looks at a further plane of those stripes where it is worth it, for one query.
 * Returns whether there were any.
 */
static __always_inline bool vss_sift_next(struct vss_probe *probe,
					  const struct vss_stripes *stripes,
					  const u32 *plane, float *sums,
					  u32 first, u32 count, bool with_norms)
{
	u32 i, far, words = stripes->words, stripe = words * VSS_STRIPE;
	struct vss_aim aim;
	bool any = false;

	vss_take_aim(&probe, 1, &aim);
	plane += first * stripe;
	for (i = first; i < first + count;
	     i++, plane += stripe, sums += VSS_STRIPE) {
		if (!vss_worth_a_plane(aim.masks[i]))
			continue;
		vss_sift_plane(&aim, 1, plane, words,
			       with_norms ? vss_stripe_norms(stripes, i) : NULL,
			       false, sums, &far);
		aim.masks[i] &= ~far;
		any = true;
	}
	return any;
}

/*
 * Looks at some planes of some stripes, for some queries: plane after plane, as each
 * is read fastest from one end to the other.
 */
static __always_inline void vss_sift_stripes(struct vss_probe *const *probes,
					     const u32 nr_probes,
					     const struct vss_stripes *stripes,
					     const struct vss_part *part,
					     bool with_norms)
{
	float *sums = (float *)stripes->sums;
	u32 q, i;

	if (!part->plane)
		vss_sift_first(probes, nr_probes, stripes, part->first,
			       part->count, with_norms);
	for (q = 0; q < nr_probes; q++, sums += VSS_TILE_ROWS) {
		i = part->plane ? part->plane : 1;
		while (i < part->end &&
		       vss_sift_next(probes[q], stripes, stripes->planes[i],
				     sums, part->first, part->count, with_norms))
			i++;
	}
}

static __always_inline void vss_sift_all(struct vss_probe *const *probes,
					 u32 nr_probes,
					 const struct vss_stripes *stripes,
					 const struct vss_part *part,
					 bool with_norms)
{
	const u32 most = VSS_TILE_ROWS / VSS_STRIPE;
	struct vss_part some = *part;
	u32 q, left;

	for (left = part->count; left; left -= some.count) {
		some.count = left < most ? left : most;
		for (q = 0; q + VSS_CODES <= nr_probes; q += VSS_CODES)
			vss_sift_stripes(probes + q, VSS_CODES, stripes, &some,
					 with_norms);
		for (; q < nr_probes; q++)
			vss_sift_stripes(probes + q, 1, stripes, &some,
					 with_norms);
		some.first += some.count;
	}
}

static void vss_sift(struct vss_probe *const *probes, u32 nr_probes,
		     const struct vss_stripes *stripes,
		     const struct vss_part *part)
{
	vss_sift_all(probes, nr_probes, stripes, part, false);
}

static void vss_sift_ip(struct vss_probe *const *probes, u32 nr_probes,
			const struct vss_stripes *stripes,
			const struct vss_part *part)
{
	vss_sift_all(probes, nr_probes, stripes, part, true);
}

static void vss_near(const float *distances, u32 count, const float *limit,
		     u16 *near)
{
	vss_float most = vss_set(*limit);
	u32 i, part, far;

	for (i = 0; i < count; i += 16) {
		far = 0;
		VSS_UNROLL
		for (part = 0; part < 16; part += VSS_WIDTH)
			far |= vss_beyond(vss_load(distances + i + part),
					  most) << part;
		near[i / 16] = ~far;
	}
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

/* What its upper half stands for, at four times that scale. */
static inline vss_float vss_upper_level(vss_int code)
{
	return vss_widen(vss_quarter(code)) - vss_set(1.5f);
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
	struct vss_fit best = {}, fit;
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
 * Makes one word of four times four codes of two bits, those in the lowest bits of
 * @bytes.
 */
static inline u32 vss_interleave(const u64 *bytes)
{
	const u64 mask = 0x0303030303030303;
	u64 pairs = (bytes[0] & mask) | (bytes[1] & mask) << 4;

	return pairs | pairs >> 30;
}

/**
 * struct vss_remains - what the codes of some planes make of a row
 * @rest: square of what they leave of it
 * @square: square of what they stand for
 */
struct vss_remains {
	float rest;
	float square;
};

/*
 * Writes the codes of a plane and of the next one for @left, which is what the
 * ones before have left of @row, and what those two leave to @residual, which may
 * be @left. Sets @remains for each of both.
 */
static void vss_encode_planes(const float *row, const float *left,
			      float *residual, u32 lanes, float inverse,
			      float scale, u32 *code,
			      struct vss_remains *remains)
{
	vss_float rests[2] = { vss_set(0.0f), vss_set(0.0f) };
	vss_float squares[2] = { vss_set(0.0f), vss_set(0.0f) };
	u32 i, j, words = vss_code_words(lanes);

	for (i = 0; i < lanes; i += 16) {
		vss_int codes[16 / VSS_WIDTH];
		u64 bytes[2], upper[2];

		VSS_UNROLL
		for (j = 0; j < 16 / VSS_WIDTH; j++) {
			const u32 at = i + j * VSS_WIDTH;
			vss_float whole = vss_load(row + at);
			vss_float x = vss_load(left + at), rest;

			codes[j] = vss_quantize(x, vss_set(inverse));
			rest = vss_fma(vss_upper_level(codes[j]),
				       vss_set(-4.0f * scale), x);
			rests[0] = vss_fma(rest, rest, rests[0]);
			squares[0] = vss_add_square(squares[0], whole, rest);
			rest = vss_fma(vss_level(codes[j]), vss_set(-scale), x);
			rests[1] = vss_fma(rest, rest, rests[1]);
			squares[1] = vss_add_square(squares[1], whole, rest);
			vss_store(residual + at, rest);
		}
		vss_pack(codes, bytes);
		VSS_UNROLL
		for (j = 0; j < 2; j++)
			upper[j] = bytes[j] >> 2;
		code[i / 16] = vss_interleave(upper);
		code[words + i / 16] = vss_interleave(bytes);
	}
	VSS_UNROLL
	for (j = 0; j < 2; j++) {
		remains[j].rest = vss_fold(rests[j]);
		remains[j].square = vss_fold(squares[j]);
	}
}

/* Writes what stands beside the codes of a plane. */
static void vss_encode_end(const struct vss_remains *remains, u32 lanes,
			   float scale, u32 *code)
{
	float error = vss_code_error(remains->square, remains->rest, lanes);
	u32 words = vss_code_words(lanes);

	/* As little as it may be: that rules least out. */
	code[VSS_CODE_SQUARE(words)] = vss_bits(remains->square *
						(1.0f - vss_sum_slack(lanes)));
	code[VSS_CODE_SCALE(words)] = vss_bits(scale) |
				      vss_bits(vss_round_up(error)) >> 16;
}

/*
 * Makes two planes of what is @left of some rows, whose scales are those to be tried
 * for each; it sets the second one to that of its second plane. As every step waits
 * for sums of the one before, each is done with all rows before the next.
 */
static void vss_encode_half(struct vss_encoding *some, const float *left,
			    u32 *codes)
{
	const u32 lanes = some->lanes, count = some->count;
	const u32 words = vss_code_words(lanes), apart = VSS_PLANES * words;
	struct vss_remains remains[VSS_ENCODE_ROWS][2];
	struct vss_fit fits[VSS_ENCODE_ROWS];
	float scale;
	u32 i;

	for (i = 0; i < count; i++)
		fits[i] = vss_fit_best(left + i * lanes, lanes, some->scales[i]);
	for (i = 0; i < count; i++)
		some->scales[i][1] = vss_round(fits[i].product / fits[i].square);
	for (i = 0; i < count; i++)
		vss_encode_planes(some->rows + i * lanes, left + i * lanes,
				  some->residuals + i * lanes, lanes,
				  fits[i].inverse, some->scales[i][1],
				  codes + i * apart, remains[i]);
	for (i = 0; i < count; i++) {
		scale = some->scales[i][1];
		vss_encode_end(&remains[i][0], lanes, 4.0f * scale,
			       codes + i * apart);
		vss_encode_end(&remains[i][1], lanes, scale,
			       codes + i * apart + words);
	}
}

/*
 * Two planes alone leave the least if some of the greatest components are cut off: in
 * Gaussian rows, those beyond 0.95 of the greatest one for 100 components, and beyond
 * 0.65 for 8192. But then there is more for the next two to make up for than a range
 * that is fine can hold.
 */
static void vss_encode_upper(struct vss_encoding *some)
{
	u32 i;

	for (i = 0; i < some->count; i++) {
		float most = vss_greatest(some->rows + i * some->lanes,
					  some->lanes);

		some->scales[i][0] = most / 7.5f;
		some->scales[i][1] = 0.9f * some->scales[i][0];
	}
	vss_encode_half(some, some->rows, some->codes);
}

static void vss_encode_lower(struct vss_encoding *some)
{
	u32 i;

	for (i = 0; i < some->count; i++) {
		float most = vss_greatest(some->residuals + i * some->lanes,
					  some->lanes);

		some->scales[i][0] = most / 7.5f;
		/* A little more than what lies between two levels. */
		some->scales[i][1] = some->scales[i][1] / 14.0f + 0x1p-100f;
	}
	vss_encode_half(some, some->residuals,
			some->codes + 2 * vss_code_words(some->lanes));
}

#endif /* VSS_KERNELS_H */
