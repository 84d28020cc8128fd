// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows that make room: for lower limits, for payloads, and for others who want
 * the memory. Where a full store takes a new row, that takes the place of an old
 * one: see store.c.
 *
 * However much is to go, it goes in steps, in between which the locks are free.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "batch.h"
#include "block.h"
#include "budget.h"
#include "evict.h"
#include "expiry.h"
#include "hits.h"
#include "index.h"
#include "order.h"
#include "shrink.h"
#include "store.h"

/* How often a lock that others hold is tried before a block is left alone. */
#define VSS_EVICT_TRIES 512
#define VSS_EVICT_TICK 64

/* What a store takes that only goes with whole blocks. */
static u64 vss_store_blocks_bytes(const struct vss_store *store)
{
	return vss_store_bytes(store) - store->payload_bytes;
}

/**
 * vss_store_is_past() - whether a store's own limit of memory would be passed
 * @store: its writers held
 * @more: by so many bytes more
 *
 * Return: whether.
 */
bool vss_store_is_past(const struct vss_store *store, u64 more)
{
	u64 limit = store->max_bytes;

	lockdep_assert_held(&store->writers);
	return limit && vss_store_bytes(store) + store->pending + more > limit;
}

/* Whether rows are to go so that @more bytes are within a store's limits. */
static bool vss_store_is_beyond(const struct vss_store *store, u64 more)
{
	return store->count > vss_store_capacity(store) ||
	       vss_store_is_past(store, more);
}

/*
 * Evicts the next row, and others as long as the store's limits, or the driver's
 * with @bytes more, want it. There is a row.
 */
static void vss_store_evict_rows(struct vss_store *store, u64 more, u64 bytes)
{
	u64 now = vss_expiry_now(store->soonest);
	LIST_HEAD(empty);
	u32 slot, done = 0;

	lockdep_assert_held(&store->writers);
	/* Here the hand may go around; hereafter it is where it is wanted. */
	vss_order_next(store);
	down_write(&store->lock);
	do {
		slot = vss_order_next(store);
		vss_store_remove(store, slot, vss_store_is_over(store, slot, now) ?
				 VSS_EXPIRED : VSS_EVICTED, &empty);
	} while (++done < VSS_BATCH_ROWS && store->count &&
		 (vss_store_is_beyond(store, more) ||
		  (bytes && !vss_budget_has(bytes))));
	up_write(&store->lock);
	vss_free_blocks(store, &empty);
}

/* Removes some rows of a block, which goes with the last; both locks are held. */
static void vss_block_evict(struct vss_store *store, struct vss_block *block,
			    enum vss_reason reason, struct list_head *empty)
{
	u32 first = block->index * store->layout.rows_per_block;
	u64 now = vss_expiry_now(store->soonest);
	u32 i, done = 0;

	if (!block->nr_live)
		vss_store_shrink(store, block, empty);
	for_each_set_bit(i, vss_block_live(store, block), block->nr_used) {
		if (done++ == VSS_BATCH_ROWS)
			break;
		vss_store_remove(store, first + i,
				 vss_block_is_over(block, i, now) ?
				 VSS_EXPIRED : reason, empty);
	}
}

/* Evicts the next whole block. */
static void vss_store_evict_block(struct vss_store *store,
				  enum vss_reason reason)
{
	struct vss_block *block = vss_order_block(store);
	LIST_HEAD(empty);

	lockdep_assert_held(&store->writers);
	while (block && list_empty(&empty)) {
		down_write(&store->lock);
		vss_block_evict(store, block, reason, &empty);
		up_write(&store->lock);
		cond_resched();
	}
	vss_free_blocks(store, &empty);
}

/*
 * Takes a store's lock for writing if that is free, or is so in between: readers
 * let it pass. It sleeps for VSS_EVICT_TRIES / VSS_EVICT_TICK ticks at most, be it
 * kswapd: a reader that is in there may have lost its processor, and reclaim that
 * gives up at once asks for ever more, until somebody is killed for it. @tries
 * counts for a whole block, which takes the lock many times.
 */
static bool vss_store_try_lock(struct vss_store *store, u32 *tries)
{
	while (!down_write_trylock(&store->lock)) {
		if (++*tries > VSS_EVICT_TRIES)
			return false;
		cpu_relax();
		/* Who has it may want this processor. */
		if (*tries % VSS_EVICT_TICK)
			cond_resched();
		else
			schedule_timeout_uninterruptible(1);
	}
	return true;
}

/**
 * vss_store_yield() - give a block's memory back
 * @store: its writers held
 * @block: the block
 *
 * For the kernel's reclaim: neither allocates nor waits.
 *
 * Return: whether the block is free; some of its rows may be gone if not.
 */
bool vss_store_yield(struct vss_store *store, struct vss_block *block)
{
	struct vss_gone gone;
	LIST_HEAD(empty);
	u32 tries = 0;
	bool freed;

	vss_store_note(store, &gone);
	while (list_empty(&empty) && vss_store_try_lock(store, &tries)) {
		vss_block_evict(store, block, VSS_PRESSED, &empty);
		up_write(&store->lock);
		cond_resched();
	}
	freed = !list_empty(&empty);
	vss_free_blocks(store, &empty);
	vss_store_tell(store, &gone);
	/* What the index has too much of takes memory to give back. */
	vss_expiry_kick(store);
	return freed;
}

/**
 * vss_store_shed() - go a step towards a store's limits
 * @store: its writers held
 * @more: bytes that are wanted below its limit of memory
 *
 * Return: whether there is more to go.
 */
bool vss_store_shed(struct vss_store *store, u64 more)
{
	lockdep_assert_held(&store->writers);
	if (!vss_store_evicts(store) || !store->count ||
	    !vss_store_is_beyond(store, more))
		return false;
	/* The hand leaves some rows in every block: none would ever be empty. */
	if (store->eviction == VSS_EVICTION_LRU &&
	    store->count <= vss_store_capacity(store) &&
	    vss_store_blocks_bytes(store) + more > store->max_bytes)
		vss_store_evict_block(store, VSS_EVICTED);
	else
		vss_store_evict_rows(store, more, 0);
	return true;
}

/**
 * vss_store_fit() - see that a store's limit allows for a row's payload
 * @store: its writers held
 * @charge: what the payload takes
 * @more: of that, what the one that it replaces does not give back
 * @prepared: whether there are rows that are prepared
 *
 * Return: 0, VSS_PUBLISH where rows are to become visible first, VSS_PAUSE where
 * some have made room, or -EDQUOT.
 */
int vss_store_fit(struct vss_store *store, u64 charge, u64 more, bool prepared)
{
	/* What takes no more than before is welcome beyond a lowered limit, too. */
	if (!store->max_bytes || !more)
		return 0;
	/* Nobody is to make room for what will never fit. */
	if (VSS_BLOCK_BYTES + charge > store->max_bytes)
		return -EDQUOT;
	if (!vss_store_is_past(store, more))
		return 0;
	if (!vss_store_evicts(store))
		return -EDQUOT;
	if (prepared)
		return VSS_PUBLISH;
	return vss_store_shed(store, more) ? VSS_PAUSE : -EDQUOT;
}

/**
 * vss_store_give_way() - evict rows, because memory could not be had
 * @store: not locked by the caller
 * @batch: for which rows
 * @bytes: how much was wanted
 * @error: why not: -EDQUOT, -ENOMEM, or what nothing can be done about
 *
 * Return: whether there is a point in another try.
 */
bool vss_store_give_way(struct vss_store *store, struct vss_batch *batch,
			u64 bytes, int error)
{
	struct vss_gone before;
	bool gone = false;

	if (!vss_store_evicts(store) || (error != -EDQUOT && error != -ENOMEM) ||
	    fatal_signal_pending(current))
		return false;
	/* What others are charged for may not help the caller's group at all. */
	if (error == -ENOMEM && !batch->patience)
		return false;
	if (mutex_lock_killable(&store->writers))
		return false;
	vss_store_note(store, &before);
	if (store->count && vss_store_evicts(store)) {
		if (error == -ENOMEM) {
			batch->patience--;
			vss_store_evict_block(store, VSS_PRESSED);
		} else if (store->eviction == VSS_EVICTION_LRU &&
			   store->payload_bytes < bytes) {
			/* The hand leaves some rows in every block. */
			vss_store_evict_block(store, VSS_EVICTED);
		} else {
			vss_store_evict_rows(store, 0, bytes);
		}
		gone = true;
	}
	batch->evicted += vss_store_tell(store, &before);
	mutex_unlock(&store->writers);
	if (gone && error == -ENOMEM)
		vss_pressure_tell();
	return gone;
}

/**
 * vss_store_limit() - say how a store behaves
 * @store: one that nobody else can see yet, or whose writers are held
 * @flags: VSS_CONFIGURE_* bits: what is said
 * @limits: how
 */
void vss_store_limit(struct vss_store *store, u32 flags,
		     const struct vss_limits *limits)
{
	if (flags & VSS_CONFIGURE_CAPACITY)
		WRITE_ONCE(store->capacity, limits->capacity);
	if (flags & VSS_CONFIGURE_EVICTION)
		WRITE_ONCE(store->eviction, limits->eviction);
	if (flags & VSS_CONFIGURE_MAX_BYTES)
		WRITE_ONCE(store->max_bytes, limits->max_bytes);
	if (flags & VSS_CONFIGURE_TTL)
		WRITE_ONCE(store->ttl, limits->ttl);
}

/* Shows the kernel the blocks of a store that evicts, or hides them. */
static void vss_store_offer(struct vss_store *store)
{
	struct vss_block *block;
	unsigned long i;

	xa_for_each(&store->blocks, i, block) {
		if (vss_store_evicts(store))
			vss_handle_list(block->handle);
		else
			vss_handle_unlist(block->handle);
	}
}

/**
 * vss_store_configure() - change how a store behaves
 * @store: not locked by the caller
 * @flags: VSS_CONFIGURE_* bits: what is changed
 * @limits: how
 *
 * What is beyond the limits is evicted, if anything is.
 *
 * Return: 0, or -EINTR when the caller was killed: before anything was changed,
 * or before all was evicted.
 */
int vss_store_configure(struct vss_store *store, u32 flags,
			const struct vss_limits *limits)
{
	struct vss_gone gone;
	bool more, evicts;

	if (mutex_lock_killable(&store->writers))
		return -EINTR;
	evicts = vss_store_evicts(store);
	vss_store_limit(store, flags, limits);
	if (evicts != vss_store_evicts(store))
		vss_store_offer(store);
	do {
		vss_store_note(store, &gone);
		more = vss_store_shed(store, 0);
		vss_store_tell(store, &gone);
		mutex_unlock(&store->writers);
		/* What the index has too much of counts, too. */
		vss_store_trim(store);
		cond_resched();
		/* A mutex that is free is had by those who were killed, too. */
		if (more && (fatal_signal_pending(current) ||
			     mutex_lock_killable(&store->writers)))
			return -EINTR;
	} while (more);
	return 0;
}

/**
 * vss_store_touch() - note that a search has returned rows
 * @store: not locked by the caller
 * @hits: the rows; those that are gone are passed over
 * @count: how many
 */
void vss_store_touch(struct vss_store *store, const struct vss_hit *hits,
		     u32 count)
{
	u32 i, slot;

	if (READ_ONCE(store->eviction) != VSS_EVICTION_LRU)
		return;
	for (i = 0; i < count; i++) {
		if (!(i % VSS_BATCH_ROWS)) {
			if (i)
				up_read(&store->lock);
			cond_resched();
			if (vss_store_lock_reading(store))
				return;
		}
		slot = vss_store_find(store, hits[i].id);
		if (slot != VSS_NO_SLOT)
			vss_order_mark(store, slot);
	}
	if (count)
		up_read(&store->lock);
}
