/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_STORE_H
#define VSS_STORE_H

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "distance/distance.h"
#include "index.h"

/*
 * A store keeps rows of one dimension.
 *
 * A row lives in a slot, and never moves while it lives. Slots are numbered
 * from 0; a block holds rows_per_block consecutive slots, as arrays side by
 * side:
 *
 *   block:  | header | rows | codes | codes | norms | ids | tags | payloads |
 *           | live |
 *
 * A row is its components, padded with zeros to a multiple of VSS_LANES. Its
 * codes, which a store may do without, lie in the stripes of all planes: see
 * distance/distance.h. A reader looks at all rows of a stripe at once, those
 * included that are only being prepared: what it makes of them is nobody's, as
 * every row has words of its own. A row's bit in live says that it is there: a
 * slot whose bit is 0 is free, or about to be taken.
 *
 * Two locks, taken in this order:
 *
 *   writers  A mutex, held by whoever changes the store. New rows are prepared
 *            under it alone: looked up, given a slot and written.
 *   lock     A rw_semaphore, held for reading while a section is looked at, and
 *            for writing for the moments in which prepared rows become visible
 *            and are put into the index, and rows are overwritten or deleted.
 *            Blocks are freed after it was held for writing, so whoever holds it
 *            can look at those it finds.
 *
 * Blocks, and tables for the index, are allocated outside of both: that may take as long as the limits of
 * the caller's control group make it, which is nobody else's business. And with
 * one writer at a time before the rw_semaphore, writers cannot pass it among
 * themselves while a search waits.
 */

struct vss_batch;
struct vss_block;
struct vss_payload;

/**
 * struct vss_spare - memory for a store to take, which is allocated while it is
 * not locked
 * @block: a block, or NULL; taken ones are set to NULL
 * @cells: a table for the index, or NULL; likewise
 * @size: its size, in cells
 * @wants_block: whether a block was wanted
 * @wants_cells: the size of the table that was wanted, 0 for none
 */
struct vss_spare {
	struct vss_block *block;
	u64 *cells;
	u32 size;
	bool wants_block;
	u32 wants_cells;
};

/**
 * struct vss_layout - where a block's arrays lie
 * @lanes: components of a row with its padding
 * @words: words of a row's code in each plane; 0 where there are no codes
 * @rows_per_block: rows in a block
 * @section_rows: rows that a search looks at in one go, a multiple of VSS_STRIPE
 * @search_bytes: what it reads of each at least, in bytes
 * @codes: offsets of the stripes of each plane in a block, in bytes
 * @norms: offset of the norms, u32
 * @ids: of the ids, u64
 * @tags: of the tags, u64
 * @payloads: of the pointers to payloads, NULL for none
 * @live: of the bitmap
 */
struct vss_layout {
	u32 lanes;
	u32 words;
	u32 rows_per_block;
	u32 section_rows;
	u32 search_bytes;
	u32 codes[VSS_PLANES];
	u32 norms;
	u32 ids;
	u32 tags;
	u32 payloads;
	u32 live;
};

/**
 * struct vss_store - rows of one dimension
 * @dimension: components of a row; never changes
 * @has_norms: whether rows come with norms; never changes
 * @layout: never changes
 * @capacity: rows that it may hold, 0 for as many as any store may; changed and
 *            read by anybody
 * @writers: see above
 * @blocks: block of slot s at index s / rows_per_block; grows under @writers,
 *          shrinks under both locks. A reader finds a block under RCU.
 * @nr_blocks: blocks in use; changed under @writers, read by anybody
 * @room: the blocks that have a free slot; changed under @writers
 * @lock: see above
 * @index: the slots of all rows by their ids; this and all below is changed
 *         under both locks, so that either is enough to read it
 * @count: rows stored
 * @payload_bytes: memory of the payloads
 * @inserts: rows ever put that were new
 * @updates: rows ever put that replaced one
 * @deletes: rows ever deleted
 */
struct vss_store {
	u32 dimension;
	bool has_norms;
	struct vss_layout layout;
	u32 capacity;

	struct mutex writers; /* outside lock */
	struct xarray blocks;
	u32 nr_blocks;
	struct list_head room;

	struct rw_semaphore lock;
	struct vss_index index;
	u64 count;
	u64 payload_bytes;
	u64 inserts;
	u64 updates;
	u64 deletes;
};

/**
 * struct vss_filter - which rows are wanted
 * @mask: the tags that are looked at
 * @value: what they must be
 *
 * All zeros want every row.
 */
struct vss_filter {
	u64 mask;
	u64 value;
};

/* What a search looks at under one lock: first planes of codes, or rows. */
#define VSS_SECTION_CODES (128 << 10)
#define VSS_SECTION_BYTES (256 << 10)
#define VSS_SECTION_ROWS 4096

/**
 * struct vss_section - rows to be looked at in one go
 * @slot: slot of the first row
 * @count: number of rows
 * @rows: components of the first row, others following
 * @planes: the stripes of each plane, if there are codes and the first row
 *          begins one; otherwise NULL
 * @norms: norm of the first row, others following
 * @ids: id of the first row, others following
 * @live: how many rows are there
 * @matching: how many of those match the filter
 * @matches: a bit for each slot: whether it holds such a row
 */
struct vss_section {
	u32 slot;
	u32 count;
	const u32 *rows;
	const u32 *planes[VSS_PLANES];
	const u32 *norms;
	const u64 *ids;
	u32 live;
	u32 matching;
	DECLARE_BITMAP(matches, VSS_SECTION_ROWS);
};

/**
 * struct vss_store_stats - a store's counters, as in struct vss_store
 * @count: rows stored
 * @bytes: memory of the blocks, the index and the payloads
 * @payload_bytes: memory of the payloads
 * @inserts: rows ever put that were new
 * @updates: rows ever put that replaced one
 * @deletes: rows ever deleted
 */
struct vss_store_stats {
	u64 count;
	u64 bytes;
	u64 payload_bytes;
	u64 inserts;
	u64 updates;
	u64 deletes;
};

void vss_store_init(struct vss_store *store, u32 dimension, bool has_norms,
		    bool has_codes);
void vss_store_destroy(struct vss_store *store);
bool vss_spare_fill(struct vss_spare *spare);
void vss_spare_free(struct vss_spare *spare);

int vss_store_try_put(struct vss_store *store, struct vss_batch *batch,
		      bool upsert, struct vss_spare *spare);
int vss_store_put(struct vss_store *store, struct vss_batch *batch,
		  bool upsert);
int vss_store_delete(struct vss_store *store, const u64 *ids, u32 count,
		     u32 *deleted);
int vss_store_delete_matching(struct vss_store *store,
			      const struct vss_filter *filter, u32 *deleted);

bool vss_store_section(struct vss_store *store, u64 slot, u32 room,
		       const struct vss_filter *filter,
		       struct vss_section *section);
int vss_store_get(struct vss_store *store, struct vss_batch *batch);
int vss_store_scan(struct vss_store *store, const struct vss_filter *filter,
		   struct vss_batch *batch, u64 *cursor);

void vss_store_stats(struct vss_store *store, struct vss_store_stats *stats);
u32 vss_store_capacity(const struct vss_store *store);

/* Rows that any store may hold. */
u32 vss_max_vectors(void);

/* Components of a vector once padded. */
static inline u32 vss_store_lanes(u32 dimension)
{
	return ALIGN(dimension, VSS_LANES);
}

static inline bool vss_store_has_codes(const struct vss_store *store)
{
	return store->layout.words;
}

#endif /* VSS_STORE_H */
