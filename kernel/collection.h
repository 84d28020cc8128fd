/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_COLLECTION_H
#define VSS_COLLECTION_H

#include <linux/list.h>
#include <linux/percpu_counter.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "store.h"

struct vss_search;
struct vss_stats;

#define VSS_NAME_BYTES 64

/**
 * struct vss_collection - a named set of rows of one dimension and metric
 * @node: link in the registry; changed under the registry's lock, or by the
 *        module's exit alone, and read under RCU
 * @rcu: delays the free of this struct until no lookup can still see it
 * @references: one for the registry, one for each call that works on it
 * @name: never changes
 * @metric: never changes
 * @queries: queries answered
 * @store: the rows, which have their own lock
 */
struct vss_collection {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t references;
	char name[VSS_NAME_BYTES];
	u32 metric;
	struct percpu_counter queries;
	struct vss_store store;
};

struct vss_collection *vss_collection_create(const char *name, u32 metric,
					     u32 dimension);
void vss_collection_put(struct vss_collection *collection);
int vss_collection_add_first(struct vss_collection *collection, u64 id,
			     const u32 *vector, struct vss_block **spare);
int vss_collection_add(struct vss_collection *collection, u64 id,
		       const u32 *vector, u32 dimension);
int vss_collection_search(struct vss_collection *collection,
			  struct vss_search *search, u32 dimension);
void vss_collection_stats(struct vss_collection *collection,
			  struct vss_stats *stats);

#endif /* VSS_COLLECTION_H */
