/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SYSFS_H
#define VSS_SYSFS_H

struct attribute_group;

extern const struct attribute_group *vss_groups[];

#endif /* VSS_SYSFS_H */
