// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks, slots and the index of ids: see store.h for the layout and the locks.
 */
#include <linux/align.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "budget.h"
#include "distance/distance.h"
#include "store.h"

/*
 * What one buddy allocation gives, so that the direct map's huge pages back a
 * block.
 */
#define VSS_BLOCK_BYTES SZ_2M

/*
 * What the index takes for a row at most, apart from the moment in which its
 * table of pointers doubles. The kernel allocates the table, and charges no
 * control group.
 */
#define VSS_INDEX_BYTES 24

/*
 * For the few hundred bytes that lead to 64 blocks: allocated under @writers,
 * and so charged to nobody, lest somebody's limits stall all writers.
 */
#define VSS_NODE_GFP (GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/*
 * The index doubles its table when it is three quarters full, and the kernel
 * allocates none of more than 2^27 pointers: it would end at 100 million rows.
 */
#define VSS_MAX_VECTORS_LIMIT 67108864U

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

static const struct rhashtable_params vss_index_params = {
	.key_offset = offsetof(struct vss_key, id),
	.key_len = sizeof_field(struct vss_key, id),
	.head_offset = offsetof(struct vss_key, node),
	.automatic_shrinking = true,
};

static u32 *vss_block_row(const struct vss_store *store,
			  struct vss_block *block, u32 i)
{
	return (u32 *)block + (size_t)i * store->lanes;
}

static struct vss_key *vss_block_key(const struct vss_store *store,
				     struct vss_block *block, u32 i)
{
	u32 *keys = vss_block_row(store, block, store->rows_per_block);

	return (struct vss_key *)keys + i;
}

static size_t vss_row_bytes(const struct vss_store *store)
{
	return store->lanes * sizeof(u32) + sizeof(struct vss_key);
}

/* What a block costs: its own memory and its rows' share of the index. */
static size_t vss_block_charge(const struct vss_store *store)
{
	return VSS_BLOCK_BYTES + store->rows_per_block * VSS_INDEX_BYTES;
}

/**
 * vss_block_alloc() - allocate a block
 *
 * A search is a quarter slower over 4 KiB pages than over one large one: see
 * kvmalloc_node() for why __GFP_RETRY_MAYFAIL makes the latter likely.
 *
 * Return: the block, for vss_store_try_insert() or vss_block_free(), or NULL.
 */
struct vss_block *vss_block_alloc(void)
{
	return kvmalloc(VSS_BLOCK_BYTES, VSS_GFP);
}

/**
 * vss_block_free() - free a block that no store took
 * @block: the block, or NULL
 */
void vss_block_free(struct vss_block *block)
{
	kvfree(block);
}

/**
 * vss_store_lanes() - pad a dimension
 * @dimension: components of a vector
 *
 * Return: components of the vector once padded.
 */
u32 vss_store_lanes(u32 dimension)
{
	return ALIGN(dimension, VSS_LANES);
}

/**
 * vss_store_capacity() - rows that a store may hold
 *
 * Return: the module parameter max_vectors.
 */
u32 vss_store_capacity(void)
{
	return READ_ONCE(max_vectors);
}

/**
 * vss_store_init() - make an empty store
 * @store: to be initialized
 * @dimension: components of its rows
 *
 * Return: 0 or -ENOMEM.
 */
int vss_store_init(struct vss_store *store, u32 dimension)
{
	store->dimension = dimension;
	store->lanes = vss_store_lanes(dimension);
	store->rows_per_block = VSS_BLOCK_BYTES / vss_row_bytes(store);
	mutex_init(&store->writers);
	xa_init(&store->blocks);
	store->nr_blocks = 0;
	init_rwsem(&store->lock);
	store->nr_slots = 0;
	store->adds = 0;
	return rhashtable_init(&store->index, &vss_index_params);
}

/**
 * vss_store_destroy() - free a store and all of its rows
 * @store: one that no other thread can reach any more
 */
void vss_store_destroy(struct vss_store *store)
{
	struct vss_block *block;
	unsigned long i;

	/* The index links keys inside the blocks: it goes first. */
	rhashtable_destroy(&store->index);
	xa_for_each(&store->blocks, i, block) {
		vss_block_free(block);
		vss_budget_release(vss_block_charge(store));
		cond_resched();
	}
	xa_destroy(&store->blocks);
	mutex_destroy(&store->writers);
}

static struct vss_block *vss_block_of(struct vss_store *store, u32 slot)
{
	return xa_load(&store->blocks, slot / store->rows_per_block);
}

/*
 * Makes *spare the block that holds the next slot, if that is missing. Without
 * a spare the caller is sent to allocate one, unless it would be for nothing.
 */
static int vss_store_grow(struct vss_store *store, struct vss_block **spare)
{
	size_t charge = vss_block_charge(store);
	int ret;

	lockdep_assert_held(&store->writers);
	if (store->nr_slots < store->nr_blocks * store->rows_per_block)
		return 0;
	if (!*spare)
		return vss_budget_has(charge) ? -EAGAIN : -EDQUOT;
	ret = vss_budget_charge(charge);
	if (ret)
		return ret;
	ret = xa_insert(&store->blocks, store->nr_blocks, *spare, VSS_NODE_GFP);
	if (ret) {
		vss_budget_release(charge);
		return ret;
	}
	*spare = NULL;
	WRITE_ONCE(store->nr_blocks, store->nr_blocks + 1);
	return 0;
}

static int vss_index_insert(struct vss_store *store, struct vss_key *key)
{
	lockdep_assert_held(&store->writers);
	/*
	 * The id is new. Whatever else keeps a hash table from taking one more
	 * key is a lack of memory, if only for the moment.
	 */
	return rhashtable_insert_fast(&store->index, &key->node,
				      vss_index_params) ? -ENOMEM : 0;
}

/* Writes a row into the next slot, where no search looks yet. */
static int vss_store_prepare(struct vss_store *store, u64 id, const u32 *vector)
{
	u32 i = store->nr_slots % store->rows_per_block;
	struct vss_block *block = vss_block_of(store, store->nr_slots);
	struct vss_key *key = vss_block_key(store, block, i);
	u32 *row = vss_block_row(store, block, i);

	memcpy(row, vector, store->dimension * sizeof(u32));
	memset(row + store->dimension, 0,
	       (store->lanes - store->dimension) * sizeof(u32));
	key->id = id;
	return vss_index_insert(store, key);
}

static int vss_store_insert_locked(struct vss_store *store, u64 id,
				   const u32 *vector, struct vss_block **spare)
{
	int ret;

	lockdep_assert_held(&store->writers);
	if (rhashtable_lookup_fast(&store->index, &id, vss_index_params))
		return -EEXIST;
	if (store->nr_slots >= vss_store_capacity())
		return -ENOSPC;
	ret = vss_store_grow(store, spare);
	if (ret)
		return ret;
	ret = vss_store_prepare(store, id, vector);
	if (ret)
		return ret;

	down_write(&store->lock);
	store->nr_slots++;
	store->adds++;
	up_write(&store->lock);
	return 0;
}

/**
 * vss_store_try_insert() - add a row, if memory is at hand
 * @store: where
 * @id: the row's id
 * @vector: its components as their bits, as many as the store's dimension
 * @spare: *@spare is a block for the store to take, which sets it to NULL, or
 *         NULL
 *
 * Return: 0, -EEXIST, -ENOSPC, -EDQUOT, -ENOMEM, -EINTR when the caller was
 * killed while it waited for another writer, or -EAGAIN when a spare is wanted.
 */
int vss_store_try_insert(struct vss_store *store, u64 id, const u32 *vector,
			 struct vss_block **spare)
{
	int ret;

	ret = mutex_lock_killable(&store->writers);
	if (ret)
		return ret;
	ret = vss_store_insert_locked(store, id, vector, spare);
	mutex_unlock(&store->writers);
	return ret;
}

/**
 * vss_store_insert() - add a row
 * @store: where
 * @id: the row's id
 * @vector: its components as their bits, as many as the store's dimension
 *
 * Return: as vss_store_try_insert() does, but for -EAGAIN.
 */
int vss_store_insert(struct vss_store *store, u64 id, const u32 *vector)
{
	struct vss_block *spare = NULL;
	int ret;

	ret = vss_store_try_insert(store, id, vector, &spare);
	if (ret != -EAGAIN)
		return ret;
	spare = vss_block_alloc();
	/* Also without a spare: another writer's block may be there by now. */
	ret = vss_store_try_insert(store, id, vector, &spare);
	vss_block_free(spare);
	return ret == -EAGAIN ? -ENOMEM : ret;
}

/**
 * vss_store_section() - the rows to be scanned next
 * @store: locked for reading
 * @slot: the first slot
 * @section: to be filled in
 *
 * Return: false when there is no row at @slot or beyond it.
 */
bool vss_store_section(struct vss_store *store, u32 slot,
		       struct vss_section *section)
{
	struct vss_block *block;
	u32 i, count;

	lockdep_assert_held(&store->lock);
	if (slot >= store->nr_slots)
		return false;
	block = vss_block_of(store, slot);
	i = slot % store->rows_per_block;
	count = min(store->rows_per_block - i, store->nr_slots - slot);
	count = min_t(u32, count, VSS_SECTION_ROWS);
	count = min_t(u32, count,
		      VSS_SECTION_BYTES / (store->lanes * sizeof(u32)));
	section->rows = vss_block_row(store, block, i);
	section->keys = vss_block_key(store, block, i);
	section->count = count;
	return true;
}

/**
 * vss_store_stats() - read a store's counters
 * @store: not locked by the caller
 * @stats: to be filled in
 */
void vss_store_stats(struct vss_store *store, struct vss_store_stats *stats)
{
	down_read(&store->lock);
	stats->count = store->nr_slots;
	stats->adds = store->adds;
	stats->bytes = (u64)READ_ONCE(store->nr_blocks) * vss_block_charge(store);
	up_read(&store->lock);
}
