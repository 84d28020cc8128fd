/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SEARCH_H
#define VSS_SEARCH_H

#include <linux/types.h>

#include "store.h"

/**
 * struct vss_hit - a row that a search found
 * @id: the row's id
 * @distance: its distance: while the search runs, mapped to an integer that
 *            orders as the distance does; its bits afterwards
 */
struct vss_hit {
	u64 id;
	u32 distance;
};

/**
 * struct vss_query - queries, one after the other
 * @metric: one of enum vss_metric
 * @dimension: components of a query
 * @k: hits wanted
 * @limit: greatest distance of a hit, mapped as in struct vss_hit
 * @max_id: greatest id of a hit
 * @filter: which rows are wanted
 * @count: hits of the last query
 * @scanned: rows looked at, over all queries
 * @computed: of those, rows whose distance was computed
 * @vector: the query's components, padded with zeros and aligned to VSS_ALIGN
 * @distances: scratch for the distances of one section
 * @hits: a max-heap on (distance, id) while the search runs, sorted by it
 *        afterwards
 *
 * Belongs to one thread, and needs no lock. One allocation holds it all.
 */
struct vss_query {
	u32 metric;
	u32 dimension;
	u32 k;
	u32 limit;
	u64 max_id;
	struct vss_filter filter;
	u32 count;
	u64 scanned;
	u64 computed;
	u32 *vector;
	u32 *distances;
	struct vss_hit hits[];
};

struct vss_query *vss_query_create(u32 metric, u32 dimension, u32 k);
void vss_query_free(struct vss_query *query);
void vss_query_limit(struct vss_query *query, u32 distance);
int vss_search_run(struct vss_query *query, struct vss_store *store);

#endif /* VSS_SEARCH_H */
