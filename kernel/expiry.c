// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows whose time is over: see expiry.h.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "batch.h"
#include "block.h"
#include "budget.h"
#include "evict.h"
#include "expiry.h"

/* Blocks that are looked at before others are let in. */
#define VSS_SWEEP_BLOCKS 256

/* Blocks in which rows that are over are counted, at most. */
#define VSS_COUNT_BLOCKS 64

/* The reaper takes no less than what so much time brings, in milliseconds. */
#define VSS_REAP_PAUSE_MS 200

/* Nor does it sleep longer: its timer stands still while the machine does. */
#define VSS_REAP_SLEEP_MS (3600 * MSEC_PER_SEC)

static struct workqueue_struct *vss_reapers;

/**
 * vss_expiry_start() - get ready, for the module
 *
 * Return: 0 or -ENOMEM.
 */
int vss_expiry_start(void)
{
	vss_reapers = alloc_workqueue("vss_reap", WQ_UNBOUND, 0);
	return vss_reapers ? 0 : -ENOMEM;
}

/**
 * vss_expiry_end() - undo vss_expiry_start()
 *
 * There is no store any more.
 */
void vss_expiry_end(void)
{
	destroy_workqueue(vss_reapers);
}

/**
 * vss_expiry_ready() - see that a block can take a row's expiry
 * @store: its writers held
 * @block: one of its blocks
 * @expiry: the expiry
 * @spare: as vss_store_try_put() takes it
 *
 * Return: 0, -EDQUOT, or -EAGAIN where an array is to be allocated. @spare says
 * that it is wanted unless the store's own limit forbids it.
 */
int vss_expiry_ready(struct vss_store *store, struct vss_block *block,
		     u64 expiry, struct vss_spare *spare)
{
	size_t bytes = vss_expiries_bytes(store);
	int ret;

	lockdep_assert_held(&store->writers);
	if (block->expiries || expiry == VSS_NEVER)
		return 0;
	if (vss_store_is_past(store, bytes))
		return -EDQUOT;
	spare->wants_expiries = bytes;
	if (!spare->expiries)
		return vss_budget_has(bytes) ? -EAGAIN : -EDQUOT;
	ret = vss_budget_charge(bytes);
	if (ret)
		return ret;
	block->expiries = spare->expiries;
	memset(block->expiries, 0xff, bytes);
	spare->expiries = NULL;
	spare->wants_expiries = 0;
	WRITE_ONCE(store->expiries_bytes, store->expiries_bytes + bytes);
	return 0;
}

/**
 * vss_expiry_set() - say when a row is over
 * @store: both locks held
 * @block: one of its blocks, ready for it
 * @i: which of its rows
 * @expiry: when
 */
void vss_expiry_set(struct vss_store *store, struct vss_block *block, u32 i,
		    u64 expiry)
{
	lockdep_assert_held(&store->writers);
	lockdep_assert_held_write(&store->lock);
	if (!block->expiries)
		return;
	block->expiries[i] = expiry;
	block->soonest = min(block->soonest, expiry);
	store->upcoming = min(store->upcoming, expiry);
	if (expiry < store->soonest)
		WRITE_ONCE(store->soonest, expiry);
}

/* Until when the reaper rests that comes now, in jiffies. */
static unsigned long vss_reaper_rest(void)
{
	return jiffies + msecs_to_jiffies(VSS_REAP_PAUSE_MS);
}

/* Wakes the reaper when a row is over, but not before so many milliseconds. */
static void vss_reaper_arm(struct vss_store *store, u64 least)
{
	u64 now, delay;

	lockdep_assert_held(&store->writers);
	if (store->soonest >= store->due)
		return;
	store->due = store->soonest;
	now = ktime_get_boottime_ns();
	delay = store->due > now ? (store->due - now) / NSEC_PER_MSEC : 0;
	delay = clamp_t(u64, delay + 1, least, VSS_REAP_SLEEP_MS);
	mod_delayed_work(vss_reapers, &store->reaper, msecs_to_jiffies(delay));
}

/**
 * vss_expiry_arm() - see that the reaper wakes up in time
 * @store: its writers held
 */
void vss_expiry_arm(struct vss_store *store)
{
	vss_reaper_arm(store, 0);
}

/**
 * vss_expiry_kick() - wake the reaper now
 * @store: its writers held, or with a reference
 */
void vss_expiry_kick(struct vss_store *store)
{
	mod_delayed_work(vss_reapers, &store->reaper, 0);
}

/**
 * vss_expiry_meet() - wake the reaper, because a row was met that is over
 * @store: not locked by the caller, who has a reference
 *
 * Any number of readers may call it at once, section after section: one of them
 * wakes it, and none as long as it has come lately.
 */
void vss_expiry_meet(struct vss_store *store)
{
	unsigned long rested = READ_ONCE(store->rested);

	if (time_before(jiffies, rested) ||
	    cmpxchg(&store->rested, rested, vss_reaper_rest()) != rested)
		return;
	vss_expiry_kick(store);
}

/* Removes rows of a block, and finds out when the next one is over. */
static u32 vss_block_sweep(struct vss_store *store, struct vss_block *block,
			   u64 now, struct list_head *empty)
{
	const unsigned long *live = vss_block_live(store, block);
	u32 first = block->index * store->layout.rows_per_block;
	u64 soonest = VSS_NEVER;
	u32 i, rows = 0;

	down_write(&store->lock);
	for_each_set_bit(i, live, block->nr_used) {
		u64 expiry = block->expiries[i];

		if (expiry <= now && rows < VSS_BATCH_ROWS) {
			vss_store_remove(store, first + i, VSS_EXPIRED, empty);
			rows++;
			continue;
		}
		soonest = min(soonest, expiry);
		if (expiry <= now)
			break;
	}
	block->soonest = soonest;
	up_write(&store->lock);
	return rows;
}

/* Ends a turn: what was upcoming in it is what is upcoming. */
static void vss_sweep_turn(struct vss_store *store)
{
	WRITE_ONCE(store->soonest, store->upcoming);
	store->upcoming = VSS_NEVER;
	store->sweep = 0;
}

/**
 * vss_expiry_sweep() - remove rows that are over
 * @store: its writers held
 * @now: the time
 * @blocks: how many blocks are looked at, at most
 * @rows: rows that are enough
 *
 * Return: rows removed.
 */
u32 vss_expiry_sweep(struct vss_store *store, u64 now, u32 blocks, u32 rows)
{
	struct vss_block *block;
	LIST_HEAD(empty);
	u32 removed = 0;

	lockdep_assert_held(&store->writers);
	while (store->soonest <= now && removed < rows && blocks--) {
		block = xa_find(&store->blocks, &store->sweep, ULONG_MAX,
				XA_PRESENT);
		if (!block) {
			vss_sweep_turn(store);
			continue;
		}
		if (block->soonest <= now)
			removed += vss_block_sweep(store, block, now, &empty);
		/* As many were over as there may be removed: not done with it. */
		if (list_empty(&empty) && block->soonest <= now)
			continue;
		if (list_empty(&empty))
			store->upcoming = min(store->upcoming, block->soonest);
		vss_free_blocks(store, &empty);
		INIT_LIST_HEAD(&empty);
		store->sweep++;
		cond_resched();
	}
	return removed;
}

/**
 * vss_expiry_reap() - remove all rows that are over
 * @store: not locked by the caller
 *
 * Lets others in between.
 *
 * Return: 0, or -EINTR when the caller was killed.
 */
int vss_expiry_reap(struct vss_store *store)
{
	bool more = READ_ONCE(store->soonest) != VSS_NEVER;
	struct vss_gone gone;

	while (more) {
		u64 now;

		/* A mutex that is free is had by those who were killed, too. */
		if (fatal_signal_pending(current) ||
		    mutex_lock_killable(&store->writers))
			return -EINTR;
		vss_store_note(store, &gone);
		now = vss_expiry_now(store->soonest);
		vss_expiry_sweep(store, now, VSS_SWEEP_BLOCKS, VSS_BATCH_ROWS);
		more = store->soonest <= now;
		vss_store_tell(store, &gone);
		mutex_unlock(&store->writers);
		cond_resched();
	}
	return 0;
}

static void vss_reap(struct work_struct *work)
{
	struct vss_store *store = container_of(to_delayed_work(work),
					       struct vss_store, reaper);

	WRITE_ONCE(store->rested, vss_reaper_rest());
	vss_expiry_reap(store);
	vss_store_trim(store);
	mutex_lock(&store->writers);
	store->due = VSS_NEVER;
	vss_reaper_arm(store, VSS_REAP_PAUSE_MS);
	mutex_unlock(&store->writers);
}

/**
 * vss_expiry_init() - begin without a row
 * @store: zeroed
 */
void vss_expiry_init(struct vss_store *store)
{
	store->soonest = VSS_NEVER;
	store->upcoming = VSS_NEVER;
	store->due = VSS_NEVER;
	store->rested = jiffies;
	INIT_DELAYED_WORK(&store->reaper, vss_reap);
}

/**
 * vss_expiry_stop() - send the reaper away
 * @store: one that no other thread can reach any more
 */
void vss_expiry_stop(struct vss_store *store)
{
	cancel_delayed_work_sync(&store->reaper);
}

/**
 * vss_expiry_count() - rows that are over and still to be removed
 * @store: locked for reading
 *
 * Looks at a bounded number of blocks, as everybody may ask for it.
 *
 * Return: how many; less than there are where that are very many.
 */
u64 vss_expiry_count(struct vss_store *store)
{
	u64 now = vss_expiry_now(READ_ONCE(store->soonest)), count = 0;
	struct vss_block *block;
	u32 i, blocks = VSS_COUNT_BLOCKS;
	unsigned long index;

	lockdep_assert_held(&store->lock);
	if (READ_ONCE(store->soonest) > now)
		return 0;
	xa_for_each(&store->blocks, index, block) {
		if (block->soonest > now)
			continue;
		if (!blocks--)
			break;
		for_each_set_bit(i, vss_block_live(store, block),
				 block->nr_used)
			count += block->expiries[i] <= now;
	}
	return count;
}
