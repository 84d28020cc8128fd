/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_EXPIRY_H
#define VSS_EXPIRY_H

#include <linux/timekeeping.h>
#include <linux/types.h>

#include "block.h"

/*
 * Rows whose time is over.
 *
 * When that is, by the clock that counts suspended time too, is kept in an
 * array that a block gets with the first row that does not stay for ever. Each
 * block, and the store, knows a time before which none of its rows is over: so
 * nobody looks at the arrays, or at the clock, before there is a reason to.
 *
 * A row that is over is not there any more for any command. Its memory goes when
 * a put or the store's reaper comes by. They go from block to block in turns, in
 * which the store learns when to look next; in between, the reaper sleeps. Its timer
 * may be late, or have stood still: whoever meets a row that is over wakes it.
 */

void vss_expiry_init(struct vss_store *store);
void vss_expiry_stop(struct vss_store *store);
int vss_expiry_ready(struct vss_store *store, struct vss_block *block,
		     u64 expiry, struct vss_spare *spare);
void vss_expiry_set(struct vss_store *store, struct vss_block *block, u32 i,
		    u64 expiry);
void vss_expiry_arm(struct vss_store *store);
void vss_expiry_kick(struct vss_store *store);
u32 vss_expiry_sweep(struct vss_store *store, u64 now, u32 blocks, u32 rows);
int vss_expiry_reap(struct vss_store *store);
u64 vss_expiry_count(struct vss_store *store);
int vss_expiry_start(void);
void vss_expiry_end(void);

/*
 * What the clock says, or 0 where nothing is over before @soonest is: reading it
 * costs more than what the last tick left, which may be late.
 */
static inline u64 vss_expiry_now(u64 soonest)
{
	if (soonest == VSS_NEVER ||
	    soonest > ktime_get_coarse_boottime_ns() + NSEC_PER_SEC)
		return 0;
	return ktime_get_boottime_ns();
}

/* What a block's array takes, where a row is over at @expiry. */
static inline u32 vss_expiry_bytes(const struct vss_store *store, u64 expiry)
{
	return expiry == VSS_NEVER ? 0 : vss_expiries_bytes(store);
}

/* When a row is over that is put at @now to be kept for @ttl. */
static inline u64 vss_expiry_after(u64 now, u64 ttl)
{
	return ttl >= VSS_NEVER - now ? VSS_NEVER : now + ttl;
}

/* Whether a block's row is over; @now may be 0, for not. */
static inline bool vss_block_is_over(const struct vss_block *block, u32 i,
				     u64 now)
{
	return block->soonest <= now && block->expiries[i] <= now;
}

static inline bool vss_store_is_over(struct vss_store *store, u32 slot, u64 now)
{
	return now && vss_block_is_over(vss_block_of(store, slot),
					slot % store->layout.rows_per_block,
					now);
}

#endif /* VSS_EXPIRY_H */
