// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collections by name.
 *
 * The list is changed under registry_lock and read under RCU. A collection on
 * it holds one reference for the list; a lookup takes another for its caller,
 * who may then sleep. A store's locks are taken inside registry_lock, never the
 * other way round.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "collection.h"
#include "registry.h"

static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registry);

static struct vss_collection *vss_registry_find(const char *name)
{
	struct vss_collection *collection;

	list_for_each_entry_rcu(collection, &registry, node,
				lockdep_is_held(&registry_lock)) {
		if (!strcmp(collection->name, name))
			return collection;
	}
	return NULL;
}

/**
 * vss_registry_get() - look a collection up
 * @name: its name
 *
 * Return: the collection, for vss_collection_put(), or NULL.
 */
struct vss_collection *vss_registry_get(const char *name)
{
	struct vss_collection *collection;

	rcu_read_lock();
	collection = vss_registry_find(name);
	if (collection && !refcount_inc_not_zero(&collection->references))
		collection = NULL;
	rcu_read_unlock();
	return collection;
}

/*
 * Publishes a collection with its first row in it, so that a first row that
 * cannot be stored leaves no trace. Returns -EEXIST when the name is taken, and
 * -EAGAIN when a spare is wanted.
 */
static int vss_registry_publish(struct vss_collection *collection, u64 id,
				const u32 *vector, struct vss_block **spare)
{
	int ret;

	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	if (vss_registry_find(collection->name))
		ret = -EEXIST;
	else
		ret = vss_collection_add_first(collection, id, vector, spare);
	if (!ret) {
		/* The list's reference. */
		refcount_inc(&collection->references);
		list_add_tail_rcu(&collection->node, &registry);
	}
	mutex_unlock(&registry_lock);
	return ret;
}

/*
 * Makes a collection out of its first row. Returns -EEXIST when another first
 * row was faster.
 */
static int vss_registry_create(const char *name, u64 id, const u32 *vector,
			       u32 dimension)
{
	struct vss_collection *collection;
	struct vss_block *spare = NULL;
	int ret;

	collection = vss_collection_create(name, VSS_METRIC_L2SQ, dimension);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_registry_publish(collection, id, vector, &spare);
	if (ret == -EAGAIN) {
		spare = vss_block_alloc();
		ret = vss_registry_publish(collection, id, vector, &spare);
		vss_block_free(spare);
	}
	vss_collection_put(collection);
	return ret == -EAGAIN ? -ENOMEM : ret;
}

/**
 * vss_registry_add() - add a row to a collection, which the first row makes
 * @name: the collection's name
 * @id: the row's id
 * @vector: its components as their bits, all finite
 * @dimension: number of components
 *
 * Return: 0, or what vss_collection_add() returns.
 */
int vss_registry_add(const char *name, u64 id, const u32 *vector,
		     u32 dimension)
{
	struct vss_collection *collection;
	int ret;

	while (!(collection = vss_registry_get(name))) {
		ret = vss_registry_create(name, id, vector, dimension);
		if (ret != -EEXIST)
			return ret;
	}
	ret = vss_collection_add(collection, id, vector, dimension);
	vss_collection_put(collection);
	return ret;
}

/**
 * vss_registry_totals() - add up the counters of all collections
 * @totals: filled in whole
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_registry_totals(struct vss_totals *totals)
{
	struct vss_collection *collection;
	struct vss_stats stats;
	int ret;

	*totals = (struct vss_totals) { };
	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	list_for_each_entry(collection, &registry, node) {
		vss_collection_stats(collection, &stats);
		totals->collections++;
		totals->count += stats.count;
		totals->adds += stats.adds;
		totals->queries += stats.queries;
	}
	mutex_unlock(&registry_lock);
	return 0;
}

/**
 * vss_registry_exit() - free all collections
 *
 * For the module's exit, when no file is open and so nobody looks any more.
 */
void vss_registry_exit(void)
{
	struct vss_collection *collection, *next;

	list_for_each_entry_safe(collection, next, &registry, node) {
		list_del_rcu(&collection->node);
		vss_collection_put(collection);
	}
}
