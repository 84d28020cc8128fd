/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_ACCESS_H
#define VSS_ACCESS_H

#include <linux/types.h>

struct vss_collection;

/* All bits that a collection's mode may have. */
#define VSS_MODE_BITS 0666

bool vss_access_allowed(const struct vss_collection *collection, fmode_t access);
bool vss_access_is_owner(const struct vss_collection *collection);

#endif /* VSS_ACCESS_H */
