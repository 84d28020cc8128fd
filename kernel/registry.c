// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collections by name.
 *
 * The list is changed under registry_lock and read under RCU. A collection on
 * it holds one reference for the list; a lookup takes another for its caller,
 * who may then sleep. A store's locks are taken inside registry_lock, never the
 * other way round.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "access.h"
#include "batch.h"
#include "collection.h"
#include "registry.h"

static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registry);

/* The last serial given. Those of the list's collections are in its order. */
static atomic64_t last_serial = ATOMIC64_INIT(0);

/**
 * vss_registry_serial() - a number for a new collection
 *
 * Return: one that was not given before.
 */
u64 vss_registry_serial(void)
{
	return atomic64_inc_return(&last_serial);
}

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

/* Counts a collection that has a name of its own, and stores its first rows. */
static int vss_registry_admit(struct vss_collection *collection,
			      struct vss_batch *batch,
			      struct vss_spare *spare)
{
	int ret;

	ret = vss_collection_count_in(collection);
	if (ret || !batch)
		return ret;
	ret = vss_store_try_put(&collection->store, batch, false, spare);
	if (ret)
		vss_collection_count_out(collection);
	return ret;
}

/*
 * Publishes a collection, with the rows of @batch, if there is one, in it: what
 * cannot be stored leaves no trace. As vss_store_try_put() takes @spare.
 */
static int vss_registry_try_publish(struct vss_collection *collection,
				    struct vss_batch *batch,
				    struct vss_spare *spare)
{
	int ret;

	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	if (vss_registry_find(collection->name))
		ret = -EEXIST;
	else
		ret = vss_registry_admit(collection, batch, spare);
	if (!ret) {
		/* The list's reference. */
		refcount_inc(&collection->references);
		collection->serial = vss_registry_serial();
		list_add_tail_rcu(&collection->node, &registry);
	}
	mutex_unlock(&registry_lock);
	return ret;
}

/**
 * vss_registry_publish() - give a collection its name
 * @collection: one that nobody else can see yet
 *
 * Return: 0, -EEXIST when the name is taken, -ENOSPC when there are too many
 * collections, or -EINTR when the caller was killed while it waited.
 */
int vss_registry_publish(struct vss_collection *collection)
{
	return vss_registry_try_publish(collection, NULL, NULL);
}

/**
 * vss_registry_publish_first() - give a collection its name and its first row
 * @collection: one that nobody else can see yet
 * @batch: the row
 *
 * The block for the row is allocated outside the lock, as always. But the row
 * goes in under it: of several callers that make the same collection, only one
 * is to charge a block to the budget.
 *
 * Return: as vss_registry_publish() does, or what vss_store_put() returns.
 */
int vss_registry_publish_first(struct vss_collection *collection,
			       struct vss_batch *batch)
{
	struct vss_spare spare = { };
	int ret;

	ret = vss_registry_try_publish(collection, batch, &spare);
	if (ret == -EAGAIN) {
		vss_spare_fill(&spare);
		ret = vss_registry_try_publish(collection, batch, &spare);
		vss_spare_free(&spare);
	}
	return ret == -EAGAIN ? -ENOMEM : ret;
}

/**
 * vss_registry_drop() - take a collection's name away
 * @name: its name
 *
 * Its rows go with the last reference, which may be the list's.
 *
 * Return: 0, -ENOENT, -EACCES when it is not the caller's, or -EINTR when the
 * caller was killed while it waited.
 */
int vss_registry_drop(const char *name)
{
	struct vss_collection *collection;
	int ret;

	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	collection = vss_registry_find(name);
	if (!collection)
		ret = -ENOENT;
	else if (!vss_access_is_owner(collection))
		ret = -EACCES;
	else
		list_del_rcu(&collection->node);
	mutex_unlock(&registry_lock);
	if (!ret)
		vss_collection_put(collection);
	return ret;
}

static void vss_registry_record(struct vss_collection *collection,
				struct vss_list_record *record)
{
	struct vss_stat stat = { };

	vss_collection_stat(collection, &stat);
	*record = (struct vss_list_record) {
		.serial = stat.serial,
		.count = stat.count,
		.capacity = stat.capacity,
		.bytes = stat.bytes,
		.dimension = stat.dimension,
		.metric = stat.metric,
		.element = stat.element,
		.eviction = stat.eviction,
		.ttl = stat.ttl,
		.mode = stat.mode,
		.uid = stat.uid,
		.gid = stat.gid,
	};
	strscpy_pad(record->name, stat.name, sizeof(record->name));
}

/**
 * vss_registry_list() - describe the collections that the caller may read
 * @records: filled in
 * @room: records that there is room for
 * @count: out: records filled in
 * @cursor: serial of the last collection that is not wanted; moved on, to
 *          VSS_CURSOR_END after the last one
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_registry_list(struct vss_list_record *records, u32 room, u32 *count,
		      u64 *cursor)
{
	struct vss_collection *collection;
	int ret;

	*count = 0;
	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	list_for_each_entry(collection, &registry, node) {
		if (collection->serial <= *cursor ||
		    !vss_access_allowed(collection, FMODE_READ))
			continue;
		if (*count == room)
			goto unlock;
		vss_registry_record(collection, &records[(*count)++]);
		*cursor = collection->serial;
	}
	*cursor = VSS_CURSOR_END;
unlock:
	mutex_unlock(&registry_lock);
	return 0;
}

/**
 * vss_registry_totals() - add up the counters of all named collections
 * @totals: filled in whole
 *
 * Return: 0, or -EINTR when the caller was killed while it waited.
 */
int vss_registry_totals(struct vss_totals *totals)
{
	struct vss_collection *collection;
	struct vss_stat stat = { };
	int ret;

	*totals = (struct vss_totals) { };
	ret = mutex_lock_killable(&registry_lock);
	if (ret)
		return ret;
	list_for_each_entry(collection, &registry, node) {
		vss_collection_stat(collection, &stat);
		totals->collections++;
		totals->count += stat.count;
		totals->adds += stat.inserts;
		totals->queries += stat.queries;
		totals->evictions += stat.evictions;
		totals->pressure_evictions += stat.pressure_evictions;
		totals->expirations += stat.expirations;
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
