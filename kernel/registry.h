/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_REGISTRY_H
#define VSS_REGISTRY_H

#include <linux/types.h>

struct vss_collection;

/**
 * struct vss_totals - what all collections hold together
 * @collections: how many they are
 * @count: rows stored
 * @adds: rows ever added
 * @queries: queries answered
 */
struct vss_totals {
	u64 collections;
	u64 count;
	u64 adds;
	u64 queries;
};

struct vss_collection *vss_registry_get(const char *name);
int vss_registry_add(const char *name, u64 id, const u32 *vector,
		     u32 dimension);
int vss_registry_totals(struct vss_totals *totals);
void vss_registry_exit(void);

#endif /* VSS_REGISTRY_H */
