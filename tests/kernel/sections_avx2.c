// SPDX-License-Identifier: MIT
/*
 * What sections.c checks, by AVX2 and on one processor.
 *
 * machines: uml
 * module-args: simd=avx2 search_cpus=1
 */
#include "sections.c"
