// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel may take back: see shrink.h.
 */
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/list_lru.h>
#include <linux/lockdep.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/page_counter.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "block.h"
#include "budget.h"
#include "compat.h"
#include "evict.h"
#include "order.h"
#include "shrink.h"

/* The kernel counts in pages: so blocks go as fast as other memory does. */
#define VSS_BLOCK_PAGES (VSS_BLOCK_BYTES / PAGE_SIZE)

/* How often a store that others change is tried; every eighth time after a tick. */
#define VSS_CLAIM_TRIES 32

/* What a group is content with, for as long as it may come again at once. */
#define VSS_SERVED_PAGES (VSS_BLOCK_PAGES + VSS_BLOCK_PAGES / 2)
#define VSS_SERVED_MS 50

/* How many groups are remembered that were given something: in sets, of so many. */
#define VSS_SERVED_SETS_BITS 5
#define VSS_SERVED_WAYS 4

/* Blocks that are passed over under the list's lock, which is a spinlock. */
#define VSS_WALK_BLOCKS 64

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
 * Outside of all locks, as the block is. The list goes by the node that the handle
 * is on. That is where its block is, unless the node was out of memory for one of
 * both: no kernel has a call for a node and a list at once. Its reclaim then takes
 * another's block for its own, which frees memory all the same.
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
 * @busy: whether there were some that others were at work on
 * @last: whether those go to the end of the list, so that the next call finds others
 * @store: its store, pinned, its writers held
 * @walk: how many blocks more may be looked at
 */
struct vss_claim {
	struct vss_block *block;
	bool busy;
	bool last;
	struct vss_store *store;
	unsigned long walk;
};

/* Tries a block, under the list's lock, which keeps its store from going. */
static enum lru_status vss_claim(VSS_LRU_WALK_PARAMETERS, void *argument)
{
	struct vss_handle *handle = container_of(item, struct vss_handle, lru);
	struct vss_store *store = handle->store;
	struct vss_claim *claim = argument;

	if (!mutex_trylock(&store->writers)) {
		claim->busy = true;
		return claim->last ? LRU_ROTATE : LRU_SKIP;
	}
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

/*
 * Claims the next block. Who changes a store is at it nearly all the time, but
 * not for long: so it is tried again a little later, for a bounded time: four ticks.
 */
static void vss_claim_next(struct vss_claim *claim,
			   const struct shrink_control *control)
{
	u32 tries;

	for (tries = 0; tries < VSS_CLAIM_TRIES; tries++) {
		claim->walk = VSS_WALK_BLOCKS;
		claim->busy = false;
		claim->last = tries == VSS_CLAIM_TRIES - 1;
		list_lru_walk_one(&vss_blocks, control->nid, control->memcg,
				  vss_claim, claim, &claim->walk);
		/* Where all were passed over, there may be more. */
		if (claim->block || (!claim->busy && claim->walk))
			break;
		if (claim->busy && tries % 8 == 7)
			schedule_timeout_uninterruptible(1);
		else
			cond_resched();
	}
}

/**
 * vss_pressure_tell() - wake those who want to know that rows went
 *
 * Called without a lock of a store: whoever is woken may want it.
 */
void vss_pressure_tell(void)
{
	wake_up_interruptible_poll(&vss_pressure_wait, EPOLLPRI);
}

/*
 * Gives one block back; returns the pages that are free now. @pressed: set where
 * rows went.
 */
static unsigned long vss_shrink_block(struct shrink_control *control,
				      bool *pressed)
{
	struct vss_claim claim = { };
	u64 before;
	bool freed;

	vss_claim_next(&claim, control);
	if (!claim.block)
		return 0;
	before = vss_store_pressed(claim.store);
	freed = vss_store_yield(claim.store, claim.block);
	/* Its readers are too many: the next call is to find another. */
	if (!freed)
		vss_handle_rotate(claim.block->handle);
	*pressed |= vss_store_pressed(claim.store) != before;
	mutex_unlock(&claim.store->writers);
	vss_unpin(claim.store);
	if (!freed)
		return 0;
	vss_account_reclaimed(VSS_BLOCK_PAGES);
	return VSS_BLOCK_PAGES;
}

#ifdef CONFIG_MEMCG

/* Pages that a group, and all above it, may still take. */
static unsigned long vss_group_room(struct mem_cgroup *group)
{
	struct page_counter *counter;
	unsigned long room = ULONG_MAX;

	for (counter = group ? &group->memory : NULL; counter;
	     counter = counter->parent) {
		unsigned long limit = min(READ_ONCE(counter->max),
					  READ_ONCE(counter->high));
		unsigned long used = page_counter_read(counter);

		/* Nobody's limit, that is. */
		if (limit >= PAGE_COUNTER_MAX)
			continue;
		room = min(room, limit > used ? limit - used : 0);
	}
	return room;
}

#else

static unsigned long vss_group_room(struct mem_cgroup *group)
{
	return ULONG_MAX;
}

#endif /* CONFIG_MEMCG */

/* Whether a node has so much free memory that nobody looks for more. */
static bool vss_node_has_room(int nid)
{
	unsigned long free = 0, wanted = 2 * VSS_BLOCK_PAGES;
	struct zone *zone = NODE_DATA(nid)->node_zones;
	u32 i;

	for (i = 0; i < MAX_NR_ZONES; i++, zone++) {
		if (!managed_zone(zone))
			continue;
		free += zone_page_state(zone, NR_FREE_PAGES);
		wanted += high_wmark_pages(zone);
	}
	return free > wanted;
}

/**
 * struct vss_served - a group that was given something lately
 * @group: which; it may be gone by now, and is not looked at
 * @nid: on which node
 * @time: when it was given something, or came for more that it did not need
 */
struct vss_served {
	const void *group;
	int nid;
	unsigned long time;
};

static struct vss_served vss_served[1 << VSS_SERVED_SETS_BITS][VSS_SERVED_WAYS];
static DEFINE_SPINLOCK(vss_served_lock);

/*
 * Where a group is remembered; where it is not, the one of its set is forgotten
 * that has not come for the longest time.
 */
static struct vss_served *vss_served_of(const struct shrink_control *control)
{
	struct vss_served *set, *oldest, *entry;

	lockdep_assert_held(&vss_served_lock);
	set = vss_served[hash_ptr(control->memcg, VSS_SERVED_SETS_BITS)];
	for (entry = oldest = set; entry < set + VSS_SERVED_WAYS; entry++) {
		if (entry->group == control->memcg && entry->nid == control->nid)
			return entry;
		if (time_before(entry->time, oldest->time))
			oldest = entry;
	}
	*oldest = (struct vss_served) {
		.group = control->memcg,
		.nid = control->nid,
		.time = jiffies - msecs_to_jiffies(VSS_SERVED_MS),
	};
	return oldest;
}

/* Notes that a group was given something. */
static void vss_group_serve(const struct shrink_control *control)
{
	spin_lock(&vss_served_lock);
	vss_served_of(control)->time = jiffies;
	spin_unlock(&vss_served_lock);
}

/*
 * Whether a group has been given what it was short of. Since Linux 6.4 its
 * reclaim takes no notice of what a shrinker has freed, and asks on, ever more
 * urgently, until the whole cache were gone. So whoever comes again at once, on
 * behalf of a group that has room by now, in a machine that has, gets nothing.
 */
static bool vss_group_is_served(const struct shrink_control *control)
{
	unsigned long room = vss_group_room(control->memcg);
	struct vss_served *entry;
	bool served;

	if (room == ULONG_MAX || room <= VSS_SERVED_PAGES ||
	    !vss_node_has_room(control->nid))
		return false;
	spin_lock(&vss_served_lock);
	entry = vss_served_of(control);
	served = time_before(jiffies, entry->time +
			     msecs_to_jiffies(VSS_SERVED_MS));
	if (served)
		entry->time = jiffies;
	spin_unlock(&vss_served_lock);
	return served;
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
	bool pressed = false;

	while (more && freed < control->nr_to_scan &&
	       !vss_group_is_served(control)) {
		more = vss_shrink_block(control, &pressed);
		if (more)
			vss_group_serve(control);
		freed += more;
		cond_resched();
	}
	if (pressed)
		vss_pressure_tell();
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
	/* From here on vss_shrink_count() looks at the list. */
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
