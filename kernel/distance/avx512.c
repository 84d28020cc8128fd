// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with AVX-512, sixteen components or rows a time, and its VNNI for
 * the codes.
 */
#include <immintrin.h>

#include <linux/types.h>

#include "distance.h"

#define VSS_WIDTH 16
#define VSS_QUERIES 4
#define VSS_CODES 8
#define VSS_SPREAD false

typedef __m512 vss_float;
typedef __m512i vss_int;

#define vss_load(_from) _mm512_load_ps(_from)
#define vss_store(_to, _a) _mm512_store_ps(_to, _a)
#define vss_set(_a) _mm512_set1_ps(_a)
#define vss_set_int(_a) _mm512_set1_epi32(_a)
#define vss_fma(_a, _b, _c) _mm512_fmadd_ps(_a, _b, _c)
#define vss_add_int(_a, _b) _mm512_add_epi32(_a, _b)
#define vss_sub_int(_a, _b) _mm512_sub_epi32(_a, _b)
#define vss_least(_a, _b) _mm512_min_ps(_a, _b)
#define vss_most(_a, _b) _mm512_max_ps(_a, _b)
#define vss_root(_a) _mm512_sqrt_ps(_a)
#define vss_cut(_a) _mm512_cvttps_epi32(_a)
#define vss_widen(_a) _mm512_cvtepi32_ps(_a)
#define vss_quarter(_a) _mm512_srli_epi32(_a, 2)
#define vss_fold(_a) _mm512_reduce_add_ps(_a)
#define vss_fold_most(_a) _mm512_reduce_max_ps(_a)
#define vss_beyond(_a, _b) \
	((u32)_mm512_cmp_ps_mask(_a, _b, _CMP_GT_OQ))

static __always_inline __m512 vss_upper_half(__m512 a)
{
	return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a),
						    _mm512_set1_epi32(~0xffff)));
}

static __always_inline __m512 vss_lower_half(__m512 a)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 16));
}

/* Codes of components 4i to 4i + 3 are in @of[i]; four times that for odd i. */
struct vss_crumbs {
	__m512i of[4];
};

/*
 * Products with even ones of those, and four times those with odd ones, in two
 * sums. As many for each query are too few to hide how long one has to wait for
 * the one before if there is but one query: that has four.
 */
struct vss_sum {
	__m512i sum[4];
};

static __always_inline struct vss_crumbs vss_unpack(const u32 *words)
{
	const __m512i even = _mm512_set1_epi8(3), odd = _mm512_set1_epi8(12);
	__m512i a = _mm512_load_si512(words), b = _mm512_srli_epi32(a, 4);

	return (struct vss_crumbs) {
		.of = {
			_mm512_and_si512(a, even), _mm512_and_si512(a, odd),
			_mm512_and_si512(b, even), _mm512_and_si512(b, odd),
		},
	};
}

static __always_inline void vss_multiply(struct vss_sum *sum,
					 const struct vss_crumbs *crumbs,
					 const s8 *code, bool alone)
{
	const s32 *four = (const s32 *)code;
	u32 i;

	VSS_UNROLL
	for (i = 0; i < 4; i++) {
		__m512i *to = &sum->sum[alone ? i : i % 2];

		*to = _mm512_dpbusd_epi32(*to, crumbs->of[i],
					  _mm512_set1_epi32(four[i]));
	}
}

static __always_inline __m512i vss_total(const struct vss_sum *sum)
{
	__m512i even = _mm512_add_epi32(sum->sum[0], sum->sum[2]);
	__m512i odd = _mm512_add_epi32(sum->sum[1], sum->sum[3]);

	return _mm512_add_epi32(even, _mm512_srai_epi32(odd, 2));
}

static __always_inline void vss_pack(const __m512i *codes, u64 *bytes)
{
	_mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8(codes[0]));
}

#include "words.h"

#include "kernels.h"

const struct vss_distance_ops vss_distance_avx512 = {
	.queries = VSS_QUERIES,
	.probes = VSS_CODES,
	.sift_bytes = 64 << 10,
	.rows_bytes = 256 << 10,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.near = vss_near,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode_upper = vss_encode_upper,
	.encode_lower = vss_encode_lower,
};
