/* SPDX-License-Identifier: MIT */
/*
 * Numbers drawn from a seed, by each thread for itself.
 */
#ifndef DRAW_H
#define DRAW_H

#include <stdbool.h>
#include <stdint.h>

/* xorshift64*, by Marsaglia and Vigna; never 0. */
static __thread uint64_t draw_state;

/* Begins anew: near seeds give streams that have nothing in common. */
__attribute__((unused))
static void draw_seed(uint64_t seed)
{
	draw_state = (seed * 0x9e3779b97f4a7c15ULL) | 1;
}

__attribute__((unused))
static uint64_t draw(void)
{
	draw_state ^= draw_state >> 12;
	draw_state ^= draw_state << 25;
	draw_state ^= draw_state >> 27;
	return draw_state * 0x2545f4914f6cdd1dULL;
}

__attribute__((unused))
static uint64_t below(uint64_t limit)
{
	return (draw() >> 16) % limit;
}

__attribute__((unused))
static bool one_in(uint64_t many)
{
	return !below(many);
}

#endif /* DRAW_H */
