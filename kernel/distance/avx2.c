// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with AVX2 and FMA, eight components a time, and the codes of a whole
 * stripe.
 */
#include <immintrin.h>

#include <linux/types.h>

#include "aim.h"
#include "distance.h"

#define VSS_WIDTH 8
#define VSS_QUERIES 2
#define VSS_CODES 4
#define VSS_SPREAD true
#define VSS_PARTS 2

typedef __m256 vss_float;
typedef __m256i vss_int;

#define vss_load(_from) _mm256_load_ps(_from)
#define vss_store(_to, _a) _mm256_store_ps(_to, _a)
#define vss_set(_a) _mm256_set1_ps(_a)
#define vss_set_int(_a) _mm256_set1_epi32(_a)
#define vss_fma(_a, _b, _c) _mm256_fmadd_ps(_a, _b, _c)
#define vss_add_int(_a, _b) _mm256_add_epi32(_a, _b)
#define vss_sub_int(_a, _b) _mm256_sub_epi32(_a, _b)
#define vss_least(_a, _b) _mm256_min_ps(_a, _b)
#define vss_most(_a, _b) _mm256_max_ps(_a, _b)
#define vss_root(_a) _mm256_sqrt_ps(_a)
#define vss_cut(_a) _mm256_cvttps_epi32(_a)
#define vss_widen(_a) _mm256_cvtepi32_ps(_a)
#define vss_quarter(_a) _mm256_srli_epi32(_a, 2)
#define vss_beyond(_a, _b) \
	((u32)_mm256_movemask_ps(_mm256_cmp_ps(_a, _b, _CMP_GT_OQ)))

static __always_inline float vss_fold(__m256 a)
{
	__m128 b = _mm_add_ps(_mm256_castps256_ps128(a),
			      _mm256_extractf128_ps(a, 1));

	b = _mm_add_ps(b, _mm_movehl_ps(b, b));
	return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

static __always_inline float vss_fold_most(__m256 a)
{
	__m128 b = _mm_max_ps(_mm256_castps256_ps128(a),
			      _mm256_extractf128_ps(a, 1));

	b = _mm_max_ps(b, _mm_movehl_ps(b, b));
	return _mm_cvtss_f32(_mm_max_ss(b, _mm_shuffle_ps(b, b, 1)));
}

static __always_inline __m256 vss_upper_half(__m256 a)
{
	return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(a),
						    _mm256_set1_epi32(~0xffff)));
}

static __always_inline __m256 vss_lower_half(__m256 a)
{
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 16));
}

/*
 * Products of a query's code with rows' are looked up, for 32 bytes of rows at a time,
 * of which each half holds one byte of 16 rows' words: two codes in the lower four
 * bits, and two in the upper ones. For each of those there is a table of what they
 * lack of the most that they may come to, twice 16 bytes for the lower, and for the
 * upper. An entry of one and one of the other are added as bytes, which saturate: then
 * a row seems nearer than it is, as scales are not negative, and is not ruled out.
 *
 * (André, Kermarrec, Le Scouarnec: Cache locality is not enough: high-performance
 * nearest neighbor search with product quantization fast scan, VLDB 2015, looks
 * distances up so.)
 */
#define VSS_LOOKUP 32

/* Lookups whose sums fit a u16: 256 * 255 < 2^16. */
#define VSS_LOOKUPS 256

/* A table for two components, whose codes are the bits 0 and 1, and 2 and 3. */
static __always_inline __m128i vss_table(s8 a, s8 b)
{
	const __m256i codes = _mm256_setr_epi8(0, 0, 1, 0, 2, 0, 3, 0,
					       0, 1, 1, 1, 2, 1, 3, 1,
					       0, 2, 1, 2, 2, 2, 3, 2,
					       0, 3, 1, 3, 2, 3, 3, 3);
	const s16 pair = (u8)a | b * 256;
	const s16 most = 3 * ((a > 0 ? a : 0) + (b > 0 ? b : 0));
	__m256i lacks = _mm256_maddubs_epi16(codes, _mm256_set1_epi16(pair));

	lacks = _mm256_sub_epi16(_mm256_set1_epi16(most), lacks);
	return _mm_packus_epi16(_mm256_castsi256_si128(lacks),
				_mm256_extracti128_si256(lacks, 1));
}

static void vss_tabulate(const s8 *code, u32 lanes, u8 *tables)
{
	__m128i *to = (__m128i *)tables;
	u32 i, j;

	for (i = 0; i < lanes; i += VSS_LANES, code += VSS_LANES) {
		for (j = 0; j < 4; j++) {
			__m128i *pair = to + j / 2 * 4 + j % 2;

			_mm_store_si128(pair, vss_table(code[j], code[4 + j]));
			_mm_store_si128(pair + 2, vss_table(code[8 + j],
							    code[12 + j]));
		}
		to += 8;
	}
}

/* Sums of bytes: those of odd rows, and those of even ones with 256 times the odd. */
struct vss_sum {
	__m256i both;
	__m256i odd;
};

/* Adds what comes of a look at 32 bytes. */
static __always_inline void vss_look_up(const __m256i *codes,
					const __m256i **tables,
					const u32 nr_aims, struct vss_sum *sums)
{
	const __m256i lower = _mm256_set1_epi8(15);
	__m256i a = _mm256_load_si256(codes);
	__m256i b = _mm256_and_si256(_mm256_srli_epi16(a, 4), lower);
	u32 q;

	a = _mm256_and_si256(a, lower);
	VSS_UNROLL
	for (q = 0; q < nr_aims; q++) {
		__m256i x = _mm256_shuffle_epi8(tables[q][0], a);
		__m256i y = _mm256_shuffle_epi8(tables[q][1], b);
		__m256i sum = _mm256_adds_epu8(x, y);
		__m256i odd = _mm256_srli_epi16(sum, 8);

		sums[q].both = _mm256_add_epi16(sums[q].both, sum);
		sums[q].odd = _mm256_add_epi16(sums[q].odd, odd);
		tables[q] += 2;
	}
}

/* Takes those of both halves away, row by row. */
static __always_inline void vss_take_away(const struct vss_sum *sum,
					  __m256i *totals)
{
	__m256i even = _mm256_sub_epi16(sum->both,
					_mm256_slli_epi16(sum->odd, 8));
	__m256i rows[2] = {
		_mm256_unpacklo_epi16(even, sum->odd),
		_mm256_unpackhi_epi16(even, sum->odd),
	};
	u32 p;

	VSS_UNROLL
	for (p = 0; p < 2; p++) {
		__m128i a = _mm256_castsi256_si128(rows[p]);
		__m128i b = _mm256_extracti128_si256(rows[p], 1);

		totals[p] = _mm256_sub_epi32(totals[p],
					     _mm256_cvtepu16_epi32(a));
		totals[p] = _mm256_sub_epi32(totals[p],
					     _mm256_cvtepu16_epi32(b));
	}
}

/* As in words.h, but for all rows of a stripe, and without the most. */
static __always_inline void vss_totals(const u32 *plane, u32 codes,
				       const struct vss_aim *aims,
				       const u32 nr_aims,
				       __m256i (*totals)[VSS_PARTS])
{
	const __m256i *at = (const __m256i *)plane;
	const __m256i *end = at + codes * VSS_STRIPE * sizeof(u32) / VSS_LOOKUP;
	const __m256i *tables[VSS_CODES];
	u32 q;

	VSS_UNROLL
	for (q = 0; q < nr_aims; q++) {
		tables[q] = (const __m256i *)aims[q].tables;
		totals[q][0] = totals[q][1] = _mm256_setzero_si256();
	}
	while (at < end) {
		const __m256i *some = end - at < VSS_LOOKUPS ?
				      end : at + VSS_LOOKUPS;
		struct vss_sum sums[VSS_CODES];

		VSS_UNROLL
		for (q = 0; q < nr_aims; q++)
			sums[q].both = sums[q].odd = _mm256_setzero_si256();
		for (; at < some; at += 2) {
			vss_expect(at);
			vss_look_up(at, tables, nr_aims, sums);
			vss_look_up(at + 1, tables, nr_aims, sums);
		}
		VSS_UNROLL
		for (q = 0; q < nr_aims; q++)
			vss_take_away(&sums[q], totals[q]);
	}
}

static __always_inline void vss_pack(const __m256i *codes, u64 *bytes)
{
	__m256i words = _mm256_packs_epi32(codes[0], codes[1]);

	words = _mm256_permute4x64_epi64(words, 0xd8);
	_mm_storeu_si128((__m128i *)bytes,
			 _mm_packus_epi16(_mm256_castsi256_si128(words),
					  _mm256_extracti128_si256(words, 1)));
}

#include "kernels.h"

const struct vss_distance_ops vss_distance_avx2 = {
	.queries = VSS_QUERIES,
	.probes = VSS_CODES,
	.sift_bytes = 32 << 10,
	.rows_bytes = 256 << 10,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.near = vss_near,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode_upper = vss_encode_upper,
	.encode_lower = vss_encode_lower,
	.tabulate = vss_tabulate,
};
