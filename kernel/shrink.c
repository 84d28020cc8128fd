// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel may take back: see shrink.h.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page_counter.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "block.h"
#include "budget.h"
#include "compat.h"
#include "evict.h"
#include "order.h"
#include "shrink.h"

/* The kernel counts in pages: so blocks go as fast as other memory does. */
#define VSS_BLOCK_PAGES (VSS_BLOCK_BYTES / PAGE_SIZE)

/* Blocks that are passed over in search of one that can be had. */
#define VSS_WALK_BLOCKS 1024

/**
 * struct vss_handle - how the kernel finds a block
 * @lru: link in vss_blocks, or empty
 * @store: where the block is; never changes once it is in the list
 * @block: the block; likewise
 */
struct vss_handle {
	struct list_head lru;
	struct vss_store *store;
	struct vss_block *block;
};

static struct kmem_cache *vss_handles;
static struct list_lru vss_blocks;
static struct shrinker *vss_shrinker;

DECLARE_WAIT_QUEUE_HEAD(vss_pressure_wait);

/**
 * vss_handle_create() - allocate a handle
 *
 * Outside of all locks, as the block is.
 *
 * Return: the handle, for vss_handle_free(), or NULL.
 */
struct vss_handle *vss_handle_create(void)
{
	struct vss_handle *handle;

	handle = kmem_cache_alloc_lru(vss_handles, &vss_blocks, VSS_GFP);
	if (handle)
		INIT_LIST_HEAD(&handle->lru);
	return handle;
}

/**
 * vss_handle_free() - free a handle
 * @handle: in no list
 */
void vss_handle_free(struct vss_handle *handle)
{
	kmem_cache_free(vss_handles, handle);
}

/**
 * vss_handle_bind() - say what a handle leads to
 * @handle: in no list
 * @store: where the block is
 * @block: the block
 */
void vss_handle_bind(struct vss_handle *handle, struct vss_store *store,
		     struct vss_block *block)
{
	handle->store = store;
	handle->block = block;
}

/**
 * vss_handle_list() - let the kernel find a block
 * @handle: its handle; the store's writers are held
 */
void vss_handle_list(struct vss_handle *handle)
{
	vss_lru_add(&vss_blocks, &handle->lru);
}

/**
 * vss_handle_unlist() - let the kernel not find a block any more
 * @handle: its handle, which may be in no list
 */
void vss_handle_unlist(struct vss_handle *handle)
{
	vss_lru_del(&vss_blocks, &handle->lru);
}

/**
 * vss_handle_rotate() - make a block the last to go
 * @handle: its handle, which may be in no list; the store's writers are held
 */
void vss_handle_rotate(struct vss_handle *handle)
{
	if (vss_lru_del(&vss_blocks, &handle->lru))
		vss_lru_add(&vss_blocks, &handle->lru);
}

/**
 * vss_unpinned_wait() - wait until nobody tries a store's locks any more
 * @store: none of its handles is in the list
 */
void vss_unpinned_wait(struct vss_store *store)
{
	wait_var_event(&store->pins, !atomic_read(&store->pins));
}

static void vss_unpin(struct vss_store *store)
{
	atomic_t *pins = &store->pins;

	/* Whoever waits may free the store at once. */
	if (atomic_dec_and_test(pins))
		wake_up_var(pins);
}

/**
 * struct vss_claim - a block that can be had
 * @block: the block, or NULL
 * @store: its store, pinned, its writers held
 * @walk: how many blocks more may be looked at
 */
struct vss_claim {
	struct vss_block *block;
	struct vss_store *store;
	unsigned long walk;
};

/* Tries a block, under the list's lock, which keeps its store from going. */
static enum lru_status vss_claim(VSS_LRU_WALK_PARAMETERS, void *argument)
{
	struct vss_handle *handle = container_of(item, struct vss_handle, lru);
	struct vss_store *store = handle->store;
	struct vss_claim *claim = argument;

	if (!mutex_trylock(&store->writers))
		return LRU_SKIP;
	if (vss_order_spares(store, handle->block)) {
		mutex_unlock(&store->writers);
		return LRU_ROTATE;
	}
	atomic_inc(&store->pins);
	claim->store = store;
	claim->block = handle->block;
	claim->walk = 0;
	return LRU_SKIP;
}

/* Gives one block back; returns the pages that are free now. */
static unsigned long vss_shrink_block(struct shrink_control *control)
{
	struct vss_claim claim = { .walk = VSS_WALK_BLOCKS };
	bool freed;

	list_lru_walk_one(&vss_blocks, control->nid, control->memcg, vss_claim,
			  &claim, &claim.walk);
	if (!claim.block)
		return 0;
	freed = vss_store_yield(claim.store, claim.block);
	mutex_unlock(&claim.store->writers);
	vss_unpin(claim.store);
	if (!freed)
		return 0;
	vss_account_reclaimed(VSS_BLOCK_PAGES);
	return VSS_BLOCK_PAGES;
}

static unsigned long vss_shrink_count(struct shrinker *shrinker,
				      struct shrink_control *control)
{
	unsigned long blocks;

	/* Up to Linux 6.6 the kernel may call before the list is there. */
	if (!smp_load_acquire(&vss_shrinker))
		return SHRINK_EMPTY;
	blocks = list_lru_shrink_count(&vss_blocks, control);
	return blocks ? blocks * VSS_BLOCK_PAGES : SHRINK_EMPTY;
}

static unsigned long vss_shrink_scan(struct shrinker *shrinker,
				     struct shrink_control *control)
{
	unsigned long freed = 0, more = 1;

	while (more && freed < control->nr_to_scan) {
		more = vss_shrink_block(control);
		freed += more;
		cond_resched();
	}
	return freed ?: SHRINK_STOP;
}

/**
 * vss_shrink_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int vss_shrink_init(void)
{
	struct shrinker *shrinker;
	int ret = -ENOMEM;

	vss_handles = kmem_cache_create("vss_handle", sizeof(struct vss_handle),
					0, SLAB_ACCOUNT, NULL);
	if (!vss_handles)
		return -ENOMEM;
	shrinker = vss_shrinker_alloc(SHRINKER_NUMA_AWARE | SHRINKER_MEMCG_AWARE,
				      vss_shrink_count, vss_shrink_scan,
				      VSS_BLOCK_PAGES);
	if (!shrinker)
		goto destroy;
	ret = list_lru_init_memcg(&vss_blocks, shrinker);
	if (ret)
		goto free;
	smp_store_release(&vss_shrinker, shrinker);
	vss_shrinker_register(shrinker);
	return 0;

free:
	vss_shrinker_free(shrinker);
destroy:
	kmem_cache_destroy(vss_handles);
	return ret;
}

/**
 * vss_shrink_exit() - undo vss_shrink_init()
 *
 * There is no block any more.
 */
void vss_shrink_exit(void)
{
	vss_shrinker_free(vss_shrinker);
	list_lru_destroy(&vss_blocks);
	kmem_cache_destroy(vss_handles);
}
