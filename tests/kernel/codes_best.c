// SPDX-License-Identifier: MIT
/*
 * What codes.c checks, by the best instruction set that there is, and on two
 * processors.
 *
 * machines: uml uml-debug
 * module-args: search_cpus=2
 */
#define MOST_ROWS 3000
#include "codes.c"
