/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_BATCH_H
#define VSS_BATCH_H

#include <linux/bitmap.h>
#include <linux/types.h>

#include "distance/distance.h"

struct vss_payload;

/*
 * How many rows travel at once: few enough that their copy stays in the
 * processor's cache, and that a lock is held for tens of microseconds.
 */
#define VSS_BATCH_BYTES 65536
#define VSS_BATCH_ROWS 128

/* Blocks that one call takes from others for memory that it cannot get. */
#define VSS_BATCH_PATIENCE 4

/**
 * struct vss_batch - rows on their way between user memory and a store
 * @room: rows that the arrays have room for
 * @dimension: components of a vector
 * @count: rows in it
 * @done: of those, rows that a put has made visible
 * @inserted: of those, new ones
 * @evicted: rows that made room for those, or for their payloads
 * @patience: how many blocks more may make room for want of memory
 * @prepared: rows that a put has given a slot; this and the next two are its
 *            own
 * @fresh: of those that are not done, rows in slots where there was none
 * @now: the time, or 0 where it does not matter
 * @met: places of rows, plus 1, by their ids: see vss_batch_meet()
 * @marked: a bit a row: for a get, the row is stored; for a put, it is new
 * @displaces: likewise: for a put, it takes the place of another
 * @has_ttls: whether rows come with lifetimes of their own
 * @ids: ids
 * @tags: tags
 * @ttls: lifetimes, as in struct vss_put
 * @expiries: when the rows are over; a put's own
 * @payloads: payloads, each a reference or NULL
 * @slots: slots of the rows in the store
 * @norms: norms, where the metric wants them
 * @words: words of a row's code in each plane; 0 where there is no room for codes
 * @codes: the words of each row, plane after plane
 * @scratch: for vss_distance_encode() to work with, aligned to VSS_ALIGN
 * @vectors: components, without padding
 *
 * Belongs to one thread, and needs no lock. One allocation holds it all.
 */
struct vss_batch {
	u32 room;
	u32 dimension;
	u32 count;
	u32 done;
	u32 inserted;
	u32 evicted;
	u32 patience;
	u32 prepared;
	u32 fresh;
	u64 now;
	u8 met[2 * VSS_BATCH_ROWS];
	DECLARE_BITMAP(marked, VSS_BATCH_ROWS);
	DECLARE_BITMAP(displaces, VSS_BATCH_ROWS);
	bool has_ttls;
	u64 *ids;
	u64 *tags;
	u64 *ttls;
	u64 *expiries;
	struct vss_payload **payloads;
	u32 *slots;
	u32 *norms;
	u32 words;
	u32 *codes;
	u32 *scratch;
	u32 *vectors;
};

struct vss_batch *vss_batch_create(u32 dimension, u32 rows, bool coded);
void vss_batch_reset(struct vss_batch *batch);
void vss_batch_free(struct vss_batch *batch);
void vss_batch_forget(struct vss_batch *batch);
bool vss_batch_meet(struct vss_batch *batch, u32 i);
bool vss_batch_displaces(const struct vss_batch *batch, u32 slot);

static inline u32 *vss_batch_vector(const struct vss_batch *batch, u32 i)
{
	return batch->vectors + (size_t)i * batch->dimension;
}

static inline u32 *vss_batch_code(const struct vss_batch *batch, u32 i)
{
	return batch->codes + (size_t)i * VSS_PLANES * batch->words;
}

#endif /* VSS_BATCH_H */
