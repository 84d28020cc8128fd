// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a caller can do with a collection, and the collection's own lifetime.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/vss.h>

#include "batch.h"
#include "budget.h"
#include "collection.h"
#include "distance/distance.h"
#include "float.h"
#include "search.h"

#define VSS_MAX_COLLECTIONS_LIMIT 65536

static unsigned int max_collections = 1024;

static int vss_set_max_collections(const char *value,
				   const struct kernel_param *kp)
{
	return param_set_uint_minmax(value, kp, 1, VSS_MAX_COLLECTIONS_LIMIT);
}

static const struct kernel_param_ops vss_max_collections_ops = {
	.set = vss_set_max_collections,
	.get = param_get_uint,
};

module_param_cb(max_collections, &vss_max_collections_ops, &max_collections,
		0644);
__MODULE_PARM_TYPE(max_collections, "uint");
MODULE_PARM_DESC(max_collections, "Collections that there may be, private ones included, 1 to 65536 (default 1024)");

/* Changed by compare-and-exchange, so that two callers cannot pass the cap. */
static atomic_t nr_collections = ATOMIC_INIT(0);

/**
 * vss_max_collections() - collections that there may be
 *
 * Return: the module parameter max_collections.
 */
u32 vss_max_collections(void)
{
	return READ_ONCE(max_collections);
}

/**
 * vss_collection_count() - collections there are
 *
 * Return: the number, private ones included.
 */
u32 vss_collection_count(void)
{
	return atomic_read(&nr_collections);
}

/**
 * vss_collection_count_in() - count a collection that others are about to see
 * @collection: not counted yet
 *
 * A candidate for a name is counted once it has the name, under the registry's
 * lock: of several that are made for the same one, all but one go again, and
 * must not take anybody's place meanwhile.
 *
 * Return: 0, or -ENOSPC when there are as many as there may be.
 */
int vss_collection_count_in(struct vss_collection *collection)
{
	int count = atomic_read(&nr_collections);

	do {
		if (count >= vss_max_collections())
			return -ENOSPC;
	} while (!atomic_try_cmpxchg(&nr_collections, &count, count + 1));
	collection->counted = true;
	return 0;
}

/**
 * vss_collection_count_out() - undo vss_collection_count_in()
 * @collection: which nobody else has seen
 */
void vss_collection_count_out(struct vss_collection *collection)
{
	collection->counted = false;
	atomic_dec(&nr_collections);
}

/* The counters, for what must be done to each. */
static struct percpu_counter *vss_counter(struct vss_collection *collection,
					  unsigned int i)
{
	struct percpu_counter *counters[] = {
		&collection->queries, &collection->gets, &collection->hits,
		&collection->scanned, &collection->computed,
	};

	return i < ARRAY_SIZE(counters) ? counters[i] : NULL;
}

static void vss_destroy_counters(struct vss_collection *collection)
{
	struct percpu_counter *counter;
	unsigned int i;

	for (i = 0; (counter = vss_counter(collection, i)); i++)
		percpu_counter_destroy(counter);
}

static int vss_init_counters(struct vss_collection *collection)
{
	struct percpu_counter *counter;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && (counter = vss_counter(collection, i)); i++)
		ret = percpu_counter_init(counter, 0, VSS_GFP);
	/* Those that were not reached are zeroed, which may be destroyed. */
	if (ret)
		vss_destroy_counters(collection);
	return ret;
}

/**
 * vss_collection_create() - make an empty collection
 * @name: shorter than VSS_NAME_BYTES; empty for a private one
 * @metric: one of enum vss_metric
 * @dimension: components of its rows
 * @mode: permission bits
 * @has_codes: whether codes are kept, where rows are long enough for them
 *
 * It belongs to the caller's filesystem uid and gid. Nobody else can see it
 * before it is published in the registry, or bound to a file.
 *
 * Return: the collection with one reference, which is the caller's, or an
 * error pointer of -ENOMEM.
 */
struct vss_collection *vss_collection_create(const char *name, u32 metric,
					     u32 dimension, u32 mode,
					     bool has_codes)
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
	collection->uid = current_fsuid();
	collection->gid = current_fsgid();
	collection->mode = mode;
	ret = vss_init_counters(collection);
	if (ret) {
		kfree(collection);
		return ERR_PTR(ret);
	}
	has_codes = has_codes && dimension >= VSS_MIN_CODES_DIMENSION;
	/* Inner products need norms for what codes rule out. */
	vss_store_init(&collection->store, dimension,
		       metric == VSS_METRIC_COS ||
		       (metric == VSS_METRIC_IP && has_codes), has_codes);
	return collection;
}

/**
 * vss_collection_put() - drop a reference
 * @collection: freed with all of its rows when the reference was the last; or
 *              NULL
 */
void vss_collection_put(struct vss_collection *collection)
{
	bool counted;

	if (!collection || !refcount_dec_and_test(&collection->references))
		return;
	counted = collection->counted;
	vss_store_destroy(&collection->store);
	vss_destroy_counters(collection);
	kfree_rcu(collection, rcu);
	if (counted)
		atomic_dec(&nr_collections);
}

static void vss_collection_note(struct vss_collection *collection, u64 time)
{
	s64 longest = atomic64_read(&collection->longest);

	while (time > longest &&
	       !atomic64_try_cmpxchg(&collection->longest, &longest, time))
		;
}

/**
 * vss_collection_admit() - check vectors, and compute what is kept beside them
 * @collection: where they are to go
 * @batch: the rows, with room for codes where the collection keeps some; cut
 *         before the first one that is refused
 *
 * Return: 0, or -EINVAL when one is refused: not finite, or without a norm
 * where the metric wants one.
 */
int vss_collection_admit(struct vss_collection *collection,
			 struct vss_batch *batch)
{
	u32 i, finite, count = batch->count, dimension = batch->dimension;
	struct vss_store *store = &collection->store;
	u64 time = 0;

	finite = vss_f32_count_finite(batch->vectors, count * dimension);
	batch->count = finite / dimension;
	if (store->has_norms)
		time = vss_distance_norms(batch->vectors, batch->count,
					  dimension, batch->norms);
	for (i = 0; i < batch->count && collection->metric == VSS_METRIC_COS;
	     i++) {
		if (!vss_f32_is_normal(batch->norms[i]))
			batch->count = i;
	}
	vss_collection_note(collection, time);
	if (vss_store_has_codes(store)) {
		time = vss_distance_encode(collection->metric, batch->vectors,
					   batch->norms, batch->count,
					   dimension, batch->scratch,
					   batch->codes);
		vss_collection_note(collection, time);
	}
	return batch->count == count ? 0 : -EINVAL;
}

/**
 * vss_collection_insert() - store rows
 * @collection: where
 * @batch: the rows
 * @upsert: whether a row replaces one with its id
 *
 * Return: what stopped it: -EINVAL for a vector that is refused, or what
 * vss_store_put() returns; the rows up to the batch's done are in. Otherwise 0.
 */
int vss_collection_insert(struct vss_collection *collection,
			  struct vss_batch *batch, bool upsert)
{
	int refused = vss_collection_admit(collection, batch);

	return vss_store_put(&collection->store, batch, upsert) ?: refused;
}

/**
 * vss_collection_get() - read rows by their ids
 * @collection: where
 * @batch: as vss_store_get() has it
 *
 * Return: what vss_store_get() returns.
 */
int vss_collection_get(struct vss_collection *collection,
		       struct vss_batch *batch)
{
	int ret = vss_store_get(&collection->store, batch);

	if (ret)
		return ret;
	percpu_counter_add(&collection->gets, batch->count);
	percpu_counter_add(&collection->hits,
			   bitmap_weight(batch->marked, batch->count));
	return 0;
}

/**
 * vss_collection_admit_query() - check a query, and make of it what the metric
 * wants
 * @collection: where
 * @pass: made for the collection's metric and dimension
 * @i: which of its queries, as it came from user memory
 *
 * Return: 0, or -EINVAL when it is refused.
 */
int vss_collection_admit_query(struct vss_collection *collection,
			       struct vss_pass *pass, u32 i)
{
	u32 norm, dimension = pass->dimension;
	u32 *vector = vss_pass_vector(pass, i);

	if (vss_f32_count_finite(vector, dimension) < dimension)
		return -EINVAL;
	if (collection->metric != VSS_METRIC_COS)
		return 0;
	vss_distance_norms(vector, 1, dimension, &norm);
	if (!vss_f32_is_normal(norm))
		return -EINVAL;
	vss_distance_normalize(vector, dimension, norm);
	return 0;
}

/**
 * vss_collection_search() - find the nearest rows
 * @collection: where
 * @pass: its queries admitted; holds the hits afterwards
 *
 * Return: 0 or -EINTR.
 */
int vss_collection_search(struct vss_collection *collection,
			  struct vss_pass *pass)
{
	u64 scanned = pass->scanned, computed = pass->computed;
	u32 i, found = 0;
	int ret;

	ret = vss_pass_run(pass, &collection->store);
	if (ret)
		return ret;
	percpu_counter_add(&collection->queries, pass->count);
	percpu_counter_add(&collection->scanned, pass->scanned - scanned);
	percpu_counter_add(&collection->computed, pass->computed - computed);
	vss_collection_note(collection, pass->longest);
	for (i = 0; i < pass->count; i++) {
		const struct vss_hits *hits = vss_pass_hits(pass, i);

		vss_store_touch(&collection->store, hits->heap, hits->count);
		found += !!hits->count;
	}
	percpu_counter_add(&collection->hits, found);
	return 0;
}

/**
 * vss_collection_stat() - read all counters
 * @collection: whose
 * @stat: filled in whole, but for its header
 */
void vss_collection_stat(struct vss_collection *collection,
			 struct vss_stat *stat)
{
	struct user_namespace *users = current_user_ns();
	struct vss_store_stats rows;

	vss_store_stats(&collection->store, &rows);
	*stat = (struct vss_stat) {
		.size = stat->size,
		.count = rows.count,
		.capacity = vss_store_capacity(&collection->store),
		.bytes = rows.bytes,
		.payload_bytes = rows.payload_bytes,
		.inserts = rows.inserts,
		.updates = rows.updates,
		.deletes = rows.gone[VSS_DELETED],
		.evictions = rows.gone[VSS_EVICTED],
		.pressure_evictions = rows.gone[VSS_PRESSED],
		.expirations = rows.gone[VSS_EXPIRED],
		.ttl = READ_ONCE(collection->store.ttl),
		.max_bytes = READ_ONCE(collection->store.max_bytes),
		.queries = percpu_counter_sum_positive(&collection->queries),
		.gets = percpu_counter_sum_positive(&collection->gets),
		.hits = percpu_counter_sum_positive(&collection->hits),
		.scanned = percpu_counter_sum_positive(&collection->scanned),
		.computed = percpu_counter_sum_positive(&collection->computed),
		.serial = collection->serial,
		.dimension = collection->store.dimension,
		.metric = collection->metric,
		.element = VSS_ELEMENT_F32,
		.eviction = READ_ONCE(collection->store.eviction),
		.mode = READ_ONCE(collection->mode),
		.uid = from_kuid_munged(users, collection->uid),
		.gid = from_kgid_munged(users, collection->gid),
		.longest_section = atomic64_read(&collection->longest),
		.codes = vss_store_has_codes(&collection->store),
	};
	strscpy_pad(stat->name, collection->name, sizeof(stat->name));
}
