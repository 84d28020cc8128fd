// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows that come: a batch is prepared, row by row, and then becomes visible.
 *
 * A new row gets a free slot; in a full store that evicts, the slot of the row
 * that is the next to make room. Such a slot is written when the batch becomes
 * visible, as that of a row that is replaced is: then the old id leaves the index
 * and the new one comes, under one lock. The order of rows changes when they are
 * prepared; so it is as if each had become visible by itself.
 */
#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "batch.h"
#include "block.h"
#include "evict.h"
#include "expiry.h"
#include "index.h"
#include "order.h"
#include "payload.h"
#include "store.h"

/* Blocks that a put looks at for rows that are over, and where it needs one. */
#define VSS_BEGIN_BLOCKS 16
#define VSS_FULL_BLOCKS 256

/* For so many rows ahead what their ids are looked for in is asked for. */
#define VSS_EXPECT_IDS 8

/* What was wanted for a place is not wanted for another. */
static void vss_spare_reset(struct vss_spare *spare)
{
	spare->wants_block = false;
	spare->wants_cells = 0;
	spare->wants_expiries = 0;
}

/* Writes row @n of a batch into a slot where nobody looks yet. */
static int vss_store_prepare(struct vss_store *store, struct vss_batch *batch,
			     u32 n, struct vss_spare *spare)
{
	struct vss_block *block;
	u32 slot, i;
	int ret;

	ret = vss_store_take_slot(store, &slot, batch->expiries[n], spare);
	if (ret)
		return ret;
	block = vss_block_of(store, slot);
	ret = vss_expiry_ready(store, block, batch->expiries[n], spare);
	if (ret) {
		vss_store_return_slot(store, slot);
		return ret;
	}
	i = slot % store->layout.rows_per_block;
	memset(vss_block_row(store, block, i) + store->dimension, 0,
	       (store->layout.lanes - store->dimension) * sizeof(u32));
	*vss_block_id(store, block, i) = batch->ids[n];
	*vss_block_payload(store, block, i) = NULL;
	if (i % VSS_STRIPE == 0)
		vss_store_expect_stripe(store, block, i);
	vss_store_write(store, slot, batch, n);
	vss_order_append(store, slot);
	batch->slots[n] = slot;
	__set_bit(n, batch->marked);
	return 0;
}

/* Gives row @n of a batch the place of the row that is the next to make room. */
static int vss_store_displace(struct vss_store *store, struct vss_batch *batch,
			      u32 n, struct vss_spare *spare)
{
	u32 slot = vss_order_next(store);
	int ret;

	if (slot == VSS_NO_SLOT)
		return -ENOSPC;
	ret = vss_expiry_ready(store, vss_block_of(store, slot),
			       batch->expiries[n], spare);
	if (ret)
		return ret;
	vss_order_reuse(store, slot);
	batch->slots[n] = slot;
	__set_bit(n, batch->marked);
	__set_bit(n, batch->displaces);
	return 0;
}

/*
 * Makes room for another table of the index, where this one is full of what rows
 * that went have left, and the store's own limit forbids another.
 */
static int vss_store_uncram(struct vss_store *store, int error)
{
	u64 bytes = (u64)vss_index_fit(&store->index, 1) * sizeof(u64);

	return error == -EDQUOT && vss_store_shed(store, bytes) ? VSS_PAUSE :
								  error;
}

/* Finds a place for row @n of a batch, whose id is not stored. */
static int vss_store_place(struct vss_store *store, struct vss_batch *batch,
			   u32 n, struct vss_spare *spare)
{
	bool full = store->count + batch->fresh >= vss_store_capacity(store);
	u32 prepared = n - batch->done;
	int ret = 0, error;

	if (!full || vss_store_evicts(store))
		ret = vss_store_widen(store, prepared + 1, spare);
	if (!ret && full)
		ret = -ENOSPC;
	if (!ret)
		ret = vss_store_prepare(store, batch, n, spare);
	if (!ret)
		batch->fresh++;
	if (!ret || !vss_store_evicts(store) ||
	    (ret == -EAGAIN && !spare->exhausted))
		return ret;
	/* What makes room must be there as others see it. */
	if (batch->fresh)
		return VSS_PUBLISH;
	if (vss_index_is_crammed(&store->index, prepared + 1))
		return prepared ? VSS_PUBLISH : vss_store_uncram(store, ret);
	vss_spare_reset(spare);
	error = vss_store_displace(store, batch, n, spare);
	return error == -ENOSPC ? ret : error;
}

/* Prepares row @n of a batch to replace the one with its id. */
static int vss_store_renew(struct vss_store *store, struct vss_batch *batch,
			   u32 n, u32 slot, struct vss_spare *spare)
{
	int ret = vss_expiry_ready(store, vss_block_of(store, slot),
				   batch->expiries[n], spare);

	if (ret)
		return ret;
	vss_order_renew(store, slot);
	batch->slots[n] = slot;
	return 0;
}

/* What the payload in a slot takes. */
static u32 vss_store_charge(struct vss_store *store, u32 slot)
{
	u32 i = slot % store->layout.rows_per_block;

	return vss_payload_charge(*vss_block_payload(store,
						     vss_block_of(store, slot),
						     i));
}

static u32 vss_batch_charge(const struct vss_batch *batch, u32 n)
{
	return vss_payload_charge(batch->payloads[n]);
}

/* Finds or makes a row's slot; or VSS_PUBLISH, or VSS_PAUSE. */
static int vss_store_prepare_row(struct vss_store *store,
				 struct vss_batch *batch, u32 n, bool upsert,
				 struct vss_spare *spare)
{
	u32 slot, charge = vss_batch_charge(batch, n), more = charge;
	u32 array = vss_expiry_bytes(store, batch->expiries[n]);
	bool over;
	int ret;

	vss_spare_reset(spare);
	slot = vss_store_find(store, batch->ids[n]);
	over = slot != VSS_NO_SLOT && vss_store_is_over(store, slot, batch->now);
	if (slot != VSS_NO_SLOT && vss_batch_displaces(batch, slot))
		return VSS_PUBLISH;
	if (slot != VSS_NO_SLOT && !upsert && !over)
		return -EEXIST;
	if ((slot == VSS_NO_SLOT || over) && !vss_batch_meet(batch, n))
		return VSS_PUBLISH;
	if (slot != VSS_NO_SLOT)
		more -= min(charge, vss_store_charge(store, slot));
	ret = vss_store_fit(store, charge, more, n > batch->done);
	if (ret)
		return ret;
	store->pending += more;
	ret = slot != VSS_NO_SLOT ?
		vss_store_renew(store, batch, n, slot, spare) :
		vss_store_place(store, batch, n, spare);
	if (ret)
		store->pending -= more;
	/* Where it was not the driver's limit, the store's own forbids an array. */
	if (ret == -EDQUOT && !spare->wants_expiries)
		return vss_store_fit(store, charge + array, more + array,
				     n > batch->done) ?: ret;
	if (ret != -ENOSPC || store->soonest > batch->now)
		return ret;
	/* Rows that are over go first; not those that prepared ones replace. */
	if (n > batch->done)
		return VSS_PUBLISH;
	vss_expiry_sweep(store, batch->now, VSS_FULL_BLOCKS, 1);
	return VSS_PAUSE;
}

/*
 * Finds or makes the slots of a batch's rows, as far as that goes. Stops before
 * a row that depends on what others before it do once they are visible: an id
 * that it has met already, or that makes room.
 */
static int vss_store_prepare_batch(struct vss_store *store,
				   struct vss_batch *batch, bool upsert,
				   struct vss_spare *spare)
{
	int ret = 0;

	lockdep_assert_held(&store->writers);
	vss_batch_forget(batch);
	batch->fresh = 0;
	while (!ret && batch->prepared < batch->count) {
		u32 ahead = batch->prepared + VSS_EXPECT_IDS;

		if (ahead < batch->count)
			vss_index_expect(&store->index, batch->ids[ahead]);
		ret = vss_store_prepare_row(store, batch, batch->prepared,
					    upsert, spare);
		if (!ret)
			batch->prepared++;
	}
	return ret == VSS_PUBLISH ? 0 : ret;
}

/* Takes the row out whose place another gets. */
static void vss_store_retire(struct vss_store *store, struct vss_batch *batch,
			     struct vss_block *block, u32 i)
{
	bool over = vss_block_is_over(block, i, batch->now);
	struct vss_path path;

	vss_store_find_path(store, *vss_block_id(store, block, i), &path);
	vss_index_remove(&store->index, &path);
	clear_bit(i, vss_block_used(store, block));
	vss_store_lost(store, over ? VSS_EXPIRED : VSS_EVICTED);
}

static void vss_store_publish_row(struct vss_store *store,
				  struct vss_batch *batch, u32 n)
{
	u32 i = batch->slots[n] % store->layout.rows_per_block;
	struct vss_block *block = vss_block_of(store, batch->slots[n]);
	bool displaces = test_bit(n, batch->displaces);
	bool fresh = test_bit(n, batch->marked) && !displaces;
	bool new = fresh || displaces;

	if (fresh) {
		__set_bit(i, vss_block_live(store, block));
		/* Mostly it is clear, and an atomic write is slow. */
		if (test_bit(i, vss_block_used(store, block)))
			clear_bit(i, vss_block_used(store, block));
		block->nr_live++;
		block->nr_used = max(block->nr_used, i + 1);
		WRITE_ONCE(store->count, store->count + 1);
	} else if (displaces) {
		vss_store_retire(store, batch, block, i);
		*vss_block_id(store, block, i) = batch->ids[n];
	} else if (vss_block_is_over(block, i, batch->now)) {
		vss_store_lost(store, VSS_EXPIRED);
		new = true;
	}
	if (!fresh) {
		vss_store_write(store, batch->slots[n], batch, n);
		store->payload_bytes -= vss_batch_charge(batch, n);
	}
	if (fresh || displaces)
		vss_index_insert(&store->index, batch->ids[n], batch->slots[n]);
	if (new) {
		WRITE_ONCE(store->inserts, store->inserts + 1);
		batch->inserted++;
	} else {
		store->updates++;
	}
	store->payload_bytes +=
		vss_payload_charge(*vss_block_payload(store, block, i));
	vss_expiry_set(store, block, i, batch->expiries[n]);
}

/* Makes the prepared rows of a batch visible, each as a whole. */
static void vss_store_publish(struct vss_store *store, struct vss_batch *batch)
{
	u32 cells = (batch->prepared - batch->done) * VSS_MOVE_CELLS;
	u64 *spent;

	lockdep_assert_held(&store->writers);
	if (batch->done == batch->prepared)
		return;
	down_write(&store->lock);
	for (; batch->done < batch->prepared; batch->done++)
		vss_store_publish_row(store, batch, batch->done);
	spent = vss_index_move(&store->index, cells);
	up_write(&store->lock);
	store->pending = 0;
	vss_cells_free(spent);
}

/*
 * What a put does first: reads the clock, where it matters, finds out until when
 * rows are kept, and removes some that are over, or beyond lower limits.
 */
static void vss_store_begin(struct vss_store *store, struct vss_batch *batch)
{
	u64 ttl = store->ttl;
	u32 n;

	lockdep_assert_held(&store->writers);
	batch->now = ttl || batch->has_ttls ? ktime_get_boottime_ns() :
					      vss_expiry_now(store->soonest);
	for (n = batch->done; n < batch->count; n++) {
		u64 own = batch->has_ttls ? batch->ttls[n] : 0;

		batch->expiries[n] = vss_expiry_after(batch->now,
						      own ?: ttl ?: VSS_NEVER);
	}
	vss_expiry_sweep(store, batch->now, VSS_BEGIN_BLOCKS,
			 2 * batch->count);
	vss_store_shed(store, 0);
}

/* Stores rows as long as others need not be let in: 0, VSS_PAUSE or an error. */
static int vss_store_put_some(struct vss_store *store, struct vss_batch *batch,
			      bool upsert, struct vss_spare *spare)
{
	struct vss_gone gone;
	int ret;

	ret = mutex_lock_killable(&store->writers);
	if (ret)
		return ret;
	vss_store_note(store, &gone);
	vss_store_begin(store, batch);
	do {
		ret = vss_store_prepare_batch(store, batch, upsert, spare);
		vss_store_publish(store, batch);
	} while (!ret && batch->done < batch->count);
	vss_expiry_arm(store);
	batch->evicted += vss_store_tell(store, &gone);
	mutex_unlock(&store->writers);
	return ret;
}

/**
 * vss_store_try_put() - store rows, as far as memory is at hand
 * @store: where
 * @batch: the rows. Those up to its done are in already; it is moved on. The
 *         payloads of replaced rows are in it afterwards.
 * @upsert: whether a row replaces one with its id
 * @spare: memory for the store to take, and afterwards what it wants besides
 *
 * Return: 0 when all rows are in; otherwise what stopped the row at the batch's
 * done: -EEXIST, -ENOSPC, -EDQUOT, -ENOMEM, -EINTR when the caller was killed, or
 * -EAGAIN when a spare is wanted.
 */
int vss_store_try_put(struct vss_store *store, struct vss_batch *batch,
		      bool upsert, struct vss_spare *spare)
{
	int ret;

	for (;;) {
		ret = vss_store_put_some(store, batch, upsert, spare);
		if (ret != VSS_PAUSE)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/* Sees that there is a point in another try of a put that was stopped by @ret. */
static bool vss_store_relieve(struct vss_store *store, struct vss_batch *batch,
			      struct vss_spare *spare, int ret)
{
	if (ret == -EAGAIN)
		return !spare->exhausted ||
		       vss_store_give_way(store, batch, 0, -ENOMEM);
	if (ret != -EDQUOT)
		return false;
	if (spare->wants_expiries)
		return vss_store_give_way(store, batch, spare->wants_expiries,
					  ret);
	/* A cache's index that is full of what rows that went have left. */
	if (spare->wants_cells && vss_store_evicts(store))
		return vss_store_give_way(store, batch,
					  (u64)spare->wants_cells * sizeof(u64),
					  ret);
	/* Once rows are gone, the index may be what takes the room. */
	return vss_store_trim(store);
}

/**
 * vss_store_put() - store rows
 * @store: where
 * @batch: as vss_store_try_put() has it
 * @upsert: likewise
 *
 * Return: as vss_store_try_put() does, but for -EAGAIN.
 */
int vss_store_put(struct vss_store *store, struct vss_batch *batch, bool upsert)
{
	struct vss_spare spare = { };
	int ret;

	ret = vss_store_try_put(store, batch, upsert, &spare);
	while (ret && vss_store_relieve(store, batch, &spare, ret)) {
		spare.exhausted = !vss_spare_fill(&spare);
		/* Also if so: another writer may have made room. */
		ret = vss_store_try_put(store, batch, upsert, &spare);
	}
	vss_spare_free(&spare);
	return ret == -EAGAIN ? -ENOMEM : ret;
}
