/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_FILE_H
#define VSS_FILE_H

#include <linux/types.h>

struct file;
struct poll_table_struct;
struct vss_collection;
struct vss_file;

struct vss_file *vss_file_create(struct file *file);
void vss_file_free(struct vss_file *vss);
bool vss_file_allows(const struct vss_file *vss, fmode_t access);
void vss_file_bind(struct vss_file *vss, struct vss_collection *collection,
		   fmode_t access);
void vss_file_note(struct vss_file *vss,
		   const struct vss_collection *collection, u64 pressed);
__poll_t vss_file_poll(struct file *file, struct poll_table_struct *table);
struct vss_collection *vss_file_collection(struct vss_file *vss,
					   fmode_t access);

#endif /* VSS_FILE_H */
