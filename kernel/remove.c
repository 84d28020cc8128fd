// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows that go, whatever the reason: their payloads at once, and their block
 * with its last row.
 */
#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "batch.h"
#include "block.h"
#include "expiry.h"
#include "index.h"
#include "order.h"
#include "payload.h"
#include "shrink.h"
#include "store.h"
#include "trace.h"

/**
 * vss_reason_name() - how a reason is called in traces
 * @reason: the reason
 *
 * Return: a word.
 */
const char *vss_reason_name(enum vss_reason reason)
{
	static const char *const names[VSS_REASONS] = {
		[VSS_DELETED] = "deleted",
		[VSS_EVICTED] = "evicted",
		[VSS_PRESSED] = "pressure",
		[VSS_EXPIRED] = "expired",
	};

	return names[reason];
}

/**
 * vss_store_note() - begin a step in which rows may go
 * @store: its writers held
 * @gone: filled in with how many are gone by now, for vss_store_tell()
 */
void vss_store_note(const struct vss_store *store, struct vss_gone *gone)
{
	lockdep_assert_held(&store->writers);
	memcpy(gone->rows, store->gone, sizeof(gone->rows));
}

/**
 * vss_store_tell() - end a step, and trace which rows went, and why
 * @store: its writers held, as they were throughout
 * @gone: as vss_store_note() left it
 *
 * Rows that were deleted are told of by the command that did it.
 *
 * Return: rows that were evicted, which their callers are told.
 */
u32 vss_store_tell(const struct vss_store *store, const struct vss_gone *gone)
{
	enum vss_reason reason;

	lockdep_assert_held(&store->writers);
	for (reason = VSS_EVICTED; reason < VSS_REASONS; reason++) {
		u64 rows = store->gone[reason] - gone->rows[reason];

		if (rows)
			trace_vss_evict(store, rows, reason);
	}
	return store->gone[VSS_EVICTED] - gone->rows[VSS_EVICTED];
}

/**
 * vss_store_shrink() - take a block without rows out of the store
 * @store: both locks held
 * @block: the block
 * @empty: where it goes, for vss_free_blocks()
 */
void vss_store_shrink(struct vss_store *store, struct vss_block *block,
		      struct list_head *empty)
{
	lockdep_assert_held(&store->writers);
	lockdep_assert_held_write(&store->lock);
	vss_handle_unlist(block->handle);
	xa_erase(&store->blocks, block->index);
	list_move(&block->room, empty);
	WRITE_ONCE(store->nr_blocks, store->nr_blocks - 1);
	if (block->expiries)
		WRITE_ONCE(store->expiries_bytes, store->expiries_bytes -
			   vss_expiries_bytes(store));
}

/**
 * vss_free_blocks() - free blocks
 * @store: where they were
 * @empty: those that vss_store_shrink() took out; not to be used any more
 */
void vss_free_blocks(struct vss_store *store, struct list_head *empty)
{
	struct vss_block *block, *next;

	list_for_each_entry_safe(block, next, empty, room)
		vss_block_free(store, block);
}

/**
 * vss_store_remove() - remove a row
 * @store: both locks held
 * @slot: the row's
 * @reason: why
 * @empty: where its block goes, if it was the last one there
 */
void vss_store_remove(struct vss_store *store, u32 slot, enum vss_reason reason,
		      struct list_head *empty)
{
	struct vss_block *block = vss_block_of(store, slot);
	u32 i = slot % store->layout.rows_per_block;
	struct vss_payload *payload = *vss_block_payload(store, block, i);
	struct vss_path path;

	lockdep_assert_held(&store->writers);
	lockdep_assert_held_write(&store->lock);
	vss_store_find_path(store, *vss_block_id(store, block, i), &path);
	vss_index_remove(&store->index, &path);
	vss_order_remove(store, slot);
	__clear_bit(i, vss_block_live(store, block));
	store->payload_bytes -= vss_payload_charge(payload);
	vss_payload_put(payload);
	WRITE_ONCE(store->count, store->count - 1);
	vss_store_lost(store, reason);
	vss_store_return_slot(store, slot);
	if (!--block->nr_live)
		vss_store_shrink(store, block, empty);
}

/**
 * vss_store_lock_all() - take both locks, for a moment
 * @store: the store
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_store_lock_all(struct vss_store *store)
{
	int ret = mutex_lock_killable(&store->writers);

	if (!ret)
		down_write(&store->lock);
	return ret;
}

/**
 * vss_store_unlock_all() - undo vss_store_lock_all()
 * @store: the store
 */
void vss_store_unlock_all(struct vss_store *store)
{
	up_write(&store->lock);
	mutex_unlock(&store->writers);
}

/**
 * vss_store_trim() - give back what the index has too much of
 * @store: from which rows were removed; not locked by the caller
 *
 * Does nothing where memory is lacking. What it allocates is an eighth, at most,
 * of what it gives back, and is charged to its caller: so where that is the reaper,
 * to nobody's control group. It is little beside the blocks of the rows that are
 * left, which are still charged to who put them, and in the driver's budget.
 *
 * Return: whether it gave something back.
 */
bool vss_store_trim(struct vss_store *store)
{
	bool trimmed = false;
	u64 *cells;
	u32 size;

	if (!vss_index_is_sparse(&store->index))
		return false;
	size = vss_index_fit(&store->index, 0);
	cells = size > VSS_FIRST_CELLS ? vss_cells_alloc(size) : NULL;
	if (size > VSS_FIRST_CELLS && !cells)
		return false;
	mutex_lock(&store->writers);
	vss_store_settle(store);
	/* Rows may have come and gone meanwhile. */
	if (vss_index_is_sparse(&store->index) &&
	    size >= vss_index_fit(&store->index, 0)) {
		down_write(&store->lock);
		trimmed = !vss_index_replace(&store->index, &cells, size);
		up_write(&store->lock);
		vss_store_settle(store);
	}
	mutex_unlock(&store->writers);
	vss_cells_free(cells);
	return trimmed;
}

/**
 * vss_store_delete() - delete rows by their ids
 * @store: where
 * @ids: the ids; those that are not stored are passed over
 * @count: at most VSS_BATCH_ROWS
 * @deleted: grows by the number of rows deleted
 *
 * Return: 0, or -EINTR, with no row deleted, when the caller was killed while it
 * waited for another writer.
 */
int vss_store_delete(struct vss_store *store, const u64 *ids, u32 count,
		     u32 *deleted)
{
	struct vss_gone gone;
	LIST_HEAD(empty);
	u32 n, slot;
	u64 now;
	int ret;

	ret = vss_store_lock_all(store);
	if (ret)
		return ret;
	vss_store_note(store, &gone);
	now = vss_expiry_now(store->soonest);
	for (n = 0; n < count; n++) {
		slot = vss_store_find(store, ids[n]);
		if (slot == VSS_NO_SLOT)
			continue;
		if (vss_store_is_over(store, slot, now)) {
			vss_store_remove(store, slot, VSS_EXPIRED, &empty);
			continue;
		}
		vss_store_remove(store, slot, VSS_DELETED, &empty);
		++*deleted;
	}
	up_write(&store->lock);
	vss_store_tell(store, &gone);
	mutex_unlock(&store->writers);
	vss_free_blocks(store, &empty);
	vss_store_trim(store);
	return 0;
}

/**
 * vss_store_delete_matching() - delete the rows that match a filter
 * @store: where
 * @filter: the filter
 * @deleted: grows by the number of rows deleted
 *
 * Lets others in between two sections.
 *
 * Return: 0, or -EINTR when the caller was killed.
 */
int vss_store_delete_matching(struct vss_store *store,
			      const struct vss_filter *filter, u32 *deleted)
{
	struct vss_section section;
	bool more = true;
	u64 slot = 0;
	u32 i;

	/* Rows that are over match nothing; after a clear they are not to stay. */
	if (vss_expiry_reap(store))
		return -EINTR;
	while (more) {
		LIST_HEAD(empty);

		if (fatal_signal_pending(current))
			return -EINTR;
		if (vss_store_lock_all(store))
			return -EINTR;
		more = vss_store_section(store, slot, VSS_BATCH_ROWS, filter,
					 &section);
		if (more) {
			for_each_set_bit(i, section.matches, section.count)
				vss_store_remove(store, section.slot + i,
						 VSS_DELETED, &empty);
			*deleted += section.matching;
			slot = (u64)section.slot + section.count;
		}
		vss_store_unlock_all(store);
		vss_free_blocks(store, &empty);
		cond_resched();
	}
	vss_store_trim(store);
	return 0;
}
