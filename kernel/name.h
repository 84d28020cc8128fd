/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_NAME_H
#define VSS_NAME_H

#include <linux/types.h>

#define VSS_DEFAULT_NAME "default"

bool vss_name_is_valid(const char *name);

#endif /* VSS_NAME_H */
