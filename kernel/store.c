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
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "batch.h"
#include "budget.h"
#include "distance/distance.h"
#include "index.h"
#include "payload.h"
#include "store.h"

/*
 * What one buddy allocation gives, so that the direct map's huge pages back a
 * block.
 */
#define VSS_BLOCK_BYTES SZ_2M

/*
 * For the few hundred bytes that lead to 64 blocks: allocated under @writers,
 * and so charged to nobody, lest somebody's limits stall all writers.
 */
#define VSS_NODE_GFP (GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* Slots, and cells of the index, are numbered in 32 bits with room to spare. */
#define VSS_MAX_VECTORS_LIMIT 67108864U

/* The slot of an id that is not stored. */
#define VSS_NO_SLOT U32_MAX

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

/**
 * struct vss_block - a block's header
 * @room: link in the store's list of blocks with a free slot, or empty; once
 *        the block is out of the store, in a list of blocks to be freed
 * @index: its place among the store's blocks
 * @nr_live: rows in it; changed under both locks
 * @nr_used: slots that ever held a row, which are the first ones; likewise
 * @hint: no slot before it is free; changed under the store's writers
 * @rows: the rows; the other arrays follow, as struct vss_layout says
 */
struct vss_block {
	struct list_head room;
	u32 index;
	u32 nr_live;
	u32 nr_used;
	u32 hint;
	u32 rows[] __aligned(VSS_ALIGN);
};

static u32 *vss_block_row(const struct vss_store *store,
			  struct vss_block *block, u32 i)
{
	return block->rows + (size_t)i * store->layout.lanes;
}

static u64 *vss_block_id(const struct vss_store *store,
			 struct vss_block *block, u32 i)
{
	return (u64 *)((u8 *)block + store->layout.ids) + i;
}

static u64 *vss_block_tags(const struct vss_store *store,
			   struct vss_block *block, u32 i)
{
	return (u64 *)((u8 *)block + store->layout.tags) + i;
}

static struct vss_payload **vss_block_payload(const struct vss_store *store,
					      struct vss_block *block, u32 i)
{
	return (struct vss_payload **)((u8 *)block + store->layout.payloads) + i;
}

static u32 *vss_block_norm(const struct vss_store *store,
			   struct vss_block *block, u32 i)
{
	return (u32 *)((u8 *)block + store->layout.norms) + i;
}

/* The row's first word in a plane; each further one is VSS_STRIPE words on. */
static u32 *vss_block_code(const struct vss_store *store,
			   struct vss_block *block, u32 plane, u32 i)
{
	size_t stripe = i / VSS_STRIPE * VSS_STRIPE * store->layout.words;

	return (u32 *)((u8 *)block + store->layout.codes[plane]) + stripe +
	       i % VSS_STRIPE;
}

static unsigned long *vss_block_live(const struct vss_store *store,
				     struct vss_block *block)
{
	return (unsigned long *)((u8 *)block + store->layout.live);
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
	layout->live = end;
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
		spare->block = kvmalloc(VSS_BLOCK_BYTES, VSS_GFP);
	if (spare->wants_cells > spare->size) {
		vss_cells_free(spare->cells);
		spare->cells = vss_cells_alloc(spare->wants_cells);
		spare->size = spare->cells ? spare->wants_cells : 0;
	}
	return (spare->block || !spare->wants_block) &&
	       spare->size >= spare->wants_cells;
}

/**
 * vss_spare_free() - free what no store has taken
 * @spare: not to be used any more
 */
void vss_spare_free(struct vss_spare *spare)
{
	kvfree(spare->block);
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

	vss_index_destroy(&store->index);
	xa_for_each(&store->blocks, i, block) {
		vss_block_drop_payloads(store, block);
		kvfree(block);
		vss_budget_release(VSS_BLOCK_BYTES);
		cond_resched();
	}
	xa_destroy(&store->blocks);
	mutex_destroy(&store->writers);
}

static struct vss_block *vss_block_of(struct vss_store *store, u32 slot)
{
	return xa_load(&store->blocks, slot / store->layout.rows_per_block);
}

static u64 vss_store_id(struct vss_store *store, u32 slot)
{
	return *vss_block_id(store, vss_block_of(store, slot),
			     slot % store->layout.rows_per_block);
}

/* Finds the slot of an id, and the path to it in the index. */
static u32 vss_store_find_path(struct vss_store *store, u64 id,
			       struct vss_path *path)
{
	u32 slot;

	vss_index_begin(&store->index, id, path);
	while (vss_index_next(&store->index, path, &slot)) {
		if (vss_store_id(store, slot) == id)
			return slot;
	}
	return VSS_NO_SLOT;
}

static u32 vss_store_find(struct vss_store *store, u64 id)
{
	struct vss_path path;

	return vss_store_find_path(store, id, &path);
}

static void vss_block_init(struct vss_store *store, struct vss_block *block)
{
	INIT_LIST_HEAD(&block->room);
	block->nr_live = 0;
	block->nr_used = 0;
	block->hint = 0;
	bitmap_zero(vss_block_live(store, block), store->layout.rows_per_block);
}

/* Puts the spare block into the store, or sends the caller to allocate it. */
static int vss_store_grow(struct vss_store *store, struct vss_spare *spare)
{
	struct vss_block *block = spare->block;
	int ret;

	lockdep_assert_held(&store->writers);
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
	list_add(&block->room, &store->room);
	WRITE_ONCE(store->nr_blocks, store->nr_blocks + 1);
	return 0;
}

/* Moves all that is left in an old table of the index, some cells a time. */
static void vss_store_settle(struct vss_store *store)
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

/*
 * Makes sure that @more slots can be put into the index: puts the spare table
 * there if it must be, or sends the caller to allocate it.
 */
static int vss_store_widen(struct vss_store *store, u32 more,
			   struct vss_spare *spare)
{
	u32 fit;
	int ret;

	lockdep_assert_held(&store->writers);
	if (!vss_index_is_full(&store->index, more))
		return 0;
	vss_store_settle(store);
	fit = vss_index_fit(&store->index, more);
	if (spare->size < fit) {
		spare->wants_cells = fit;
		return vss_budget_has((u64)fit * sizeof(u64)) ? -EAGAIN :
								-EDQUOT;
	}
	down_write(&store->lock);
	ret = vss_index_replace(&store->index, &spare->cells, spare->size);
	up_write(&store->lock);
	if (!ret)
		spare->size = 0;
	return ret;
}

/* Takes a block without rows out of the store, for vss_free_blocks(). */
static void vss_store_shrink(struct vss_store *store, struct vss_block *block,
			     struct list_head *empty)
{
	lockdep_assert_held(&store->writers);
	lockdep_assert_held_write(&store->lock);
	xa_erase(&store->blocks, block->index);
	list_move(&block->room, empty);
	WRITE_ONCE(store->nr_blocks, store->nr_blocks - 1);
}

static void vss_free_blocks(struct list_head *empty)
{
	struct vss_block *block, *next;

	list_for_each_entry_safe(block, next, empty, room) {
		kvfree(block);
		vss_budget_release(VSS_BLOCK_BYTES);
	}
}

/*
 * Finds a free slot and steps the hint past it, so that the next call finds
 * another, while no row is visible in this one yet.
 */
static int vss_store_take_slot(struct vss_store *store, u32 *slot,
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
			ret = vss_store_grow(store, spare);
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

static void vss_store_return_slot(struct vss_store *store, u32 slot)
{
	struct vss_block *block = vss_block_of(store, slot);
	u32 i = slot % store->layout.rows_per_block;

	lockdep_assert_held(&store->writers);
	block->hint = min(block->hint, i);
	if (list_empty(&block->room))
		list_add_tail(&block->room, &store->room);
}

/* Deals a row's words out to its stripes. */
static void vss_store_write_code(struct vss_store *store,
				 struct vss_block *block, u32 i,
				 const u32 *code)
{
	u32 plane, word, words = store->layout.words;

	for (plane = 0; plane < VSS_PLANES; plane++, code += words) {
		u32 *to = vss_block_code(store, block, plane, i);

		for (word = 0; word < words; word++)
			WRITE_ONCE(to[word * VSS_STRIPE], code[word]);
	}
}

/*
 * Writes row @n of a batch into a slot. What the slot's payload was goes to the
 * batch, which lets go of it once no lock is held.
 */
static void vss_store_write(struct vss_store *store, u32 slot,
			    struct vss_batch *batch, u32 n)
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

/* Writes row @n of a batch into a slot where nobody looks yet. */
static int vss_store_prepare(struct vss_store *store, struct vss_batch *batch,
			     u32 n, struct vss_spare *spare)
{
	struct vss_block *block;
	u32 slot, i;
	int ret;

	ret = vss_store_take_slot(store, &slot, spare);
	if (ret)
		return ret;
	block = vss_block_of(store, slot);
	i = slot % store->layout.rows_per_block;
	memset(vss_block_row(store, block, i) + store->dimension, 0,
	       (store->layout.lanes - store->dimension) * sizeof(u32));
	*vss_block_id(store, block, i) = batch->ids[n];
	*vss_block_payload(store, block, i) = NULL;
	vss_store_write(store, slot, batch, n);
	batch->slots[n] = slot;
	__set_bit(n, batch->marked);
	return 0;
}

/*
 * Finds or makes the slots of a batch's rows, as far as that goes. Stops before
 * an id that it has met already among the new ones, which must be visible first.
 */
static int vss_store_prepare_batch(struct vss_store *store,
				   struct vss_batch *batch, bool upsert,
				   struct vss_spare *spare)
{
	u32 fresh = 0;
	int ret;

	lockdep_assert_held(&store->writers);
	vss_batch_forget(batch);
	for (; batch->prepared < batch->count; batch->prepared++) {
		u32 n = batch->prepared;
		u32 slot = vss_store_find(store, batch->ids[n]);

		if (slot != VSS_NO_SLOT && !upsert)
			return -EEXIST;
		if (slot != VSS_NO_SLOT) {
			batch->slots[n] = slot;
			continue;
		}
		if (!vss_batch_meet(batch, n))
			return 0;
		if (store->count + fresh >= vss_store_capacity(store))
			return -ENOSPC;
		ret = vss_store_widen(store, fresh + 1, spare);
		if (!ret)
			ret = vss_store_prepare(store, batch, n, spare);
		if (ret)
			return ret;
		fresh++;
	}
	return 0;
}

static u32 vss_payload_charge(const struct vss_payload *payload)
{
	return payload ? payload->charge : 0;
}

static void vss_store_publish_row(struct vss_store *store,
				  struct vss_batch *batch, u32 n)
{
	u32 i = batch->slots[n] % store->layout.rows_per_block;
	struct vss_block *block = vss_block_of(store, batch->slots[n]);

	if (test_bit(n, batch->marked)) {
		vss_index_insert(&store->index, batch->ids[n], batch->slots[n]);
		__set_bit(i, vss_block_live(store, block));
		block->nr_live++;
		block->nr_used = max(block->nr_used, i + 1);
		store->count++;
		store->inserts++;
		batch->inserted++;
	} else {
		vss_store_write(store, batch->slots[n], batch, n);
		store->payload_bytes -= vss_payload_charge(batch->payloads[n]);
		store->updates++;
	}
	store->payload_bytes +=
		vss_payload_charge(*vss_block_payload(store, block, i));
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
	vss_cells_free(spent);
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
 * done: -EEXIST, -ENOSPC, -EDQUOT, -ENOMEM, -EINTR when the caller was killed
 * while it waited for another writer, or -EAGAIN when a spare is wanted.
 */
int vss_store_try_put(struct vss_store *store, struct vss_batch *batch,
		      bool upsert, struct vss_spare *spare)
{
	int ret;

	spare->wants_block = false;
	spare->wants_cells = 0;
	ret = mutex_lock_killable(&store->writers);
	if (ret)
		return ret;
	do {
		ret = vss_store_prepare_batch(store, batch, upsert, spare);
		vss_store_publish(store, batch);
	} while (!ret && batch->done < batch->count);
	mutex_unlock(&store->writers);
	return ret;
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
	while (ret == -EAGAIN) {
		bool filled = vss_spare_fill(&spare);

		/* Also if not: another writer may have made room. */
		ret = vss_store_try_put(store, batch, upsert, &spare);
		if (ret == -EAGAIN && !filled)
			ret = -ENOMEM;
	}
	vss_spare_free(&spare);
	return ret;
}

/*
 * Deletes a row. Its payload goes at once; its block, if the row was its last,
 * goes to @empty.
 */
static void vss_store_remove(struct vss_store *store, u32 slot,
			     const struct vss_path *path,
			     struct list_head *empty)
{
	struct vss_block *block = vss_block_of(store, slot);
	u32 i = slot % store->layout.rows_per_block;
	struct vss_payload *payload = *vss_block_payload(store, block, i);

	lockdep_assert_held(&store->writers);
	lockdep_assert_held_write(&store->lock);
	vss_index_remove(&store->index, path);
	__clear_bit(i, vss_block_live(store, block));
	store->payload_bytes -= vss_payload_charge(payload);
	vss_payload_put(payload);
	store->count--;
	store->deletes++;
	vss_store_return_slot(store, slot);
	if (!--block->nr_live)
		vss_store_shrink(store, block, empty);
}

/* Takes both locks, for a moment. */
static int vss_store_lock_all(struct vss_store *store)
{
	int ret = mutex_lock_killable(&store->writers);

	if (!ret)
		down_write(&store->lock);
	return ret;
}

static void vss_store_unlock_all(struct vss_store *store)
{
	up_write(&store->lock);
	mutex_unlock(&store->writers);
}

/*
 * Gives back what the index has too much of, once rows have been deleted; not
 * where memory is lacking.
 */
static void vss_store_trim(struct vss_store *store)
{
	u64 *cells;
	u32 size;

	if (!vss_index_is_sparse(&store->index))
		return;
	size = vss_index_fit(&store->index, 0);
	cells = size > VSS_FIRST_CELLS ? vss_cells_alloc(size) : NULL;
	if (size > VSS_FIRST_CELLS && !cells)
		return;
	mutex_lock(&store->writers);
	vss_store_settle(store);
	/* Rows may have come and gone meanwhile. */
	if (vss_index_is_sparse(&store->index) &&
	    size >= vss_index_fit(&store->index, 0)) {
		down_write(&store->lock);
		vss_index_replace(&store->index, &cells, size);
		up_write(&store->lock);
		vss_store_settle(store);
	}
	mutex_unlock(&store->writers);
	vss_cells_free(cells);
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
	struct vss_path path;
	LIST_HEAD(empty);
	u32 n, slot;
	int ret;

	ret = vss_store_lock_all(store);
	if (ret)
		return ret;
	for (n = 0; n < count; n++) {
		slot = vss_store_find_path(store, ids[n], &path);
		if (slot == VSS_NO_SLOT)
			continue;
		vss_store_remove(store, slot, &path, &empty);
		++*deleted;
	}
	vss_store_unlock_all(store);
	vss_free_blocks(&empty);
	vss_store_trim(store);
	return 0;
}

/* Deletes the matching rows of a section. */
static void vss_store_remove_section(struct vss_store *store,
				     const struct vss_section *section,
				     struct list_head *empty)
{
	struct vss_path path;
	u32 i, slot;

	for_each_set_bit(i, section->matches, section->count) {
		slot = vss_store_find_path(store, section->ids[i], &path);
		vss_store_remove(store, slot, &path, empty);
	}
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
	LIST_HEAD(empty);
	bool more = true;
	u64 slot = 0;

	while (more) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (vss_store_lock_all(store))
			return -EINTR;
		more = vss_store_section(store, slot, VSS_BATCH_ROWS, filter,
					 &section);
		if (more) {
			vss_store_remove_section(store, &section, &empty);
			*deleted += section.matching;
			slot = (u64)section.slot + section.count;
		}
		vss_store_unlock_all(store);
		vss_free_blocks(&empty);
		INIT_LIST_HEAD(&empty);
		cond_resched();
	}
	vss_store_trim(store);
	return 0;
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

	bitmap_zero(section->matches, VSS_SECTION_ROWS);
	if (all && find_next_zero_bit(live, first + section->count, first) >=
		   first + section->count) {
		bitmap_set(section->matches, 0, section->count);
		section->live = section->count;
		section->matching = section->count;
		return;
	}
	section->live = 0;
	section->matching = 0;
	for (i = 0; i < section->count; i++) {
		if (!test_bit(first + i, live))
			continue;
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
	for (plane = 0; plane < VSS_PLANES; plane++) {
		bool whole = vss_store_has_codes(store) && !(i % VSS_STRIPE);

		section->planes[plane] =
			whole ? vss_block_code(store, block, plane, i) : NULL;
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
	u32 n, slot;

	if (down_read_killable(&store->lock))
		return -EINTR;
	for (n = 0; n < batch->count; n++) {
		slot = vss_store_find(store, batch->ids[n]);
		if (slot != VSS_NO_SLOT) {
			vss_store_read(store, slot, batch, n);
			continue;
		}
		memset(vss_batch_vector(batch, n), 0,
		       store->dimension * sizeof(u32));
		batch->tags[n] = 0;
	}
	up_read(&store->lock);
	return 0;
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

	if (down_read_killable(&store->lock))
		return -EINTR;
	if (!vss_store_section(store, *cursor, VSS_BATCH_ROWS, filter,
			       &section)) {
		*cursor = VSS_CURSOR_END;
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
	return 0;
}

/**
 * vss_store_stats() - read a store's counters
 * @store: not locked by the caller
 * @stats: to be filled in
 */
void vss_store_stats(struct vss_store *store, struct vss_store_stats *stats)
{
	down_read(&store->lock);
	stats->count = store->count;
	stats->payload_bytes = store->payload_bytes;
	stats->inserts = store->inserts;
	stats->updates = store->updates;
	stats->deletes = store->deletes;
	stats->bytes = (u64)READ_ONCE(store->nr_blocks) * VSS_BLOCK_BYTES +
		       vss_index_bytes(&store->index) + store->payload_bytes;
	up_read(&store->lock);
}
