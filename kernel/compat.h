/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, and nowhere else.
 */
#ifndef VSS_COMPAT_H
#define VSS_COMPAT_H

#include <linux/version.h>

/* Linux 6.10, "tracing/treewide: Remove second parameter of __assign_str()". */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vss_assign_str(field, from) __assign_str(field, from)
#else
#define vss_assign_str(field, from) __assign_str(field)
#endif

#endif /* VSS_COMPAT_H */
