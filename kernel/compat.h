/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, and nowhere else.
 */
#ifndef VSS_COMPAT_H
#define VSS_COMPAT_H

#include <linux/types.h>
#include <linux/version.h>

/* Linux 6.10, "tracing/treewide: Remove second parameter of __assign_str()". */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vss_assign_str(field, from) __assign_str(field, from)
#else
#define vss_assign_str(field, from) __assign_str(field)
#endif

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
#include <asm/fpu/api.h>
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

#endif /* VSS_COMPAT_H */
