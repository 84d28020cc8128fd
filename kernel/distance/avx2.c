// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with AVX2 and FMA, eight components or rows a time.
 */
#include <immintrin.h>

#include <linux/types.h>

#include "distance.h"

#define VSS_WIDTH 8
#define VSS_QUERIES 2
#define VSS_CODES 4

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

/* Codes of components 4i to 4i + 3 are in @of[i]; four times that for odd i. */
struct vss_crumbs {
	__m256i of[4];
};

struct vss_sum {
	__m256i sum;
};

static __always_inline struct vss_crumbs vss_unpack(const u32 *words)
{
	const __m256i even = _mm256_set1_epi8(3), odd = _mm256_set1_epi8(12);
	__m256i a = _mm256_load_si256((const __m256i *)words);
	__m256i b = _mm256_srli_epi32(a, 4);

	return (struct vss_crumbs) {
		.of = {
			_mm256_and_si256(a, even), _mm256_and_si256(a, odd),
			_mm256_and_si256(b, even), _mm256_and_si256(b, odd),
		},
	};
}

/* Sums of pairs of products, which do not leave the range of an s16. */
static __always_inline __m256i vss_pairs(__m256i crumbs, const s8 *code)
{
	return _mm256_maddubs_epi16(crumbs,
				    _mm256_set1_epi32(*(const s32 *)code));
}

static __always_inline void vss_multiply(struct vss_sum *sum,
					 const struct vss_crumbs *crumbs,
					 const s8 *code, bool alone)
{
	__m256i even = _mm256_add_epi16(vss_pairs(crumbs->of[0], code),
					vss_pairs(crumbs->of[2], code + 8));
	__m256i odd = _mm256_add_epi16(vss_pairs(crumbs->of[1], code + 4),
				       vss_pairs(crumbs->of[3], code + 12));
	__m256i pairs = _mm256_add_epi16(even, _mm256_srai_epi16(odd, 2));

	sum->sum = _mm256_add_epi32(sum->sum,
				    _mm256_madd_epi16(pairs,
						      _mm256_set1_epi16(1)));
}

static __always_inline __m256i vss_total(const struct vss_sum *sum)
{
	return sum->sum;
}

static __always_inline void vss_pack(const __m256i *codes, u32 *bytes)
{
	__m256i words = _mm256_packs_epi32(codes[0], codes[1]);

	words = _mm256_permute4x64_epi64(words, 0xd8);
	_mm_storeu_si128((__m128i *)bytes,
			 _mm_packus_epi16(_mm256_castsi256_si128(words),
					  _mm256_extracti128_si256(words, 1)));
}

#include "kernels.h"

const struct vss_distance_ops vss_distance_avx2 = {
	.probes = VSS_CODES,
	.sift_bytes = 64 << 10,
	.rows_bytes = 256 << 10,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.near = vss_near,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode = vss_encode,
};
