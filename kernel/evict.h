/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_EVICT_H
#define VSS_EVICT_H

#include <linux/types.h>

struct vss_block;
struct vss_store;

/* From a store's put: rows that are prepared are to become visible first. */
#define VSS_PUBLISH 1

/* Likewise: others are to be let in before it goes on. */
#define VSS_PAUSE 2

bool vss_store_is_past(const struct vss_store *store, u64 more);
bool vss_store_shed(struct vss_store *store, u64 more);
int vss_store_fit(struct vss_store *store, u64 charge, u64 more, bool prepared);
bool vss_store_yield(struct vss_store *store, struct vss_block *block);

#endif /* VSS_EVICT_H */
