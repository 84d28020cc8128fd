/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_BLOCK_H
#define VSS_BLOCK_H

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "distance/distance.h"
#include "store.h"

/*
 * A store's blocks from within: for the files that a store is made of, and for
 * no others. store.h says which lock protects what.
 */

struct vss_handle;
struct vss_payload;

/*
 * What one buddy allocation gives, so that the direct map's huge pages back a
 * block.
 */
#define VSS_BLOCK_BYTES SZ_2M

/* The slot of an id that is not stored, and of a row that is not there. */
#define VSS_NO_SLOT U32_MAX

/**
 * struct vss_block - a block's header
 * @room: link in the store's list of blocks with a free slot, or empty; once
 *        the block is out of the store, in a list of blocks to be freed
 * @handle: how the kernel finds the block when memory is scarce
 * @expiries: when each row's time is over, or NULL while none's ever is; set
 *            under the store's writers, its elements changed under both locks
 * @soonest: no row's time is over before it; changed under both locks
 * @index: its place among the store's blocks
 * @nr_live: rows in it; changed under both locks
 * @nr_used: slots that ever held a row, which are the first ones; likewise
 * @hint: no slot before it is free; changed under the store's writers
 * @rows: the rows; the other arrays follow, as struct vss_layout says
 */
struct vss_block {
	struct list_head room;
	struct vss_handle *handle;
	u64 *expiries;
	u64 soonest;
	u32 index;
	u32 nr_live;
	u32 nr_used;
	u32 hint;
	u32 rows[] __aligned(VSS_ALIGN);
};

/**
 * struct vss_link - a row's neighbours in the order in which rows were put
 * @older: slot of the row before it, or VSS_NO_SLOT
 * @newer: slot of the row after it, or VSS_NO_SLOT
 */
struct vss_link {
	u32 older;
	u32 newer;
};

static inline u32 *vss_block_row(const struct vss_store *store,
				 struct vss_block *block, u32 i)
{
	return block->rows + (size_t)i * store->layout.lanes;
}

static inline u64 *vss_block_id(const struct vss_store *store,
				struct vss_block *block, u32 i)
{
	return (u64 *)((u8 *)block + store->layout.ids) + i;
}

static inline u64 *vss_block_tags(const struct vss_store *store,
				  struct vss_block *block, u32 i)
{
	return (u64 *)((u8 *)block + store->layout.tags) + i;
}

static inline struct vss_payload **
vss_block_payload(const struct vss_store *store, struct vss_block *block, u32 i)
{
	return (struct vss_payload **)((u8 *)block + store->layout.payloads) + i;
}

static inline u32 *vss_block_norm(const struct vss_store *store,
				  struct vss_block *block, u32 i)
{
	return (u32 *)((u8 *)block + store->layout.norms) + i;
}

static inline struct vss_link *vss_block_link(const struct vss_store *store,
					      struct vss_block *block, u32 i)
{
	return (struct vss_link *)((u8 *)block + store->layout.links) + i;
}

static inline unsigned long *vss_block_live(const struct vss_store *store,
					    struct vss_block *block)
{
	return (unsigned long *)((u8 *)block + store->layout.live);
}

/* A bit a row: whether it was returned since the hand last passed it. */
static inline unsigned long *vss_block_used(const struct vss_store *store,
					    struct vss_block *block)
{
	return (unsigned long *)((u8 *)block + store->layout.used);
}

static inline struct vss_block *vss_block_of(struct vss_store *store, u32 slot)
{
	return xa_load(&store->blocks, slot / store->layout.rows_per_block);
}

static inline u64 vss_store_id(struct vss_store *store, u32 slot)
{
	return *vss_block_id(store, vss_block_of(store, slot),
			     slot % store->layout.rows_per_block);
}

/* Bytes of the array of expiries that a block may have besides. */
static inline size_t vss_expiries_bytes(const struct vss_store *store)
{
	return store->layout.rows_per_block * sizeof(u64);
}

/* store.c */
u32 vss_store_find(struct vss_store *store, u64 id);
u32 vss_store_find_path(struct vss_store *store, u64 id,
			struct vss_path *path);
int vss_store_widen(struct vss_store *store, u32 more, struct vss_spare *spare);
int vss_store_take_slot(struct vss_store *store, u32 *slot, u64 expiry,
			struct vss_spare *spare);
void vss_store_return_slot(struct vss_store *store, u32 slot);
void vss_store_expect_stripe(struct vss_store *store, struct vss_block *block,
			     u32 i);
void vss_store_write(struct vss_store *store, u32 slot, struct vss_batch *batch,
		     u32 n);
void vss_store_settle(struct vss_store *store);
u64 vss_store_bytes(const struct vss_store *store);
void vss_block_free(struct vss_store *store, struct vss_block *block);

/**
 * struct vss_gone - rows that were gone when a step began
 * @rows: how many, by enum vss_reason
 */
struct vss_gone {
	u64 rows[VSS_REASONS];
};

/* remove.c */
void vss_store_note(const struct vss_store *store, struct vss_gone *gone);
u32 vss_store_tell(const struct vss_store *store, const struct vss_gone *gone);
int vss_store_lock_all(struct vss_store *store);
void vss_store_unlock_all(struct vss_store *store);
void vss_store_remove(struct vss_store *store, u32 slot, enum vss_reason reason,
		      struct list_head *empty);
void vss_store_shrink(struct vss_store *store, struct vss_block *block,
		      struct list_head *empty);
void vss_free_blocks(struct vss_store *store, struct list_head *empty);
bool vss_store_trim(struct vss_store *store);

#endif /* VSS_BLOCK_H */
