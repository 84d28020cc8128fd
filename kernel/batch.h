/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_BATCH_H
#define VSS_BATCH_H

#include <linux/bitmap.h>
#include <linux/types.h>

struct vss_payload;

/*
 * How many rows travel at once: few enough that their copy stays in the
 * processor's cache, and that a lock is held for tens of microseconds.
 */
#define VSS_BATCH_BYTES 65536
#define VSS_BATCH_ROWS 128

/**
 * struct vss_batch - rows on their way between user memory and a store
 * @room: rows that the arrays have room for
 * @dimension: components of a vector
 * @count: rows in it
 * @done: of those, rows that a put has made visible
 * @inserted: of those, new ones
 * @prepared: rows that a put has given a slot; its own
 * @marked: a bit a row: for a get, the row is stored; for a put, it is new
 * @ids: ids
 * @tags: tags
 * @payloads: payloads, each a reference or NULL
 * @slots: slots of the rows in the store
 * @norms: norms, where the metric wants them
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
	u32 prepared;
	DECLARE_BITMAP(marked, VSS_BATCH_ROWS);
	u64 *ids;
	u64 *tags;
	struct vss_payload **payloads;
	u32 *slots;
	u32 *norms;
	u32 *vectors;
};

struct vss_batch *vss_batch_create(u32 dimension, u32 rows);
void vss_batch_reset(struct vss_batch *batch);
void vss_batch_free(struct vss_batch *batch);

static inline u32 *vss_batch_vector(const struct vss_batch *batch, u32 i)
{
	return batch->vectors + (size_t)i * batch->dimension;
}

#endif /* VSS_BATCH_H */
