// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks, slots and the index of ids: see store.h for the layout and the locks.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/prefetch.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "batch.h"
#include "block.h"
#include "budget.h"
#include "distance/distance.h"
#include "evict.h"
#include "expiry.h"
#include "hits.h"
#include "index.h"
#include "order.h"
#include "payload.h"
#include "shrink.h"
#include "store.h"

/* Words of a row's code that are asked for early, in each plane. */
#define VSS_EXPECT_WORDS 64U

/*
 * For the few hundred bytes that lead to 64 blocks: allocated under @writers, and
 * so charged to nobody, lest somebody's limits stall all writers; and without
 * reclaim, lest what the store could give back be out of its reach.
 */
#define VSS_NODE_GFP (GFP_ATOMIC | __GFP_NOWARN)

/* Slots, and cells of the index, are numbered in 32 bits with room to spare. */
#define VSS_MAX_VECTORS_LIMIT 67108864U

/* Cells of an old table that are moved in one go, at most. */
#define VSS_SETTLE_CELLS 4096

static unsigned int max_vectors = 16777216;

static int vss_set_max_vectors(const char *value, const struct kernel_param *kp)
{
	return param_set_uint_minmax(value, kp, 1, VSS_MAX_VECTORS_LIMIT);
}

static const struct kernel_param_ops vss_max_vectors_ops = {
	.set = vss_set_max_vectors,
	.get = param_get_uint,
};

module_param_cb(max_vectors, &vss_max_vectors_ops, &max_vectors, 0644);
__MODULE_PARM_TYPE(max_vectors, "uint");
MODULE_PARM_DESC(max_vectors, "Rows that a collection may hold, 1 to 67108864 (default 16777216)");

/* The first word of the row's stripe in a plane. */
static u32 *vss_block_stripe(const struct vss_store *store,
			     struct vss_block *block, u32 plane, u32 i)
{
	return (u32 *)((u8 *)block + store->layout.codes[plane]) +
	       i / VSS_STRIPE * VSS_STRIPE * (size_t)store->layout.words;
}

/* Lays the arrays of a block of @rows rows out; returns where they end. */
static size_t vss_layout_place(struct vss_layout *layout, u32 rows,
			       bool has_norms)
{
	/* Stripes, and the norms that are looked at with them, are whole. */
	size_t slots = ALIGN(rows, VSS_STRIPE);
	size_t end = offsetof(struct vss_block, rows) +
		     (size_t)rows * layout->lanes * sizeof(u32);
	u32 i;

	layout->rows_per_block = rows;
	for (i = 0; i < VSS_PLANES; i++) {
		layout->codes[i] = end;
		end += slots * layout->words * sizeof(u32);
	}
	layout->norms = end;
	end += has_norms ? slots * sizeof(u32) : 0;
	end = ALIGN(end, sizeof(u64));
	layout->ids = end;
	end += rows * sizeof(u64);
	layout->tags = end;
	end += rows * sizeof(u64);
	layout->payloads = end;
	end += rows * sizeof(struct vss_payload *);
	layout->links = end;
	end += rows * sizeof(struct vss_link);
	layout->live = end;
	end += BITS_TO_LONGS(rows) * sizeof(long);
	layout->used = end;
	return end + BITS_TO_LONGS(rows) * sizeof(long);
}

static void vss_layout_init(struct vss_layout *layout, u32 dimension,
			    bool has_norms, bool has_codes)
{
	u32 rows, row_bytes;

	layout->lanes = vss_store_lanes(dimension);
	layout->words = has_codes ? vss_code_words(layout->lanes) : 0;
	row_bytes = layout->lanes * sizeof(u32);
	rows = VSS_BLOCK_BYTES / row_bytes;
	while (vss_layout_place(layout, rows, has_norms) > VSS_BLOCK_BYTES)
		rows--;
	layout->search_bytes = has_codes ? layout->words * sizeof(u32) :
					   row_bytes;
	rows = has_codes ? VSS_SECTION_CODES : VSS_SECTION_BYTES;
	rows = ALIGN_DOWN(rows / layout->search_bytes, VSS_STRIPE);
	layout->section_rows = clamp_t(u32, rows, VSS_STRIPE, VSS_SECTION_ROWS);
}

/* Allocates a block, and with it how the kernel finds it. */
static struct vss_block *vss_block_create(void)
{
	struct vss_block *block = kvmalloc(VSS_BLOCK_BYTES, VSS_GFP);

	if (!block)
		return NULL;
	block->handle = vss_handle_create();
	if (block->handle)
		return block;
	kvfree(block);
	return NULL;
}

/**
 * vss_block_free() - free a block that was charged to the budget
 * @store: where it was
 * @block: the block, without payloads
 */
void vss_block_free(struct vss_store *store, struct vss_block *block)
{
	size_t bytes = VSS_BLOCK_BYTES;

	if (block->expiries)
		bytes += vss_expiries_bytes(store);
	vss_handle_free(block->handle);
	kvfree(block->expiries);
	kvfree(block);
	vss_budget_release(bytes);
}

/**
 * vss_spare_fill() - allocate what a store wants
 * @spare: as vss_store_try_put() left it
 *
 * A search is a quarter slower over 4 KiB pages than over one large one: see
 * kvmalloc_node() for why __GFP_RETRY_MAYFAIL makes the latter likely.
 *
 * Return: whether it has got all that was wanted.
 */
bool vss_spare_fill(struct vss_spare *spare)
{
	if (spare->wants_block && !spare->block)
		spare->block = vss_block_create();
	if (spare->wants_expiries && !spare->expiries)
		spare->expiries = kvmalloc(spare->wants_expiries, VSS_GFP);
	if (spare->wants_cells > spare->size) {
		vss_cells_free(spare->cells);
		spare->cells = vss_cells_alloc(spare->wants_cells);
		spare->size = spare->cells ? spare->wants_cells : 0;
	}
	return (spare->block || !spare->wants_block) &&
	       (spare->expiries || !spare->wants_expiries) &&
	       spare->size >= spare->wants_cells;
}

/**
 * vss_spare_free() - free what no store has taken
 * @spare: not to be used any more
 */
void vss_spare_free(struct vss_spare *spare)
{
	if (spare->block) {
		vss_handle_free(spare->block->handle);
		kvfree(spare->block);
	}
	kvfree(spare->expiries);
	vss_cells_free(spare->cells);
}

/**
 * vss_max_vectors() - rows that any store may hold
 *
 * Return: the module parameter max_vectors.
 */
u32 vss_max_vectors(void)
{
	return READ_ONCE(max_vectors);
}

/**
 * vss_store_capacity() - rows that a store may hold
 * @store: the store
 *
 * Return: the lower of its own capacity and the driver's.
 */
u32 vss_store_capacity(const struct vss_store *store)
{
	u32 capacity = READ_ONCE(store->capacity);

	return min(capacity ?: U32_MAX, vss_max_vectors());
}

/**
 * vss_store_init() - make an empty store
 * @store: zeroed, to be initialized
 * @dimension: components of its rows
 * @has_norms: whether rows come with norms
 * @has_codes: whether rows come with codes
 */
void vss_store_init(struct vss_store *store, u32 dimension, bool has_norms,
		    bool has_codes)
{
	store->dimension = dimension;
	store->has_norms = has_norms;
	vss_layout_init(&store->layout, dimension, has_norms, has_codes);
	mutex_init(&store->writers);
	xa_init_flags(&store->blocks, XA_FLAGS_ALLOC);
	INIT_LIST_HEAD(&store->room);
	init_rwsem(&store->lock);
	vss_index_init(&store->index);
	vss_order_init(store);
	vss_expiry_init(store);
}

static void vss_block_drop_payloads(struct vss_store *store,
				    struct vss_block *block)
{
	unsigned long *live = vss_block_live(store, block);
	u32 i;

	for_each_set_bit(i, live, store->layout.rows_per_block)
		vss_payload_put(*vss_block_payload(store, block, i));
}

/**
 * vss_store_destroy() - free a store and all of its rows
 * @store: one that no other thread can reach any more
 */
void vss_store_destroy(struct vss_store *store)
{
	struct vss_block *block;
	unsigned long i;

	/* The kernel's reclaim may be at it; hereafter it finds nothing any more. */
	mutex_lock(&store->writers);
	xa_for_each(&store->blocks, i, block)
		vss_handle_unlist(block->handle);
	mutex_unlock(&store->writers);
	vss_unpinned_wait(store);
	vss_expiry_stop(store);
	vss_index_destroy(&store->index);
	xa_for_each(&store->blocks, i, block) {
		vss_block_drop_payloads(store, block);
		vss_block_free(store, block);
		cond_resched();
	}
	xa_destroy(&store->blocks);
	mutex_destroy(&store->writers);
}

/**
 * vss_store_find_path() - find a row
 * @store: either lock held
 * @id: its id
 * @path: the path to its slot in the index
 *
 * Return: the slot, or VSS_NO_SLOT.
 */
u32 vss_store_find_path(struct vss_store *store, u64 id, struct vss_path *path)
{
	u32 slot;

	vss_index_begin(&store->index, id, path);
	while (vss_index_next(&store->index, path, &slot)) {
		if (vss_store_id(store, slot) == id)
			return slot;
	}
	return VSS_NO_SLOT;
}

/**
 * vss_store_find() - find a row
 * @store: either lock held
 * @id: its id
 *
 * Return: its slot, or VSS_NO_SLOT.
 */
u32 vss_store_find(struct vss_store *store, u64 id)
{
	struct vss_path path;

	return vss_store_find_path(store, id, &path);
}

static void vss_block_init(struct vss_store *store, struct vss_block *block)
{
	INIT_LIST_HEAD(&block->room);
	vss_handle_bind(block->handle, store, block);
	block->expiries = NULL;
	block->soonest = VSS_NEVER;
	block->nr_live = 0;
	block->nr_used = 0;
	block->hint = 0;
	bitmap_zero(vss_block_live(store, block), store->layout.rows_per_block);
	bitmap_zero(vss_block_used(store, block), store->layout.rows_per_block);
}

/*
 * Puts the spare block into the store, or sends the caller to allocate it. The
 * first row of it will be over at @expiry.
 */
static int vss_store_grow(struct vss_store *store, u64 expiry,
			  struct vss_spare *spare)
{
	struct vss_block *block = spare->block;
	int ret;

	lockdep_assert_held(&store->writers);
	if (vss_store_is_past(store, VSS_BLOCK_BYTES +
			      vss_expiry_bytes(store, expiry)))
		return -EDQUOT;
	/* Not for nothing. */
	if (!block) {
		spare->wants_block = true;
		return vss_budget_has(VSS_BLOCK_BYTES) ? -EAGAIN : -EDQUOT;
	}
	ret = vss_budget_charge(VSS_BLOCK_BYTES);
	if (ret)
		return ret;
	vss_block_init(store, block);
	ret = xa_alloc(&store->blocks, &block->index, block, xa_limit_31b,
		       VSS_NODE_GFP);
	if (ret) {
		vss_budget_release(VSS_BLOCK_BYTES);
		return -ENOMEM;
	}
	spare->block = NULL;
	spare->wants_block = false;
	if (vss_store_evicts(store))
		vss_handle_list(block->handle);
	list_add(&block->room, &store->room);
	WRITE_ONCE(store->nr_blocks, store->nr_blocks + 1);
	return 0;
}

/**
 * vss_store_settle() - move all that is left in an old table of the index
 * @store: its writers held
 */
void vss_store_settle(struct vss_store *store)
{
	u64 *spent;

	lockdep_assert_held(&store->writers);
	while (store->index.old.cells) {
		down_write(&store->lock);
		spent = vss_index_move(&store->index, VSS_SETTLE_CELLS);
		up_write(&store->lock);
		vss_cells_free(spent);
		cond_resched();
	}
}

/**
 * vss_store_widen() - make sure that slots can be put into the index
 * @store: its writers held
 * @more: how many
 * @spare: may have a table, which goes there if it must be
 *
 * Return: 0, -EDQUOT, or -EAGAIN to send the caller to allocate one.
 */
int vss_store_widen(struct vss_store *store, u32 more, struct vss_spare *spare)
{
	u32 fit;
	int ret;

	lockdep_assert_held(&store->writers);
	if (!vss_index_is_full(&store->index, more))
		return 0;
	vss_store_settle(store);
	fit = vss_index_fit(&store->index, more);
	if (vss_store_is_past(store, (u64)fit * sizeof(u64)))
		return -EDQUOT;
	if (spare->size < fit) {
		spare->wants_cells = fit;
		return vss_budget_has((u64)fit * sizeof(u64)) ? -EAGAIN :
								-EDQUOT;
	}
	down_write(&store->lock);
	ret = vss_index_replace(&store->index, &spare->cells, spare->size);
	up_write(&store->lock);
	if (!ret) {
		spare->size = 0;
		spare->wants_cells = 0;
	}
	return ret;
}

/**
 * vss_store_take_slot() - find a free slot
 * @store: its writers held
 * @slot: out: the slot
 * @expiry: when the row that it is for is over
 * @spare: may have a block, which is put into the store if it must be
 *
 * Steps the hint past it, so that the next call finds another, while no row is
 * visible in this one yet.
 *
 * Return: 0, -EDQUOT, -ENOMEM, or -EAGAIN to send the caller to allocate one.
 */
int vss_store_take_slot(struct vss_store *store, u32 *slot, u64 expiry,
			struct vss_spare *spare)
{
	u32 rows = store->layout.rows_per_block;
	struct vss_block *block;
	u32 i;
	int ret;

	lockdep_assert_held(&store->writers);
	for (;;) {
		block = list_first_entry_or_null(&store->room, struct vss_block,
						 room);
		if (!block) {
			ret = vss_store_grow(store, expiry, spare);
			if (ret)
				return ret;
			continue;
		}
		i = find_next_zero_bit(vss_block_live(store, block), rows,
				       block->hint);
		if (i < rows)
			break;
		block->hint = rows;
		list_del_init(&block->room);
	}
	block->hint = i + 1;
	*slot = block->index * rows + i;
	return 0;
}

/**
 * vss_store_return_slot() - let a slot be taken again
 * @store: its writers held
 * @slot: where no row is, or will be
 */
void vss_store_return_slot(struct vss_store *store, u32 slot)
{
	struct vss_block *block = vss_block_of(store, slot);
	u32 i = slot % store->layout.rows_per_block;

	lockdep_assert_held(&store->writers);
	block->hint = min(block->hint, i);
	if (list_empty(&block->room))
		list_add_tail(&block->room, &store->room);
}

/**
 * vss_store_expect_stripe() - ask for what new rows are dealt out to next
 * @store: its writers held
 * @block: where they go
 * @i: the first row of a stripe; the one behind it is asked for
 */
void vss_store_expect_stripe(struct vss_store *store, struct vss_block *block,
			     u32 i)
{
	u32 plane, word, words = min(store->layout.words, VSS_EXPECT_WORDS);

	lockdep_assert_held(&store->writers);
	if (i + VSS_STRIPE >= store->layout.rows_per_block)
		return;
	for (plane = 0; plane < VSS_PLANES; plane++) {
		const u32 *stripe = vss_block_stripe(store, block, plane,
						     i + VSS_STRIPE);

		for (word = 0; word < words; word++)
			prefetchw(stripe + word * VSS_STRIPE);
	}
}

/* Deals a row's words out to its stripes. */
static void vss_store_write_code(struct vss_store *store,
				 struct vss_block *block, u32 i,
				 const u32 *code)
{
	u32 plane, words = store->layout.words;

	for (plane = 0; plane < VSS_PLANES; plane++, code += words)
		vss_distance_deal(vss_block_stripe(store, block, plane, i),
				  i % VSS_STRIPE, code, words);
}

/**
 * vss_store_write() - write a row of a batch into a slot
 * @store: both locks held, but for a slot where nobody looks
 * @slot: the slot
 * @batch: the batch; it gets what the slot's payload was, and lets go of it once
 *         no lock is held
 * @n: which of its rows
 */
void vss_store_write(struct vss_store *store, u32 slot, struct vss_batch *batch,
		     u32 n)
{
	u32 i = slot % store->layout.rows_per_block;
	struct vss_block *block = vss_block_of(store, slot);

	memcpy(vss_block_row(store, block, i), vss_batch_vector(batch, n),
	       store->dimension * sizeof(u32));
	*vss_block_tags(store, block, i) = batch->tags[n];
	if (store->has_norms)
		WRITE_ONCE(*vss_block_norm(store, block, i), batch->norms[n]);
	if (vss_store_has_codes(store))
		vss_store_write_code(store, block, i, vss_batch_code(batch, n));
	swap(*vss_block_payload(store, block, i), batch->payloads[n]);
}

/* Finds out which rows of a section are there and match. */
static void vss_section_match(struct vss_store *store, struct vss_block *block,
			      const struct vss_filter *filter,
			      struct vss_section *section)
{
	u32 i, first = section->slot % store->layout.rows_per_block;
	const unsigned long *live = vss_block_live(store, block);
	const u64 *tags = vss_block_tags(store, block, first);
	bool all = !filter->mask && !filter->value;
	u64 now = vss_expiry_now(block->soonest);

	bitmap_zero(section->matches, VSS_SECTION_ROWS);
	if (all && block->soonest > now &&
	    find_next_zero_bit(live, first + section->count, first) >=
		   first + section->count) {
		bitmap_set(section->matches, 0, section->count);
		section->live = section->count;
		section->over = 0;
		section->matching = section->count;
		return;
	}
	section->live = 0;
	section->over = 0;
	section->matching = 0;
	for (i = 0; i < section->count; i++) {
		if (!test_bit(first + i, live))
			continue;
		if (vss_block_is_over(block, first + i, now)) {
			section->over++;
			continue;
		}
		section->live++;
		if ((tags[i] & filter->mask) != filter->value)
			continue;
		__set_bit(i, section->matches);
		section->matching++;
	}
}

/* The first block that has used slots at @slot or beyond; moves @slot there. */
static struct vss_block *vss_store_block_from(struct vss_store *store,
					      u64 *slot)
{
	u32 rows = store->layout.rows_per_block;
	unsigned long index = *slot / rows;
	struct vss_block *block;

	block = xa_find(&store->blocks, &index, ULONG_MAX, XA_PRESENT);
	while (block) {
		*slot = max(*slot, (u64)index * rows);
		if (*slot % rows < block->nr_used)
			return block;
		block = xa_find_after(&store->blocks, &index, ULONG_MAX,
				      XA_PRESENT);
	}
	return NULL;
}

/**
 * vss_store_section() - the rows to be looked at next
 * @store: locked for reading
 * @slot: the first slot
 * @room: slots to be looked at, at most VSS_SECTION_ROWS
 * @filter: which rows are wanted
 * @section: to be filled in
 *
 * Return: false when there is no row at @slot or beyond it.
 */
bool vss_store_section(struct vss_store *store, u64 slot, u32 room,
		       const struct vss_filter *filter,
		       struct vss_section *section)
{
	struct vss_block *block;
	u32 i, plane;

	lockdep_assert_held(&store->lock);
	block = vss_store_block_from(store, &slot);
	if (!block)
		return false;
	i = slot % store->layout.rows_per_block;
	section->slot = slot;
	section->count = min(block->nr_used - i, room);
	section->rows = vss_block_row(store, block, i);
	section->norms = vss_block_norm(store, block, i);
	section->ids = vss_block_id(store, block, i);
	/* Rows that came after the last section may begin within a stripe. */
	if (i % VSS_STRIPE)
		section->count = min(section->count,
				     VSS_STRIPE - i % VSS_STRIPE);
	for (plane = 0; plane < VSS_PLANES; plane++) {
		bool whole = vss_store_has_codes(store) && !(i % VSS_STRIPE);

		section->planes[plane] =
			whole ? vss_block_stripe(store, block, plane, i) : NULL;
	}
	vss_section_match(store, block, filter, section);
	return true;
}

/* Copies the row in a slot to place @n of a batch. */
static void vss_store_read(struct vss_store *store, u32 slot,
			   struct vss_batch *batch, u32 n)
{
	u32 i = slot % store->layout.rows_per_block;
	struct vss_block *block = vss_block_of(store, slot);

	lockdep_assert_held(&store->lock);
	memcpy(vss_batch_vector(batch, n), vss_block_row(store, block, i),
	       store->dimension * sizeof(u32));
	batch->ids[n] = *vss_block_id(store, block, i);
	batch->tags[n] = *vss_block_tags(store, block, i);
	batch->payloads[n] = vss_payload_get(*vss_block_payload(store, block, i));
	batch->slots[n] = slot;
	__set_bit(n, batch->marked);
}

/**
 * vss_store_get() - read rows by their ids
 * @store: where
 * @batch: an empty one but for its ids and count. Filled in; rows that are
 *         stored are marked, the others are all zeros.
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_store_get(struct vss_store *store, struct vss_batch *batch)
{
	bool over = false;
	u32 n, slot;
	u64 now;

	if (vss_store_lock_reading(store))
		return -EINTR;
	now = vss_expiry_now(READ_ONCE(store->soonest));
	for (n = 0; n < batch->count; n++) {
		slot = vss_store_find(store, batch->ids[n]);
		if (slot != VSS_NO_SLOT && !vss_store_is_over(store, slot, now)) {
			vss_store_read(store, slot, batch, n);
			vss_order_mark(store, slot);
			continue;
		}
		over |= slot != VSS_NO_SLOT;
		memset(vss_batch_vector(batch, n), 0,
		       store->dimension * sizeof(u32));
		batch->tags[n] = 0;
	}
	up_read(&store->lock);
	if (over)
		vss_expiry_meet(store);
	return 0;
}

/**
 * vss_store_unique() - see that no row is among a search's hits twice
 * @store: not locked by the caller
 * @hits: the hits, by their ids
 * @count: how many
 *
 * A row that was deleted while a search went by, and put again, may have been seen
 * in two places: then the one where it is now stays; or the nearer, where it is in
 * neither any more.
 *
 * Return: how many are left; or 0 when the caller was killed.
 */
u32 vss_store_unique(struct vss_store *store, struct vss_hit *hits, u32 count)
{
	u32 i, left = 0;

	for (i = 0; i < count; i++) {
		if (!left || hits[i].id != hits[left - 1].id) {
			hits[left++] = hits[i];
			continue;
		}
		if (vss_store_lock_reading(store))
			return 0;
		if (vss_store_find(store, hits[i].id) == hits[i].slot)
			hits[left - 1] = hits[i];
		up_read(&store->lock);
	}
	return left;
}

/**
 * vss_store_scan() - read the next rows
 * @store: where
 * @filter: which rows are wanted
 * @batch: rows are added to it while it has room
 * @cursor: the slot to begin with; moved on, to VSS_CURSOR_END after the last
 *          row
 *
 * Looks at one section; so the batch may stay empty, or have room left.
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_store_scan(struct vss_store *store, const struct vss_filter *filter,
		   struct vss_batch *batch, u64 *cursor)
{
	struct vss_section section;
	u32 i;

	if (vss_store_lock_reading(store))
		return -EINTR;
	if (!vss_store_section(store, *cursor, VSS_BATCH_ROWS, filter,
			       &section)) {
		*cursor = VSS_CURSOR_END;
		section.over = 0;
		goto unlock;
	}
	*cursor = (u64)section.slot + section.count;
	for_each_set_bit(i, section.matches, section.count) {
		if (batch->count == batch->room) {
			*cursor = (u64)section.slot + i;
			break;
		}
		vss_store_read(store, section.slot + i, batch, batch->count++);
	}
unlock:
	up_read(&store->lock);
	if (section.over)
		vss_expiry_meet(store);
	return 0;
}

/**
 * vss_store_bytes() - memory of a store
 * @store: either lock held
 *
 * Return: bytes, as they are charged to the budget.
 */
u64 vss_store_bytes(const struct vss_store *store)
{
	return (u64)READ_ONCE(store->nr_blocks) * VSS_BLOCK_BYTES +
	       READ_ONCE(store->expiries_bytes) +
	       vss_index_bytes(&store->index) + store->payload_bytes;
}

/**
 * vss_store_stats() - read a store's counters
 * @store: not locked by the caller
 * @stats: to be filled in
 */
void vss_store_stats(struct vss_store *store, struct vss_store_stats *stats)
{
	u64 over;

	/* A killed caller need not let reclaim pass: it is to end. */
	if (vss_store_lock_reading(store))
		down_read(&store->lock);
	over = vss_expiry_count(store);
	stats->count = store->count - over;
	stats->payload_bytes = store->payload_bytes;
	stats->inserts = store->inserts;
	stats->updates = store->updates;
	memcpy(stats->gone, store->gone, sizeof(stats->gone));
	stats->gone[VSS_EXPIRED] += over;
	stats->bytes = vss_store_bytes(store);
	up_read(&store->lock);
}
