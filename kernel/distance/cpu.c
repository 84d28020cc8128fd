// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor has, and the kernel lets be used.
 */
#include <linux/types.h>

#include "../compat.h"
#include "cpu.h"

#ifdef CONFIG_ARM64

/**
 * vss_cpu_has_neon() - whether there is NEON
 *
 * Return: whether.
 */
bool vss_cpu_has_neon(void)
{
	return cpu_has_neon();
}

#elif defined(CONFIG_X86_64)

/**
 * vss_cpu_has_sse2() - whether there is SSE2
 *
 * Return: true.
 */
bool vss_cpu_has_sse2(void)
{
	return true;
}

/**
 * vss_cpu_has_avx2() - whether there are AVX2 and FMA
 *
 * Return: whether.
 */
bool vss_cpu_has_avx2(void)
{
	return vss_cpu_keeps(VSS_STATE_AVX) && vss_cpu_has(AVX2) &&
	       vss_cpu_has(FMA);
}

/**
 * vss_cpu_has_avx512() - whether there is what avx512.c is made of
 *
 * Return: whether.
 */
bool vss_cpu_has_avx512(void)
{
	return vss_cpu_has_avx2() && vss_cpu_keeps(VSS_STATE_AVX512) &&
	       vss_cpu_has(AVX512F) && vss_cpu_has(AVX512BW) &&
	       vss_cpu_has(AVX512DQ) && vss_cpu_has(AVX512VL) &&
	       vss_cpu_has(AVX512_VNNI);
}

/**
 * vss_cpu_likes_avx512() - whether that is the best there is
 *
 * Some processors slow all of their cores down while one uses the widest
 * registers.
 *
 * Return: whether.
 */
bool vss_cpu_likes_avx512(void)
{
	return vss_cpu_has_avx512() && !vss_cpu_prefers_ymm();
}

#else
#error "vss computes distances on x86-64 and arm64 only"
#endif
