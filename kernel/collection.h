/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_COLLECTION_H
#define VSS_COLLECTION_H

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/percpu_counter.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/vss.h>

#include "store.h"

struct vss_batch;
struct vss_pass;

/**
 * struct vss_collection - a set of rows of one dimension and metric
 * @node: link in the registry; changed under the registry's lock, or by the
 *        module's exit alone, and read under RCU
 * @rcu: delays the free of this struct until no lookup can still see it
 * @references: one for the registry while it has a name there, one for each file
 *              bound to it, one for each call that works on it
 * @name: never changes; empty for a private one
 * @serial: never changes once others can see it
 * @counted: whether it counts as one; never changes once others can see it
 * @metric: never changes
 * @uid: its owner; never changes
 * @gid: its group; never changes
 * @mode: permission bits; changed and read by anybody
 * @queries: queries answered
 * @gets: ids looked up
 * @hits: queries and ids that found a row
 * @scanned: rows that queries looked at
 * @computed: of those, rows whose distance was computed
 * @longest: the longest FPU section, in nanoseconds; it only rises, by
 *           compare-and-exchange
 * @store: the rows, which have their own locks
 */
struct vss_collection {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t references;
	char name[VSS_NAME_BYTES];
	u64 serial;
	bool counted;
	u32 metric;
	kuid_t uid;
	kgid_t gid;
	u32 mode;
	struct percpu_counter queries;
	struct percpu_counter gets;
	struct percpu_counter hits;
	struct percpu_counter scanned;
	struct percpu_counter computed;
	atomic64_t longest;
	struct vss_store store;
};

static inline const struct vss_collection *
vss_collection_of(const struct vss_store *store)
{
	return container_of(store, struct vss_collection, store);
}

struct vss_collection *vss_collection_create(const char *name, u32 metric,
					     u32 dimension, u32 mode,
					     bool has_codes);
void vss_collection_put(struct vss_collection *collection);
int vss_collection_count_in(struct vss_collection *collection);
void vss_collection_count_out(struct vss_collection *collection);
u32 vss_collection_count(void);
u32 vss_max_collections(void);

int vss_collection_admit(struct vss_collection *collection,
			 struct vss_batch *batch);
int vss_collection_insert(struct vss_collection *collection,
			  struct vss_batch *batch, bool upsert);
int vss_collection_get(struct vss_collection *collection,
		       struct vss_batch *batch);
int vss_collection_admit_query(struct vss_collection *collection,
			       struct vss_pass *pass, u32 i);
int vss_collection_search(struct vss_collection *collection,
			  struct vss_pass *pass);
void vss_collection_stat(struct vss_collection *collection,
			 struct vss_stat *stat);

#endif /* VSS_COLLECTION_H */
