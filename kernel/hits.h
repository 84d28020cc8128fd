/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_HITS_H
#define VSS_HITS_H

#include <linux/limits.h>
#include <linux/types.h>

#include "float.h"

/**
 * struct vss_hit - a row that a search found
 * @id: the row's id
 * @distance: its distance, mapped to an integer that orders as it does
 * @slot: where it was
 */
struct vss_hit {
	u64 id;
	u32 distance;
	u32 slot;
};

/**
 * struct vss_hits - the nearest rows so far
 * @room: how many are wanted
 * @count: how many there are
 * @heap: a max-heap on (distance, id)
 *
 * Belongs to one thread, and needs no lock.
 */
struct vss_hits {
	u32 room;
	u32 count;
	struct vss_hit *heap;
};

/* Maps the bits of a float, neither -0 nor no number, to what orders as it does. */
static inline u32 vss_order(u32 bits)
{
	return bits & VSS_F32_SIGN ? ~bits : bits | VSS_F32_SIGN;
}

/* Undoes vss_order(). */
static inline u32 vss_disorder(u32 order)
{
	return order & VSS_F32_SIGN ? order ^ VSS_F32_SIGN : ~order;
}

/* The distance from which on a row is too far; its id may decide. */
static inline u32 vss_hits_limit(const struct vss_hits *hits)
{
	return hits->count < hits->room ? U32_MAX : hits->heap[0].distance;
}

void vss_hits_offer(struct vss_hits *hits, const struct vss_hit *hit);
void vss_hits_sort(struct vss_hits *hits);
void vss_hits_sort_ids(struct vss_hits *hits);

#endif /* VSS_HITS_H */
