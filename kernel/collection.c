// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a caller can do with a collection, and the collection's own lifetime.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "budget.h"
#include "collection.h"
#include "search.h"

/**
 * vss_collection_create() - make an empty collection
 * @name: shorter than VSS_NAME_BYTES
 * @metric: one of enum vss_metric
 * @dimension: components of its rows
 *
 * Nobody else can see it before it is published in the registry.
 *
 * Return: the collection with one reference, which is the caller's, or an
 * error pointer of -ENOMEM.
 */
struct vss_collection *vss_collection_create(const char *name, u32 metric,
					     u32 dimension)
{
	struct vss_collection *collection;
	int ret;

	collection = kzalloc(sizeof(*collection), VSS_GFP);
	if (!collection)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&collection->node);
	refcount_set(&collection->references, 1);
	strscpy(collection->name, name, sizeof(collection->name));
	collection->metric = metric;
	ret = percpu_counter_init(&collection->queries, 0, VSS_GFP);
	if (ret)
		goto free_collection;
	ret = vss_store_init(&collection->store, dimension);
	if (ret)
		goto destroy_counter;
	return collection;

destroy_counter:
	percpu_counter_destroy(&collection->queries);
free_collection:
	kfree(collection);
	return ERR_PTR(ret);
}

/**
 * vss_collection_put() - drop a reference
 * @collection: freed with all of its rows when the reference was the last
 */
void vss_collection_put(struct vss_collection *collection)
{
	if (!refcount_dec_and_test(&collection->references))
		return;
	vss_store_destroy(&collection->store);
	percpu_counter_destroy(&collection->queries);
	kfree_rcu(collection, rcu);
}

/**
 * vss_collection_add_first() - add the row that a collection is made for
 * @collection: one that is empty and not yet published
 * @id: the row's id
 * @vector: its components as their bits, all finite, as many as the
 *          collection's dimension
 * @spare: *@spare is a block, which the collection takes and sets to NULL, or
 *         NULL
 *
 * Sleeps for nobody's limits, so that the registry's lock may be held.
 *
 * Return: what vss_store_try_insert() returns.
 */
int vss_collection_add_first(struct vss_collection *collection, u64 id,
			     const u32 *vector, struct vss_block **spare)
{
	return vss_store_try_insert(&collection->store, id, vector, spare);
}

/**
 * vss_collection_add() - add a row
 * @collection: where
 * @id: the row's id
 * @vector: its components as their bits, all finite
 * @dimension: number of components
 *
 * Return: 0, -EINVAL when the dimension is not the collection's, or what
 * vss_store_insert() returns.
 */
int vss_collection_add(struct vss_collection *collection, u64 id,
		       const u32 *vector, u32 dimension)
{
	if (dimension != collection->store.dimension)
		return -EINVAL;
	return vss_store_insert(&collection->store, id, vector);
}

/**
 * vss_collection_search() - find the nearest rows
 * @collection: where
 * @search: made for @dimension; holds the hits afterwards
 * @dimension: number of components of the query
 *
 * Return: 0, -EINVAL when the dimension is not the collection's, or -EINTR.
 */
int vss_collection_search(struct vss_collection *collection,
			  struct vss_search *search, u32 dimension)
{
	int ret;

	if (dimension != collection->store.dimension)
		return -EINVAL;
	ret = vss_search_run(search, &collection->store);
	if (!ret)
		percpu_counter_inc(&collection->queries);
	return ret;
}

/**
 * vss_collection_stats() - read all counters
 * @collection: whose
 * @stats: filled in whole
 */
void vss_collection_stats(struct vss_collection *collection,
			  struct vss_stats *stats)
{
	struct vss_store_stats rows;

	vss_store_stats(&collection->store, &rows);
	*stats = (struct vss_stats) {
		.count = rows.count,
		.capacity = vss_store_capacity(),
		.bytes = rows.bytes,
		.adds = rows.adds,
		.queries = percpu_counter_sum_positive(&collection->queries),
		.dimension = collection->store.dimension,
		.metric = collection->metric,
	};
}
