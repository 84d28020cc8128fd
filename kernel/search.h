/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SEARCH_H
#define VSS_SEARCH_H

#include <linux/types.h>

struct vss_store;

/**
 * struct vss_hit - a row that a search found
 * @id: the row's id
 * @distance: bits of its distance, which compare as the distance does, for it
 *            is not negative
 */
struct vss_hit {
	u64 id;
	u32 distance;
};

/**
 * struct vss_search - one search, from its query to its hits
 * @k: hits wanted
 * @count: hits found
 * @query: the padded query, aligned to VSS_ALIGN
 * @distances: scratch for the distances of one section
 * @hits: a max-heap on (distance, id) while the search runs, sorted by it
 *        afterwards
 *
 * Belongs to one thread, and needs no lock. One allocation holds it all.
 */
struct vss_search {
	u32 k;
	u32 count;
	u32 *query;
	u32 *distances;
	struct vss_hit hits[];
};

struct vss_search *vss_search_create(const u32 *query, u32 dimension, u32 k);
void vss_search_free(struct vss_search *search);
int vss_search_run(struct vss_search *search, struct vss_store *store);

#endif /* VSS_SEARCH_H */
