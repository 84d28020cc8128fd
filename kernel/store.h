/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_STORE_H
#define VSS_STORE_H

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/vss.h>
#include <linux/workqueue.h>
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
 *           | links | live | used |
 *
 * A row is its components, padded with zeros to a multiple of VSS_LANES. Its
 * codes, which a store may do without, lie in the stripes of all planes: see
 * distance/distance.h. A reader looks at all rows of a stripe at once, those
 * included that are only being prepared: what it makes of them is nobody's, as
 * every row has words of its own. A row's bit in live says that it is there: a
 * slot whose bit is 0 is free, or about to be taken. Links and used say which
 * row is the next to make room: see order.h. When each row's time is over is
 * kept in an array that only blocks with such rows have: see expiry.h.
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
 * Blocks, and tables for the index, are allocated outside of both: that may take
 * as long as the limits of the caller's control group make it, which is nobody
 * else's business. And with one writer at a time before the rw_semaphore, writers
 * cannot pass it among themselves while a search waits.
 *
 * The kernel asks for memory back while anybody allocates, whatever locks they
 * hold; so shrink.c only tries both locks, and allocates nothing.
 */

/**
 * enum vss_reason - why a row is gone
 * @VSS_DELETED: somebody said so
 * @VSS_EVICTED: it made room for another, or for a lower limit
 * @VSS_PRESSED: its memory was wanted by others
 * @VSS_EXPIRED: its time was over
 */
enum vss_reason {
	VSS_DELETED,
	VSS_EVICTED,
	VSS_PRESSED,
	VSS_EXPIRED,
	VSS_REASONS
};

/* When a row is over that is kept for ever. */
#define VSS_NEVER U64_MAX

struct vss_batch;
struct vss_block;
struct vss_hit;
struct vss_payload;

/**
 * struct vss_spare - memory for a store to take, which is allocated while it is
 * not locked
 * @block: a block, or NULL; taken ones are set to NULL
 * @cells: a table for the index, or NULL; likewise
 * @size: its size, in cells
 * @expiries: an array of a block's expiries, or NULL; likewise
 * @wants_block: whether a block was wanted
 * @wants_cells: the size of the table that was wanted, 0 for none
 * @wants_expiries: the size of the array that was wanted, in bytes, 0 for none
 * @exhausted: whether what was wanted could not be had: rows make room instead,
 *             where the store evicts
 */
struct vss_spare {
	struct vss_block *block;
	u64 *cells;
	u32 size;
	u64 *expiries;
	bool wants_block;
	u32 wants_cells;
	u32 wants_expiries;
	bool exhausted;
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
 * @links: of the rows' neighbours in order, struct vss_link
 * @live: of the bitmap of rows that are there
 * @used: of the bitmap of rows that were returned lately
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
	u32 links;
	u32 live;
	u32 used;
};

/**
 * struct vss_order - which row is the next to make room
 * @oldest: slot of the row that was put first, or VSS_NO_SLOT
 * @newest: slot of the row that was put last, or VSS_NO_SLOT
 * @hand: the slot that the clock's hand has come to
 */
struct vss_order {
	u32 oldest;
	u32 newest;
	u32 hand;
};

/**
 * struct vss_store - rows of one dimension
 * @dimension: components of a row; never changes
 * @has_norms: whether rows come with norms; never changes
 * @layout: never changes
 * @capacity: rows that it may hold, 0 for as many as any store may; this and the
 *            next three are changed under @writers and read by anybody
 * @eviction: one of enum vss_eviction
 * @max_bytes: what it may take of memory, 0 for no limit of its own
 * @ttl: for how long rows are kept, in nanoseconds, 0 for ever
 * @pins: those who try @writers without a reference on the collection; the last
 *        thing that they touch
 * @writers: see above
 * @blocks: block of slot s at index s / rows_per_block; grows under @writers,
 *          shrinks under both locks. A reader finds a block under RCU.
 * @nr_blocks: blocks in use; changed under @writers, read by anybody
 * @room: the blocks that have a free slot; changed under @writers
 * @order: which row is the next to make room; this and the next are used under
 *         @writers alone
 * @pending: bytes of payloads that are prepared, but not counted yet
 * @expiries_bytes: memory of the blocks' arrays of expiries; changed under
 *                  @writers
 * @soonest: no row's time is over before it; changed under @writers, read by
 *           anybody
 * @upcoming: the same for the rows that were looked at in this turn; used under
 *            @writers
 * @sweep: index of the block that is looked at next in this turn; likewise
 * @due: when the @reaper looks; likewise
 * @rested: when whoever meets rows that are over may wake the @reaper, in jiffies;
 *          changed by compare-and-exchange, and by the reaper
 * @reaper: removes rows whose time is over
 * @lock: see above
 * @index: the slots of all rows by their ids; this and all below is changed
 *         under both locks, so that either is enough to read it
 * @count: rows stored
 * @payload_bytes: memory of the payloads
 * @inserts: rows ever put that were new
 * @updates: rows ever put that replaced one
 * @gone: rows that ever went, by enum vss_reason
 */
struct vss_store {
	u32 dimension;
	bool has_norms;
	struct vss_layout layout;
	u32 capacity;
	u32 eviction;
	u64 max_bytes;
	u64 ttl;
	atomic_t pins;

	struct mutex writers; /* outside lock */
	struct xarray blocks;
	u32 nr_blocks;
	struct list_head room;
	struct vss_order order;
	u64 pending;
	u64 expiries_bytes;
	u64 soonest;
	u64 upcoming;
	unsigned long sweep;
	u64 due;
	unsigned long rested;
	struct delayed_work reaper;

	struct rw_semaphore lock;
	struct vss_index index;
	u64 count;
	u64 payload_bytes;
	u64 inserts;
	u64 updates;
	u64 gone[VSS_REASONS];
};

/**
 * struct vss_limits - how a store behaves, as VSS_OPEN and VSS_CONFIGURE have it
 * @capacity: as in struct vss_store
 * @eviction: likewise
 * @max_bytes: likewise
 * @ttl: likewise
 */
struct vss_limits {
	u32 capacity;
	u32 eviction;
	u64 max_bytes;
	u64 ttl;
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
#define VSS_SECTION_BYTES (512 << 10)
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
 * @over: how many are still to be removed, as their time is over
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
	u32 over;
	u32 matching;
	DECLARE_BITMAP(matches, VSS_SECTION_ROWS);
};

/**
 * struct vss_store_stats - a store's counters, as in struct vss_store
 * @count: rows stored, but for those whose time is over
 * @bytes: memory of the blocks, the index and the payloads
 * @payload_bytes: memory of the payloads
 * @inserts: rows ever put that were new
 * @updates: rows ever put that replaced one
 * @gone: rows that ever went, by enum vss_reason; those whose time is over
 *        included that are still to be removed
 */
struct vss_store_stats {
	u64 count;
	u64 bytes;
	u64 payload_bytes;
	u64 inserts;
	u64 updates;
	u64 gone[VSS_REASONS];
};

void vss_store_init(struct vss_store *store, u32 dimension, bool has_norms,
		    bool has_codes);
void vss_store_destroy(struct vss_store *store);
bool vss_spare_fill(struct vss_spare *spare);
void vss_spare_free(struct vss_spare *spare);

/* put.c */
int vss_store_try_put(struct vss_store *store, struct vss_batch *batch,
		      bool upsert, struct vss_spare *spare);
int vss_store_put(struct vss_store *store, struct vss_batch *batch,
		  bool upsert);

/* remove.c */
const char *vss_reason_name(enum vss_reason reason);
int vss_store_delete(struct vss_store *store, const u64 *ids, u32 count,
		     u32 *deleted);
int vss_store_delete_matching(struct vss_store *store,
			      const struct vss_filter *filter, u32 *deleted);

/* evict.c */
void vss_store_limit(struct vss_store *store, u32 flags,
		     const struct vss_limits *limits);
int vss_store_configure(struct vss_store *store, u32 flags,
			const struct vss_limits *limits);
bool vss_store_give_way(struct vss_store *store, struct vss_batch *batch,
			u64 bytes, int error);
void vss_store_touch(struct vss_store *store, const struct vss_hit *hits,
		     u32 count);

/* expiry.c */
void vss_expiry_meet(struct vss_store *store);

/* store.c */
bool vss_store_section(struct vss_store *store, u64 slot, u32 room,
		       const struct vss_filter *filter,
		       struct vss_section *section);
int vss_store_get(struct vss_store *store, struct vss_batch *batch);
u32 vss_store_unique(struct vss_store *store, struct vss_hit *hits, u32 count);
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

/*
 * Takes the lock for reading, for a section or a batch. Reclaim does not wait for
 * readers; so they let it pass. Returns 0, or -EINTR when the caller was killed.
 */
static inline int vss_store_lock_reading(struct vss_store *store)
{
	if (atomic_read(&store->pins)) {
		if (mutex_lock_killable(&store->writers))
			return -EINTR;
		mutex_unlock(&store->writers);
	}
	return down_read_killable(&store->lock);
}

/* Rows that ever came to it; changes at any time. */
static inline u64 vss_store_inserts(const struct vss_store *store)
{
	return READ_ONCE(store->inserts);
}

/* Counts a row that is gone; both locks are held, but some look without. */
static inline void vss_store_lost(struct vss_store *store,
				  enum vss_reason reason)
{
	WRITE_ONCE(store->gone[reason], store->gone[reason] + 1);
}

/* Rows that it has ever lost because memory was scarce; changes at any time. */
static inline u64 vss_store_pressed(const struct vss_store *store)
{
	return READ_ONCE(store->gone[VSS_PRESSED]);
}

/* Whether rows of it go where room or memory is wanted. */
static inline bool vss_store_evicts(const struct vss_store *store)
{
	return READ_ONCE(store->eviction) != VSS_EVICTION_NONE;
}

static inline bool vss_store_has_codes(const struct vss_store *store)
{
	return store->layout.words;
}

#endif /* VSS_STORE_H */
