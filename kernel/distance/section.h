/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a processor is asked for floating point: for those files that have none.
 *
 * Denormal numbers take many processors many times as long as others. Where codes
 * are made or looked at, they may be zeros, both taken and given: see rounding.h.
 * vss_zeros_begin() returns what vss_zeros_end() undoes, in the same section.
 */
#ifndef VSS_SECTION_H
#define VSS_SECTION_H

#include <linux/types.h>

#include "../compat.h"

#ifdef CONFIG_ARM64

#include <linux/bits.h>

#include <asm/sysreg.h>

/* FZ of FPCR. */
#define VSS_FPCR_ZEROS BIT(24)

/*
 * What the process that calls has set would else stay in force, its direction of
 * rounding above all. It gets that back with all its registers.
 */
static inline void vss_fpu_begin(void)
{
	kernel_fpu_begin();
	write_sysreg(0, fpcr);
}

static inline void vss_fpu_end(void)
{
	kernel_fpu_end();
}

static inline u64 vss_zeros_begin(void)
{
	u64 before = read_sysreg(fpcr);

	write_sysreg(before | VSS_FPCR_ZEROS, fpcr);
	return before;
}

static inline void vss_zeros_end(u64 before)
{
	write_sysreg(before, fpcr);
}

#else

/* A bit of MXCSR for what is taken, and one for what is given. */
#define VSS_MXCSR_ZEROS 0x8040

static inline void vss_fpu_begin(void)
{
	kernel_fpu_begin();
}

static inline void vss_fpu_end(void)
{
	kernel_fpu_end();
}

static inline u64 vss_zeros_begin(void)
{
	u32 before, now;

	asm volatile("stmxcsr %0" : "=m" (before));
	now = before | VSS_MXCSR_ZEROS;
	asm volatile("ldmxcsr %0" : : "m" (now));
	return before;
}

static inline void vss_zeros_end(u64 before)
{
	u32 mxcsr = before;

	asm volatile("ldmxcsr %0" : : "m" (mxcsr));
}

#endif /* CONFIG_ARM64 */

#endif /* VSS_SECTION_H */
