// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops with what every arm64 processor has: NEON, four components or
 * rows a time.
 */
#include <linux/types.h>

#include "distance.h"

/* It gives up definitions for the compiler's, which do not give way to others. */
#include <asm/neon-intrinsics.h>

#define VSS_WIDTH 4
#define VSS_QUERIES 4
#define VSS_CODES 4
#define VSS_SPREAD false

typedef float32x4_t vss_float;
typedef int32x4_t vss_int;

#define vss_load(_from) vld1q_f32(_from)
#define vss_store(_to, _a) vst1q_f32(_to, _a)
#define vss_set(_a) vdupq_n_f32(_a)
#define vss_set_int(_a) vdupq_n_s32(_a)
#define vss_fma(_a, _b, _c) vfmaq_f32(_c, _a, _b)
#define vss_add_int(_a, _b) vaddq_s32(_a, _b)
#define vss_sub_int(_a, _b) vsubq_s32(_a, _b)
/* Of no number and another: no number, which is beyond nothing. */
#define vss_least(_a, _b) vminq_f32(_a, _b)
#define vss_most(_a, _b) vmaxq_f32(_a, _b)
#define vss_root(_a) vsqrtq_f32(_a)
#define vss_cut(_a) vcvtq_s32_f32(_a)
#define vss_widen(_a) vcvtq_f32_s32(_a)
#define vss_quarter(_a) vshrq_n_s32(_a, 2)
#define vss_fold(_a) vaddvq_f32(_a)
#define vss_fold_most(_a) vmaxvq_f32(_a)

static __always_inline u32 vss_beyond(float32x4_t a, float32x4_t b)
{
	static const u32 bits[4] = { 1, 2, 4, 8 };

	return vaddvq_u32(vandq_u32(vcgtq_f32(a, b), vld1q_u32(bits)));
}

static __always_inline float32x4_t vss_upper_half(float32x4_t a)
{
	return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a),
					       vdupq_n_u32(~0xffffU)));
}

static __always_inline float32x4_t vss_lower_half(float32x4_t a)
{
	return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a), 16));
}

/* Codes of components 4i to 4i + 3 are in @of[i]. */
struct vss_crumbs {
	int8x16_t of[4];
};

/* Rows 0 and 1, and rows 2 and 3, each as two sums. */
struct vss_sum {
	int32x4_t sum[2];
};

static __always_inline struct vss_crumbs vss_unpack(const u32 *words)
{
	const uint8x16_t mask = vdupq_n_u8(3);
	uint8x16_t a = vreinterpretq_u8_u32(vld1q_u32(words));

	return (struct vss_crumbs) {
		.of = {
			vreinterpretq_s8_u8(vandq_u8(a, mask)),
			vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(a, 2), mask)),
			vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(a, 4), mask)),
			vreinterpretq_s8_u8(vshrq_n_u8(a, 6)),
		},
	};
}

/* Four sums of products for each row, which do not leave the range of an s16. */
static __always_inline void vss_multiply(struct vss_sum *sum,
					 const struct vss_crumbs *crumbs,
					 const s8 *code, bool alone)
{
	int16x8_t rows[2] = { vdupq_n_s16(0), vdupq_n_s16(0) };
	u32 i;

	VSS_UNROLL
	for (i = 0; i < 4; i++) {
		int32x2_t both = vdup_n_s32(((const s32 *)code)[i]);
		int8x8_t four = vreinterpret_s8_s32(both);

		rows[0] = vmlal_s8(rows[0], vget_low_s8(crumbs->of[i]), four);
		rows[1] = vmlal_s8(rows[1], vget_high_s8(crumbs->of[i]), four);
	}
	sum->sum[0] = vpadalq_s16(sum->sum[0], rows[0]);
	sum->sum[1] = vpadalq_s16(sum->sum[1], rows[1]);
}

static __always_inline int32x4_t vss_total(const struct vss_sum *sum)
{
	return vpaddq_s32(sum->sum[0], sum->sum[1]);
}

static __always_inline void vss_pack(const int32x4_t *codes, u64 *bytes)
{
	int16x8_t a = vcombine_s16(vmovn_s32(codes[0]), vmovn_s32(codes[1]));
	int16x8_t b = vcombine_s16(vmovn_s32(codes[2]), vmovn_s32(codes[3]));
	int8x16_t all = vcombine_s8(vmovn_s16(a), vmovn_s16(b));

	vst1q_u64(bytes, vreinterpretq_u64_s8(all));
}

#include "words.h"

#include "kernels.h"

const struct vss_distance_ops vss_distance_neon = {
	.queries = VSS_QUERIES,
	.probes = VSS_CODES,
	.sift_bytes = 16 << 10,
	.rows_bytes = 64 << 10,
	.l2sq = vss_l2sq,
	.dot = vss_dot,
	.near = vss_near,
	.sift = vss_sift,
	.sift_ip = vss_sift_ip,
	.encode_upper = vss_encode_upper,
	.encode_lower = vss_encode_lower,
};
