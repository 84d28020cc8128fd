/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_COMMANDS_H
#define VSS_COMMANDS_H

#include <linux/err.h>
#include <linux/types.h>
#include <linux/vss.h>

#include "collection.h"
#include "file.h"
#include "store.h"

/*
 * One function a command. Each gets the file and the command's struct in kernel
 * memory, holds only the command's own logic, and returns 0 or a negative errno
 * of those that the user header lists. What it writes to the struct reaches the
 * caller either way.
 */

/* protocol1.c */
int vss_add_vector(struct vss_file *file, void *arg);
int vss_query_top_k(struct vss_file *file, void *arg);
int vss_get_stats(struct vss_file *file, void *arg);

/* manage.c */
int vss_cmd_info(struct vss_file *file, void *arg);
int vss_cmd_open(struct vss_file *file, void *arg);
int vss_cmd_drop(struct vss_file *file, void *arg);
int vss_cmd_list(struct vss_file *file, void *arg);
int vss_cmd_stat(struct vss_file *file, void *arg);
int vss_cmd_configure(struct vss_file *file, void *arg);

/* rows.c */
int vss_cmd_put(struct vss_file *file, void *arg);
int vss_cmd_get(struct vss_file *file, void *arg);
int vss_cmd_delete(struct vss_file *file, void *arg);
int vss_cmd_scan(struct vss_file *file, void *arg);
int vss_cmd_clear(struct vss_file *file, void *arg);

/* queries.c */
int vss_cmd_search(struct vss_file *file, void *arg);

#endif /* VSS_COMMANDS_H */
