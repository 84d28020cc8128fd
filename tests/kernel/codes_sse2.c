// SPDX-License-Identifier: MIT
/*
 * What codes.c checks, by SSE2 and on one processor.
 *
 * machines: uml uml-debug
 * module-args: simd=sse2 search_cpus=1
 */
#define MOST_ROWS 3000
#include "codes.c"
