// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact top-k: a scan of all rows, section by section, over a heap of the k
 * nearest ones so far.
 *
 * Between two sections the search holds no lock, may be rescheduled and may be
 * killed. Rows never move, so a row that lives throughout the search is seen
 * exactly once.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "budget.h"
#include "distance/distance.h"
#include "search.h"
#include "store.h"

/**
 * vss_search_create() - prepare a search
 * @query: the query's components as their bits
 * @dimension: number of components, bounded by the caller
 * @k: hits wanted, at least 1, bounded by the caller
 *
 * Return: the search, for vss_search_free(), or NULL when memory is lacking.
 */
struct vss_search *vss_search_create(const u32 *query, u32 dimension, u32 k)
{
	size_t vector_bytes = vss_store_lanes(dimension) * sizeof(u32);
	size_t section_bytes = VSS_SECTION_ROWS * sizeof(u32);
	struct vss_search *search;
	size_t bytes;

	bytes = size_add(struct_size(search, hits, k),
			 VSS_ALIGN + vector_bytes + section_bytes);
	search = kvzalloc(bytes, VSS_GFP);
	if (!search)
		return NULL;
	search->k = k;
	search->query = PTR_ALIGN((u32 *)&search->hits[k], VSS_ALIGN);
	search->distances = search->query + vss_store_lanes(dimension);
	memcpy(search->query, query, dimension * sizeof(u32));
	return search;
}

/**
 * vss_search_free() - end a search
 * @search: the search
 */
void vss_search_free(struct vss_search *search)
{
	kvfree(search);
}

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

static void vss_search_offer(struct vss_search *search,
			     const struct vss_hit *hit)
{
	if (search->count < search->k)
		vss_heap_up(search->hits, search->count++, hit);
	else if (vss_hit_before(hit, &search->hits[0]))
		vss_heap_down(search->hits, search->count, hit);
}

static void vss_search_section(struct vss_search *search, u32 lanes,
			       const struct vss_section *section)
{
	u32 i;

	vss_distance_l2sq(search->query, section->rows, section->count, lanes,
			  search->distances);
	for (i = 0; i < section->count; i++) {
		struct vss_hit hit = { .distance = search->distances[i] };
		u32 worst = search->count < search->k ?
			    U32_MAX : search->hits[0].distance;

		/* Nearly every row ends here, without a look at its key. */
		if (hit.distance > worst)
			continue;
		hit.id = section->keys[i].id;
		vss_search_offer(search, &hit);
	}
}

/**
 * vss_search_run() - find the nearest rows
 * @search: made for the store's dimension
 * @store: where; not locked by the caller
 *
 * Return: 0 with the sorted hits in @search, or -EINTR when the caller was
 * killed.
 */
int vss_search_run(struct vss_search *search, struct vss_store *store)
{
	struct vss_section section = { };
	u32 slot;

	for (slot = 0;; slot += section.count) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (down_read_killable(&store->lock))
			return -EINTR;
		if (!vss_store_section(store, slot, &section)) {
			up_read(&store->lock);
			break;
		}
		vss_search_section(search, store->lanes, &section);
		up_read(&store->lock);
		cond_resched();
	}
	sort(search->hits, search->count, sizeof(*search->hits),
	     vss_hit_compare, NULL);
	return 0;
}
