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
 * What the index takes for a row at the worst, just after its table of pointers
 * has doubled. The kernel allocates the table, and charges no control group.
 */
#define VSS_INDEX_BYTES 24

/*
 * Rows are charged to the control group of the process that adds them. A
 * search is a quarter slower over 4 KiB pages than over one large one, so the
 * allocator may try hard for the latter; a lack of memory is the caller's
 * ENOMEM, not a reason to kill somebody.
 */
#define VSS_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

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

static struct vss_block *vss_block_alloc(const struct vss_store *store)
{
	struct vss_block *block;
	int ret;

	ret = vss_budget_charge(vss_block_charge(store));
	if (ret)
		return ERR_PTR(ret);
	block = kvmalloc(VSS_BLOCK_BYTES, VSS_GFP);
	if (!block) {
		vss_budget_release(vss_block_charge(store));
		return ERR_PTR(-ENOMEM);
	}
	return block;
}

static void vss_block_free(const struct vss_store *store,
			   struct vss_block *block)
{
	kvfree(block);
	vss_budget_release(vss_block_charge(store));
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
	xa_init_flags(&store->blocks, XA_FLAGS_ACCOUNT);
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
		vss_block_free(store, block);
		cond_resched();
	}
	xa_destroy(&store->blocks);
	mutex_destroy(&store->writers);
}

static struct vss_block *vss_block_of(struct vss_store *store, u32 slot)
{
	return xa_load(&store->blocks, slot / store->rows_per_block);
}

/* Makes the block that holds the next slot, if it is missing. */
static int vss_store_grow(struct vss_store *store)
{
	struct vss_block *block;
	int ret;

	lockdep_assert_held(&store->writers);
	if (store->nr_slots < store->nr_blocks * store->rows_per_block)
		return 0;
	block = vss_block_alloc(store);
	if (IS_ERR(block))
		return PTR_ERR(block);
	ret = xa_insert(&store->blocks, store->nr_blocks, block, VSS_GFP);
	if (ret) {
		vss_block_free(store, block);
		return ret;
	}
	WRITE_ONCE(store->nr_blocks, store->nr_blocks + 1);
	return 0;
}

static int vss_index_insert(struct vss_store *store, struct vss_key *key)
{
	lockdep_assert_held(&store->writers);
	/*
	 * The id is new. Whatever else keeps a hash table from taking one more
	 * key, it is memory that is lacking.
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
				   const u32 *vector)
{
	int ret;

	lockdep_assert_held(&store->writers);
	if (rhashtable_lookup_fast(&store->index, &id, vss_index_params))
		return -EEXIST;
	if (store->nr_slots >= vss_store_capacity())
		return -ENOSPC;
	ret = vss_store_grow(store);
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
 * vss_store_insert() - add a row
 * @store: where
 * @id: the row's id
 * @vector: its components as their bits, as many as the store's dimension
 *
 * Return: 0, -EEXIST, -ENOSPC, -EDQUOT, -ENOMEM, or -EINTR when the caller was
 * killed while it waited for another writer.
 */
int vss_store_insert(struct vss_store *store, u64 id, const u32 *vector)
{
	int ret;

	ret = mutex_lock_killable(&store->writers);
	if (ret)
		return ret;
	ret = vss_store_insert_locked(store, id, vector);
	mutex_unlock(&store->writers);
	return ret;
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
	up_read(&store->lock);
	stats->bytes = (u64)READ_ONCE(store->nr_blocks) * vss_block_charge(store);
}
