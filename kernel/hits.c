// SPDX-License-Identifier: GPL-2.0-only
/*
 * The k nearest rows that a search has seen so far.
 */
#include <linux/sort.h>

#include "hits.h"

static bool vss_hit_before(const struct vss_hit *a, const struct vss_hit *b)
{
	return a->distance != b->distance ? a->distance < b->distance :
					    a->id < b->id;
}

static int vss_hit_compare(const void *a, const void *b)
{
	return vss_hit_before(a, b) ? -1 : vss_hit_before(b, a);
}

/* Puts @hit into the heap's empty place @i or above it. */
static void vss_heap_up(struct vss_hit *heap, u32 i, const struct vss_hit *hit)
{
	while (i) {
		u32 parent = (i - 1) / 2;

		if (!vss_hit_before(&heap[parent], hit))
			break;
		heap[i] = heap[parent];
		i = parent;
	}
	heap[i] = *hit;
}

/* Puts @hit into the place of the heap's root or below it. */
static void vss_heap_down(struct vss_hit *heap, u32 count,
			  const struct vss_hit *hit)
{
	u32 i = 0, child;

	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
		    vss_hit_before(&heap[child], &heap[child + 1]))
			child++;
		if (!vss_hit_before(hit, &heap[child]))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = *hit;
}

/**
 * vss_hits_offer() - keep a row if it is one of the nearest
 * @hits: the nearest so far
 * @hit: the row
 */
void vss_hits_offer(struct vss_hits *hits, const struct vss_hit *hit)
{
	if (hits->count < hits->room)
		vss_heap_up(hits->heap, hits->count++, hit);
	else if (vss_hit_before(hit, &hits->heap[0]))
		vss_heap_down(hits->heap, hits->count, hit);
}

static int vss_hit_compare_ids(const void *a, const void *b)
{
	const struct vss_hit *left = a, *right = b;

	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return vss_hit_compare(a, b);
}

/**
 * vss_hits_sort_ids() - put what has the same id side by side, the nearer first
 * @hits: no heap any more afterwards
 */
void vss_hits_sort_ids(struct vss_hits *hits)
{
	sort(hits->heap, hits->count, sizeof(*hits->heap), vss_hit_compare_ids,
	     NULL);
}

/**
 * vss_hits_sort() - end, with the nearest one first
 * @hits: no heap any more afterwards
 */
void vss_hits_sort(struct vss_hits *hits)
{
	sort(hits->heap, hits->count, sizeof(*hits->heap), vss_hit_compare,
	     NULL);
}
