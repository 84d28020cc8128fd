// SPDX-License-Identifier: GPL-2.0-only
/*
 * What everybody may read below /sys/class/misc/vss: one value a file, over
 * all collections together.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "budget.h"
#include "distance/distance.h"
#include "main.h"
#include "registry.h"
#include "sysfs.h"

/**
 * struct vss_total - a read-only attribute that shows a field of struct vss_totals
 * @attr: the attribute
 * @offset: where the field lies; all of them are u64
 */
struct vss_total {
	struct device_attribute attr;
	size_t offset;
};

static ssize_t vss_total_show(struct device *device,
			      struct device_attribute *attr, char *buffer)
{
	struct vss_total *total = container_of(attr, struct vss_total, attr);
	struct vss_totals totals;
	int ret;

	ret = vss_registry_totals(&totals);
	if (ret)
		return ret;
	return sysfs_emit(buffer, "%llu\n",
			  *(u64 *)((void *)&totals + total->offset));
}

#define VSS_TOTAL(_name)						\
	static struct vss_total vss_##_name = {				\
		__ATTR(_name, 0444, vss_total_show, NULL),		\
		offsetof(struct vss_totals, _name),			\
	}

VSS_TOTAL(adds);
VSS_TOTAL(collections);
VSS_TOTAL(count);
VSS_TOTAL(evictions);
VSS_TOTAL(expirations);
VSS_TOTAL(pressure_evictions);
VSS_TOTAL(queries);

static ssize_t bytes_show(struct device *device,
			  struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%llu\n", vss_budget_used());
}
static DEVICE_ATTR_RO(bytes);

static ssize_t files_show(struct device *device,
			  struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%d\n", vss_open_files());
}
static DEVICE_ATTR_RO(files);

static ssize_t simd_show(struct device *device,
			 struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%s\n", vss_distance_level());
}
static DEVICE_ATTR_RO(simd);

static struct attribute *vss_attrs[] = {
	&vss_adds.attr.attr,
	&dev_attr_bytes.attr,
	&vss_collections.attr.attr,
	&vss_count.attr.attr,
	&vss_evictions.attr.attr,
	&vss_expirations.attr.attr,
	&dev_attr_files.attr,
	&vss_pressure_evictions.attr.attr,
	&vss_queries.attr.attr,
	&dev_attr_simd.attr,
	NULL
};

static const struct attribute_group vss_group = {
	.attrs = vss_attrs,
};

const struct attribute_group *vss_groups[] = {
	&vss_group,
	NULL
};
