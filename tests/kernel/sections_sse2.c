// SPDX-License-Identifier: MIT
/*
 * What sections.c checks, by SSE2 and on one processor.
 *
 * machines: uml
 * module-args: simd=sse2 search_cpus=1
 */
#include "sections.c"
