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
#include <linux/bitmap.h>
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
#include "float.h"
#include "search.h"
#include "store.h"

/* The order of floats, none of which is -0 or no number, as that of integers. */
static u32 vss_order(u32 bits)
{
	return bits & VSS_F32_SIGN ? ~bits : bits | VSS_F32_SIGN;
}

static u32 vss_disorder(u32 order)
{
	return order & VSS_F32_SIGN ? order ^ VSS_F32_SIGN : ~order;
}

/**
 * vss_query_create() - prepare queries
 * @metric: one of enum vss_metric
 * @dimension: components of a query, bounded by the caller
 * @k: hits wanted, at least 1, bounded by the caller
 *
 * Return: the query, which wants all rows at any distance, for
 * vss_query_free(), or NULL when memory is lacking.
 */
struct vss_query *vss_query_create(u32 metric, u32 dimension, u32 k)
{
	size_t vector_bytes = vss_store_lanes(dimension) * sizeof(u32);
	size_t section_bytes = VSS_SECTION_ROWS * sizeof(u32);
	struct vss_query *query;
	size_t bytes;

	bytes = size_add(struct_size(query, hits, k),
			 VSS_ALIGN + vector_bytes + section_bytes);
	query = kvzalloc(bytes, VSS_GFP);
	if (!query)
		return NULL;
	query->metric = metric;
	query->dimension = dimension;
	query->k = k;
	query->limit = U32_MAX;
	query->max_id = U64_MAX;
	query->vector = PTR_ALIGN((u32 *)&query->hits[k], VSS_ALIGN);
	query->distances = query->vector + vss_store_lanes(dimension);
	return query;
}

/**
 * vss_query_free() - end queries
 * @query: the query, or NULL
 */
void vss_query_free(struct vss_query *query)
{
	kvfree(query);
}

/**
 * vss_query_limit() - want no hit that is farther
 * @query: the query
 * @distance: the greatest distance of a hit; a number
 */
void vss_query_limit(struct vss_query *query, u32 distance)
{
	/* -0 is 0. */
	query->limit = vss_order(distance == VSS_F32_SIGN ? 0 : distance);
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

static void vss_search_offer(struct vss_query *query, const struct vss_hit *hit)
{
	if (query->count < query->k)
		vss_heap_up(query->hits, query->count++, hit);
	else if (vss_hit_before(hit, &query->hits[0]))
		vss_heap_down(query->hits, query->count, hit);
}

/* Computes the rows from a section's first to its last that matches. */
static void vss_search_section(struct vss_query *query,
			       const struct vss_store *store,
			       const struct vss_section *section)
{
	u32 first = find_first_bit(section->matches, section->count);
	u32 last = find_last_bit(section->matches, section->count);
	u32 i, lanes = store->layout.lanes;

	vss_distance_rows(query->metric, query->vector,
			  section->rows + (size_t)first * lanes,
			  section->norms + first, last + 1 - first, lanes,
			  query->distances + first);
	/* Of those between that do not match, the distances are not asked for. */
	query->computed += section->matching;
	for (i = first; i <= last; i++) {
		struct vss_hit hit = {
			.distance = vss_order(query->distances[i]),
		};
		u32 worst = query->count < query->k ?
			    query->limit : query->hits[0].distance;

		/* Nearly every row ends here, without a look at the rest. */
		if (hit.distance > worst)
			continue;
		if (!test_bit(i, section->matches))
			continue;
		hit.id = section->keys[i].id;
		if (hit.id <= query->max_id)
			vss_search_offer(query, &hit);
	}
}

static void vss_search_finish(struct vss_query *query)
{
	u32 i;

	sort(query->hits, query->count, sizeof(*query->hits),
	     vss_hit_compare, NULL);
	for (i = 0; i < query->count; i++)
		query->hits[i].distance = vss_disorder(query->hits[i].distance);
}

/**
 * vss_search_run() - find the nearest rows
 * @query: made for the store's dimension, its vector set
 * @store: where; not locked by the caller
 *
 * Return: 0 with the sorted hits in @query, or -EINTR when the caller was
 * killed.
 */
int vss_search_run(struct vss_query *query, struct vss_store *store)
{
	struct vss_section section;
	bool more = true;
	u64 slot = 0;

	query->count = 0;
	while (more) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (down_read_killable(&store->lock))
			return -EINTR;
		more = vss_store_section(store, slot, &query->filter, &section);
		if (more && section.matching)
			vss_search_section(query, store, &section);
		up_read(&store->lock);
		if (more) {
			query->scanned += section.live;
			slot = (u64)section.slot + section.count;
		}
		cond_resched();
	}
	vss_search_finish(query);
	return 0;
}
