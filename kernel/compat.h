/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, and nowhere else.
 */
#ifndef VSS_COMPAT_H
#define VSS_COMPAT_H

#include <linux/list_lru.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/types.h>
#include <linux/version.h>

/* Linux 6.10, "tracing/treewide: Remove second parameter of __assign_str()". */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vss_assign_str(field, from) __assign_str(field, from)
#else
#define vss_assign_str(field, from) __assign_str(field)
#endif

/* Linux 6.8, "list_lru: allow explicit memcg and NUMA node selection". */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define vss_lru_add(lru, item) list_lru_add(lru, item)
#define vss_lru_del(lru, item) list_lru_del(lru, item)
#else
#define vss_lru_add(lru, item) list_lru_add_obj(lru, item)
#define vss_lru_del(lru, item) list_lru_del_obj(lru, item)
#endif

/* Linux 6.13, "mm/list_lru: split the lock to per-cgroup scope". */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define VSS_LRU_WALK_PARAMETERS \
	struct list_head *item, struct list_lru_one *list, spinlock_t *lock
#else
#define VSS_LRU_WALK_PARAMETERS \
	struct list_head *item, struct list_lru_one *list
#endif

/* Linux 6.4, "mm: vmscan: refactor updating current->reclaim_state". */
static inline void vss_account_reclaimed(unsigned long pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#else
	mm_account_reclaimed_pages(pages);
#endif
}

typedef unsigned long (*vss_shrink_fn)(struct shrinker *shrinker,
				       struct shrink_control *control);

/*
 * Linux 6.7, "mm: shrinker: add infrastructure for dynamically allocating
 * shrinker". Before it, a shrinker that has the number that a list wants is
 * registered, and may be called, already.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)

static inline struct shrinker *vss_shrinker_alloc(unsigned int flags,
						  vss_shrink_fn count,
						  vss_shrink_fn scan,
						  long batch)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->batch = batch;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker->flags = flags;
	if (!register_shrinker(shrinker, "vss"))
		return shrinker;
	kfree(shrinker);
	return NULL;
}

static inline void vss_shrinker_register(struct shrinker *shrinker)
{
}

static inline void vss_shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}

#else

static inline struct shrinker *vss_shrinker_alloc(unsigned int flags,
						  vss_shrink_fn count,
						  vss_shrink_fn scan,
						  long batch)
{
	struct shrinker *shrinker = shrinker_alloc(flags, "vss");

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->batch = batch;
	return shrinker;
}

static inline void vss_shrinker_register(struct shrinker *shrinker)
{
	shrinker_register(shrinker);
}

static inline void vss_shrinker_free(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}

#endif

#ifdef CONFIG_ARM64

/*
 * Linux 6.10, "arm64: implement ARCH_HAS_KERNEL_FPU_SUPPORT". What it has knows
 * what kernel_neon_begin() takes: since Linux 6.19, "arm64/fpsimd: Allocate kernel
 * mode FP/SIMD buffers on the stack", a buffer, unless preemption is off.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#include <asm/neon.h>

#define kernel_fpu_begin() kernel_neon_begin()
#define kernel_fpu_end() kernel_neon_end()
#else
#include <linux/fpu.h>
#endif

#else

#include <asm/fpu/api.h>

/* What a kernel must save of the vector registers, as bits of XCR0. */
#define VSS_STATE_AVX		0x06
#define VSS_STATE_AVX512	0xe6

#ifdef CONFIG_UML

/*
 * A kernel in user mode leaves the registers to the one below it, and knows
 * little of the processor: ask that.
 */
#define VSS_CPU_FMA		1, ecx, 12
#define VSS_CPU_AVX2		7, ebx, 5
#define VSS_CPU_AVX512F		7, ebx, 16
#define VSS_CPU_AVX512DQ	7, ebx, 17
#define VSS_CPU_AVX512BW	7, ebx, 30
#define VSS_CPU_AVX512VL	7, ebx, 31
#define VSS_CPU_AVX512_VNNI	7, ecx, 11
#define vss_cpu_has(_name) vss_cpu_has_bit(VSS_CPU_##_name)
#define vss_cpu_has_bit(...) __vss_cpu_has_bit(__VA_ARGS__)
#define __vss_cpu_has_bit(_leaf, _register, _bit) \
	(vss_cpuid(_leaf)._register & 1U << (_bit))

struct vss_cpuid {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

static inline struct vss_cpuid vss_cpuid(u32 leaf)
{
	struct vss_cpuid r;

	asm("cpuid" : "=a" (r.eax), "=b" (r.ebx), "=c" (r.ecx), "=d" (r.edx)
	    : "a" (leaf), "c" (0));
	return r;
}

static inline bool vss_cpu_keeps(u32 state)
{
	u32 low, high;

	/* OSXSAVE: there is an XCR0. */
	if (!(vss_cpuid(1).ecx & 1U << 27))
		return false;
	asm("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return (low & state) == state;
}

static inline bool vss_cpu_prefers_ymm(void)
{
	return false;
}

#else

#include <asm/cpufeature.h>
#include <asm/processor.h>

#define vss_cpu_has(_name) boot_cpu_has(X86_FEATURE_##_name)

static inline bool vss_cpu_keeps(u32 state)
{
	return cpu_has_xfeatures(state, NULL);
}

/*
 * Linux 6.15, "x86/cpufeatures: Add X86_FEATURE_PREFER_YMM"; before it, the
 * processors that it names.
 */
static inline bool vss_cpu_prefers_ymm(void)
{
#ifdef X86_FEATURE_PREFER_YMM
	return boot_cpu_has(X86_FEATURE_PREFER_YMM);
#else
	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL ||
	    boot_cpu_data.x86 != 6)
		return false;
	switch (boot_cpu_data.x86_model) {
	case 0x55: /* Skylake-X, and Cascade Lake */
	case 0x6a: /* Ice Lake-X */
	case 0x6c: /* Ice Lake-D */
	case 0x7d: /* Ice Lake */
	case 0x7e: /* Ice Lake-L */
	case 0x8c: /* Tiger Lake-L */
	case 0x8d: /* Tiger Lake */
	case 0x9d: /* Ice Lake-NNPI */
		return true;
	default:
		return false;
	}
#endif
}

#endif /* CONFIG_UML */

#endif /* CONFIG_ARM64 */

#endif /* VSS_COMPAT_H */
