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
#define vss_fold(_a) _mm512_reduce_add_ps(_a)
#define vss_fold_most(_a) _mm512_reduce_max_ps(_a)
#define vss_beyond(_a, _b) \
	((u32)_mm512_cmp_ps_mask(_a, _b, _CMP_GT_OQ))

struct vss_nibbles {
	__m512i low[2];
	__m512i high[2];
};

struct vss_sum {
	__m512i sum[2];
};

static inline struct vss_nibbles vss_unpack(const u32 *first, const u32 *second)
{
	const __m512i mask = _mm512_set1_epi8(15);
	__m512i a = _mm512_load_si512(first), b = _mm512_load_si512(second);

	return (struct vss_nibbles) {
		.low = { _mm512_and_si512(a, mask), _mm512_and_si512(b, mask) },
		.high = {
			_mm512_and_si512(_mm512_srli_epi32(a, 4), mask),
			_mm512_and_si512(_mm512_srli_epi32(b, 4), mask),
		},
	};
}

static inline void vss_multiply(struct vss_sum *sum,
				const struct vss_nibbles *nibbles,
				const s8 *code)
{
	const s32 *four = (const s32 *)code;

	/* Two sums, so that an instruction seldom waits for the one before. */
	sum->sum[0] = _mm512_dpbusd_epi32(sum->sum[0], nibbles->low[0],
					  _mm512_set1_epi32(four[0]));
	sum->sum[1] = _mm512_dpbusd_epi32(sum->sum[1], nibbles->high[0],
					  _mm512_set1_epi32(four[1]));
	sum->sum[0] = _mm512_dpbusd_epi32(sum->sum[0], nibbles->low[1],
					  _mm512_set1_epi32(four[2]));
	sum->sum[1] = _mm512_dpbusd_epi32(sum->sum[1], nibbles->high[1],
					  _mm512_set1_epi32(four[3]));
}

static inline __m512i vss_total(const struct vss_sum *sum)
{
	return _mm512_add_epi32(sum->sum[0], sum->sum[1]);
}

static inline void vss_pack(const __m512i *codes, u64 *bytes)
{
	_mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8(codes[0]));
}

#include "kernels.h"

const struct vss_distance_ops vss_distance_avx512 = {
	.probes = VSS_CODES,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode = vss_encode,
};
