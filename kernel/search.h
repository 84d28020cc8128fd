/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SEARCH_H
#define VSS_SEARCH_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "distance/distance.h"
#include "hits.h"
#include "store.h"

/* Queries that share one pass over the rows, at most. */
#define VSS_SEARCH_QUERIES 64

/**
 * struct vss_query - one query, as one processor searches for it
 * @vector: its components, padded with zeros and aligned to VSS_ALIGN
 * @hits: the nearest rows so far
 * @probe: the query as the rows' codes are compared with it
 * @masks: of the section that is sifted, the rows that are left
 * @looked: rows looked at since the codes were last judged
 * @kept: of those, rows that the codes did not rule out
 * @blind: rows to be computed without a look at their codes
 * @patience: how many those will be the next time
 */
struct vss_query {
	const u32 *vector;
	struct vss_hits hits;
	struct vss_probe probe;
	DECLARE_BITMAP(masks, VSS_SECTION_ROWS);
	u32 looked;
	u32 kept;
	u32 blind;
	u32 patience;
};

/**
 * struct vss_seeker - one processor's share of a pass
 * @pass: the pass
 * @store: where
 * @work: what a processor that helps is given to do
 * @scanned: rows looked at, over all queries
 * @computed: of those, rows whose distance was computed
 * @longest: longest FPU section, in nanoseconds
 * @rows: rows that are computed in one go
 * @index: scratch for which ones
 * @measured: scratch for their distances, and for what is sifted before them
 * @queries: all queries of the pass
 *
 * Belongs to one thread, and needs no lock. One allocation holds it all.
 */
struct vss_seeker {
	struct vss_pass *pass;
	struct vss_store *store;
	struct work_struct work;
	u64 scanned;
	u64 computed;
	u64 longest;
	struct vss_rows rows;
	u16 index[VSS_TILE_ROWS];
	struct vss_measured measured;
	struct vss_query queries[];
};

/**
 * struct vss_pass - queries that are answered together
 * @metric: one of enum vss_metric
 * @dimension: components of a query
 * @k: hits wanted for each
 * @limit: greatest distance of a hit, mapped as in struct vss_hit
 * @max_id: greatest id of a hit
 * @filter: which rows are wanted
 * @room: queries there is room for
 * @count: queries there are; they are the first ones
 * @scanned: rows looked at, over all queries and all runs
 * @computed: of those, rows whose distance was computed
 * @longest: longest FPU section, in nanoseconds
 * @next: the first slot that no processor has taken yet
 * @stop: whether all processors are to end early
 * @limits: for each query, a distance beyond which no processor need look; it
 *          only falls, by compare-and-exchange
 * @vectors: room for the queries, padded with zeros and aligned to VSS_ALIGN
 * @seeker: the caller's own share
 *
 * What comes before @next never changes while the search runs.
 */
struct vss_pass {
	u32 metric;
	u32 dimension;
	u32 k;
	u32 limit;
	u64 max_id;
	struct vss_filter filter;
	u32 room;
	u32 count;
	u64 scanned;
	u64 computed;
	u64 longest;
	atomic64_t next;
	bool stop;
	u32 *limits;
	u32 *vectors;
	struct vss_seeker *seeker;
};

struct vss_pass *vss_pass_create(u32 metric, u32 dimension, u32 k,
				 u32 queries);
void vss_pass_free(struct vss_pass *pass);
void vss_pass_limit(struct vss_pass *pass, u32 distance);
int vss_pass_run(struct vss_pass *pass, struct vss_store *store);

/* A query's components: @pass->room of them may be set. */
static inline u32 *vss_pass_vector(const struct vss_pass *pass, u32 i)
{
	return pass->vectors +
	       (size_t)i * vss_store_lanes(pass->dimension);
}

/* A query's hits, nearest first, once the search has run. */
static inline const struct vss_hits *
vss_pass_hits(const struct vss_pass *pass, u32 i)
{
	return &pass->seeker->queries[i].hits;
}

/* For share.c. */
struct vss_seeker *vss_seeker_create(struct vss_pass *pass,
				     struct vss_store *store, gfp_t gfp);
void vss_seeker_free(struct vss_seeker *seeker);
void vss_seeker_run(struct vss_seeker *seeker, u64 piece);

#endif /* VSS_SEARCH_H */
