/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_STORE_H
#define VSS_STORE_H

#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/xarray.h>

/*
 * A store keeps rows of one dimension.
 *
 * A row lives in a slot, and never moves while it lives. Slots are numbered
 * from 0; a block holds the rows of rows_per_block consecutive slots:
 *
 *   block:  | row | row | row | … | key | key | key | … |
 *
 * A row is its components, padded with zeros to a multiple of VSS_LANES. Its
 * key holds what else there is to know of it, and links it into the index by
 * which a row is found from its id.
 *
 * Two locks, taken in this order:
 *
 *   writers  A mutex, held while a row is prepared: looked up, given a slot,
 *            written and put into the index.
 *   lock     A rw_semaphore, held for reading while a section is scanned, and
 *            for writing for the moment in which a prepared row becomes
 *            visible.
 *
 * Blocks are allocated outside of both: that may take as long as the limits of
 * the caller's control group make it, which is nobody else's business. And with
 * one writer at a time before the rw_semaphore, writers cannot pass it among
 * themselves while a search waits.
 */

struct vss_block;

/**
 * struct vss_key - what is kept beside a row
 * @node: link in the store's index
 * @id: the row's id
 */
struct vss_key {
	struct rhash_head node;
	u64 id;
};

/**
 * struct vss_store - rows of one dimension
 * @dimension: components of a row; never changes
 * @lanes: components of a row with its padding; never changes
 * @rows_per_block: rows in a block; never changes
 * @writers: held by whoever adds a row
 * @blocks: block of slot s at index s / rows_per_block; changed under
 *          @writers. A reader finds a block without it, under RCU, and may use
 *          those of visible slots, which stay.
 * @nr_blocks: blocks in use; changed under @writers, read by anybody
 * @index: the keys of all rows by id; changed under @writers
 * @lock: see above
 * @nr_slots: slots in use, whose rows are visible; changed under both locks, so
 *            that either is enough to read it
 * @adds: rows ever added; likewise
 */
struct vss_store {
	u32 dimension;
	u32 lanes;
	u32 rows_per_block;

	struct mutex writers; /* outside lock */
	struct xarray blocks;
	u32 nr_blocks;
	struct rhashtable index;

	struct rw_semaphore lock;
	u32 nr_slots;
	u64 adds;
};

/**
 * struct vss_section - rows to be scanned in one go
 * @rows: components of the first row, others following
 * @keys: key of the first row, others following
 * @count: number of rows
 */
struct vss_section {
	const u32 *rows;
	const struct vss_key *keys;
	u32 count;
};

/* Rows scanned in one go: tens of KiB, which take some microseconds. */
#define VSS_SECTION_BYTES 65536
#define VSS_SECTION_ROWS 512

/**
 * struct vss_store_stats - a store's counters
 * @count: rows stored
 * @adds: rows ever added; of the same moment as @count
 * @bytes: memory of the blocks and the index; a block counts from shortly
 *         before its first row is visible
 */
struct vss_store_stats {
	u64 count;
	u64 adds;
	u64 bytes;
};

int vss_store_init(struct vss_store *store, u32 dimension);
void vss_store_destroy(struct vss_store *store);
struct vss_block *vss_block_alloc(void);
void vss_block_free(struct vss_block *block);
int vss_store_try_insert(struct vss_store *store, u64 id, const u32 *vector,
			 struct vss_block **spare);
int vss_store_insert(struct vss_store *store, u64 id, const u32 *vector);
bool vss_store_section(struct vss_store *store, u32 slot,
		       struct vss_section *section);
void vss_store_stats(struct vss_store *store, struct vss_store_stats *stats);
u32 vss_store_capacity(void);

/* Components of a vector once padded. */
u32 vss_store_lanes(u32 dimension);

#endif /* VSS_STORE_H */
