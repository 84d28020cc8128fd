/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_REGISTRY_H
#define VSS_REGISTRY_H

#include <linux/types.h>

struct vss_batch;
struct vss_collection;
struct vss_list_record;

/**
 * struct vss_totals - what all named collections hold together
 * @collections: how many they are
 * @count: rows stored
 * @adds: rows ever put that were new
 * @queries: queries answered
 * @evictions: rows that made room for others, or for a lower limit
 * @pressure_evictions: rows that gave their memory back when it was scarce
 * @expirations: rows whose time was over
 */
struct vss_totals {
	u64 collections;
	u64 count;
	u64 adds;
	u64 queries;
	u64 evictions;
	u64 pressure_evictions;
	u64 expirations;
};

struct vss_collection *vss_registry_get(const char *name);
int vss_registry_publish(struct vss_collection *collection);
int vss_registry_publish_first(struct vss_collection *collection,
			       struct vss_batch *batch);
int vss_registry_drop(const char *name);
int vss_registry_list(struct vss_list_record *records, u32 room, u32 *count,
		      u64 *cursor);
u64 vss_registry_serial(void);
int vss_registry_totals(struct vss_totals *totals);
void vss_registry_exit(void);

#endif /* VSS_REGISTRY_H */
