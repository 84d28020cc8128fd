// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with what every x86-64 processor has: SSE2, four components or
 * rows a time.
 */
#include <emmintrin.h>

#include <linux/types.h>

#include "distance.h"

#define VSS_WIDTH 4
#define VSS_QUERIES 1
#define VSS_CODES 1
#define VSS_SPREAD true

typedef __m128 vss_float;
typedef __m128i vss_int;

#define vss_load(_from) _mm_load_ps(_from)
#define vss_store(_to, _a) _mm_store_ps(_to, _a)
#define vss_set(_a) _mm_set1_ps(_a)
#define vss_set_int(_a) _mm_set1_epi32(_a)
#define vss_fma(_a, _b, _c) _mm_add_ps(_mm_mul_ps(_a, _b), _c)
#define vss_add_int(_a, _b) _mm_add_epi32(_a, _b)
#define vss_sub_int(_a, _b) _mm_sub_epi32(_a, _b)
#define vss_least(_a, _b) _mm_min_ps(_a, _b)
#define vss_most(_a, _b) _mm_max_ps(_a, _b)
#define vss_root(_a) _mm_sqrt_ps(_a)
#define vss_cut(_a) _mm_cvttps_epi32(_a)
#define vss_widen(_a) _mm_cvtepi32_ps(_a)
#define vss_quarter(_a) _mm_srli_epi32(_a, 2)
#define vss_beyond(_a, _b) ((u32)_mm_movemask_ps(_mm_cmpgt_ps(_a, _b)))

static __always_inline float vss_fold(__m128 a)
{
	a = _mm_add_ps(a, _mm_movehl_ps(a, a));
	return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}

static __always_inline float vss_fold_most(__m128 a)
{
	a = _mm_max_ps(a, _mm_movehl_ps(a, a));
	return _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps(a, a, 1)));
}

static __always_inline __m128 vss_upper_half(__m128 a)
{
	return _mm_castsi128_ps(_mm_and_si128(_mm_castps_si128(a),
					      _mm_set1_epi32(~0xffff)));
}

static __always_inline __m128 vss_lower_half(__m128 a)
{
	return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(a), 16));
}

/* Codes of components 4i to 4i + 3 are in @of[i]. */
struct vss_crumbs {
	__m128i of[4];
};

/* Rows 0 and 1, and rows 2 and 3, each as two sums. */
struct vss_sum {
	__m128i sum[2];
};

static __always_inline struct vss_crumbs vss_unpack(const u32 *words)
{
	const __m128i mask = _mm_set1_epi8(3);
	__m128i a = _mm_load_si128((const __m128i *)words);

	return (struct vss_crumbs) {
		.of = {
			_mm_and_si128(a, mask),
			_mm_and_si128(_mm_srli_epi32(a, 2), mask),
			_mm_and_si128(_mm_srli_epi32(a, 4), mask),
			_mm_and_si128(_mm_srli_epi32(a, 6), mask),
		},
	};
}

static __always_inline void vss_multiply_four(struct vss_sum *sum,
					      __m128i crumbs, const s8 *code)
{
	__m128i four = _mm_set1_epi32(*(const s32 *)code);
	__m128i zero = _mm_setzero_si128();

	/* Widened to s16, with their signs. */
	four = _mm_srai_epi16(_mm_unpacklo_epi8(zero, four), 8);
	sum->sum[0] = _mm_add_epi32(sum->sum[0],
				    _mm_madd_epi16(_mm_unpacklo_epi8(crumbs, zero),
						   four));
	sum->sum[1] = _mm_add_epi32(sum->sum[1],
				    _mm_madd_epi16(_mm_unpackhi_epi8(crumbs, zero),
						   four));
}

static __always_inline void vss_multiply(struct vss_sum *sum,
					 const struct vss_crumbs *crumbs,
					 const s8 *code, bool alone)
{
	u32 i;

	VSS_UNROLL
	for (i = 0; i < 4; i++)
		vss_multiply_four(sum, crumbs->of[i], code + 4 * i);
}

static __always_inline __m128i vss_total(const struct vss_sum *sum)
{
	__m128 a = _mm_castsi128_ps(sum->sum[0]);
	__m128 b = _mm_castsi128_ps(sum->sum[1]);

	return _mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(a, b, 0x88)),
			     _mm_castps_si128(_mm_shuffle_ps(a, b, 0xdd)));
}

static __always_inline void vss_pack(const __m128i *codes, u64 *bytes)
{
	__m128i a = _mm_packs_epi32(codes[0], codes[1]);
	__m128i b = _mm_packs_epi32(codes[2], codes[3]);

	_mm_storeu_si128((__m128i *)bytes, _mm_packus_epi16(a, b));
}

#include "words.h"

#include "kernels.h"

const struct vss_distance_ops vss_distance_sse2 = {
	.queries = VSS_QUERIES,
	.probes = VSS_CODES,
	.sift_bytes = 8 << 10,
	.rows_bytes = 64 << 10,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.near = vss_near,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode_upper = vss_encode_upper,
	.encode_lower = vss_encode_lower,
};
