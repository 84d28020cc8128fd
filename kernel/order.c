// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which row is the next to make room: see order.h.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/lockdep.h>
#include <linux/xarray.h>

#include "block.h"
#include "order.h"
#include "shrink.h"

/* A block of which more rows than one in so many were returned is spared once. */
#define VSS_SPARED_SHARE 4

static struct vss_link *vss_link_of(struct vss_store *store, u32 slot)
{
	return vss_block_link(store, vss_block_of(store, slot),
			      slot % store->layout.rows_per_block);
}

/**
 * vss_order_init() - begin without a row
 * @store: zeroed
 */
void vss_order_init(struct vss_store *store)
{
	store->order.oldest = VSS_NO_SLOT;
	store->order.newest = VSS_NO_SLOT;
}

/**
 * vss_order_append() - add the row that was put last
 * @store: its writers held
 * @slot: the row's, which is in no order yet
 */
void vss_order_append(struct vss_store *store, u32 slot)
{
	struct vss_link *link = vss_link_of(store, slot);
	struct vss_order *order = &store->order;

	lockdep_assert_held(&store->writers);
	link->older = order->newest;
	link->newer = VSS_NO_SLOT;
	if (order->newest == VSS_NO_SLOT)
		order->oldest = slot;
	else
		vss_link_of(store, order->newest)->newer = slot;
	order->newest = slot;
}

/**
 * vss_order_remove() - take a row out
 * @store: its writers held
 * @slot: the row's
 */
void vss_order_remove(struct vss_store *store, u32 slot)
{
	const struct vss_link *link = vss_link_of(store, slot);
	struct vss_order *order = &store->order;

	lockdep_assert_held(&store->writers);
	if (link->older == VSS_NO_SLOT)
		order->oldest = link->newer;
	else
		vss_link_of(store, link->older)->newer = link->newer;
	if (link->newer == VSS_NO_SLOT)
		order->newest = link->older;
	else
		vss_link_of(store, link->newer)->older = link->older;
}

/**
 * vss_order_renew() - make a row that replaces another count as new
 * @store: its writers held
 * @slot: the row's
 */
void vss_order_renew(struct vss_store *store, u32 slot)
{
	vss_order_mark(store, slot);
	if (slot == store->order.newest)
		return;
	vss_order_remove(store, slot);
	vss_order_append(store, slot);
}

/* Moves the hand over a block's rows from @i on; returns the next, if any. */
static u32 vss_hand_over(struct vss_store *store, struct vss_block *block,
			 u32 i)
{
	const unsigned long *live = vss_block_live(store, block);
	unsigned long *used = vss_block_used(store, block);
	unsigned long mask = BITMAP_FIRST_WORD_MASK(i);
	u32 word;

	for (word = BIT_WORD(i); word * BITS_PER_LONG < block->nr_used; word++) {
		unsigned long rows = live[word] & mask;
		unsigned long kept = rows & READ_ONCE(used[word]);
		unsigned long next = rows & ~kept;

		if (next)
			kept &= BIT(__ffs(next)) - 1;
		if (kept)
			atomic_long_andnot(kept, (atomic_long_t *)&used[word]);
		if (next)
			return word * BITS_PER_LONG + __ffs(next);
		mask = ~0UL;
	}
	return VSS_NO_SLOT;
}

/* The block that the hand points to, or the next one, around the clock. */
static struct vss_block *vss_hand_block(struct vss_store *store, u32 *i)
{
	u32 rows = store->layout.rows_per_block;
	unsigned long index = store->order.hand / rows;
	struct vss_block *block;

	*i = store->order.hand % rows;
	block = xa_load(&store->blocks, index);
	if (block)
		return block;
	*i = 0;
	block = xa_find(&store->blocks, &index, ULONG_MAX, XA_PRESENT);
	if (block)
		return block;
	index = 0;
	return xa_find(&store->blocks, &index, ULONG_MAX, XA_PRESENT);
}

/* The row that the hand comes to; where it comes to none, any row. */
static u32 vss_hand_next(struct vss_store *store)
{
	u32 i, at, turn, rows = store->layout.rows_per_block;
	struct vss_block *block;

	/* The first turn may take all bits, and end where it began. */
	for (turn = 0; turn <= 2 * store->nr_blocks; turn++) {
		block = vss_hand_block(store, &i);
		if (!block)
			break;
		at = vss_hand_over(store, block, i);
		if (at != VSS_NO_SLOT) {
			store->order.hand = block->index * rows + at;
			return store->order.hand;
		}
		store->order.hand = (block->index + 1) * rows;
		vss_handle_rotate(block->handle);
	}
	/* Readers are faster than the hand, or there is no row. */
	return store->order.oldest;
}

/**
 * vss_order_next() - the row that is the next to make room
 * @store: its writers held
 *
 * Return: its slot, or VSS_NO_SLOT where there is none. The same again as long
 * as nothing is done about it.
 */
u32 vss_order_next(struct vss_store *store)
{
	lockdep_assert_held(&store->writers);
	if (store->eviction == VSS_EVICTION_LRU)
		return vss_hand_next(store);
	return store->order.oldest;
}

/**
 * vss_order_reuse() - give the place of the next row to a new one
 * @store: its writers held
 * @slot: what vss_order_next() returned
 */
void vss_order_reuse(struct vss_store *store, u32 slot)
{
	struct vss_block *block = vss_block_of(store, slot);

	vss_order_remove(store, slot);
	if (store->eviction == VSS_EVICTION_LRU) {
		store->order.hand = slot + 1;
	} else if (store->order.oldest == VSS_NO_SLOT ||
		   vss_block_of(store, store->order.oldest) != block) {
		vss_handle_rotate(block->handle);
	}
	vss_order_append(store, slot);
}

/**
 * vss_order_block() - the block that is the next to go as a whole
 * @store: its writers held
 *
 * Return: the block, or NULL where there is no row.
 */
struct vss_block *vss_order_block(struct vss_store *store)
{
	u32 i, turn;

	lockdep_assert_held(&store->writers);
	if (store->order.oldest == VSS_NO_SLOT)
		return NULL;
	if (store->eviction == VSS_EVICTION_LRU) {
		for (turn = 0; turn < store->nr_blocks; turn++) {
			struct vss_block *block = vss_hand_block(store, &i);

			if (block->nr_live && !vss_order_spares(store, block))
				return block;
			store->order.hand = (block->index + 1) *
					    store->layout.rows_per_block;
		}
	}
	return vss_block_of(store, store->order.oldest);
}

/**
 * vss_order_mark() - note that a row was used
 * @store: its writers held, or its lock for reading
 * @slot: the row's
 */
void vss_order_mark(struct vss_store *store, u32 slot)
{
	u32 i = slot % store->layout.rows_per_block;
	unsigned long *used;

	if (READ_ONCE(store->eviction) != VSS_EVICTION_LRU)
		return;
	used = vss_block_used(store, vss_block_of(store, slot));
	/* Readers share the cache line for as long as nobody writes. */
	if (!test_bit(i, used))
		set_bit(i, used);
}

/**
 * vss_order_spares() - whether a block's rows were used too much for it to go
 * @store: its writers held
 * @block: the block
 *
 * Return: whether; not twice in a row, unless they are used again meanwhile.
 */
bool vss_order_spares(struct vss_store *store, struct vss_block *block)
{
	unsigned long *used = vss_block_used(store, block);
	u32 word, count;

	if (store->eviction != VSS_EVICTION_LRU)
		return false;
	count = bitmap_weight(used, block->nr_used);
	if (count <= block->nr_live / VSS_SPARED_SHARE)
		return false;
	for (word = 0; word < BITS_TO_LONGS(block->nr_used); word++)
		WRITE_ONCE(used[word], 0);
	return true;
}
