// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of /dev/vss: one table, and one dispatcher a protocol that does
 * the copying of structs in and out.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vss.h>

#include "commands.h"
#include "file.h"
#include "ioctl.h"

/* No struct of protocol 2 is longer than this. */
#define VSS_MAX_STRUCT_BYTES 4096

static_assert(sizeof(struct vss_vector_data) == 520);
static_assert(offsetof(struct vss_vector_data, data) == 8);
static_assert(sizeof(struct vss_query_data) == 776);
static_assert(offsetof(struct vss_query_data, result_ids) == 520);
static_assert(offsetof(struct vss_query_data, distances) == 648);
static_assert(sizeof(struct vss_stats) == 64);

/* The header of every struct of protocol 2. */
struct vss_header {
	u32 size;
	s32 status;
};

/* Any command's struct. */
union vss_argument {
	struct vss_vector_data vector_data;
	struct vss_query_data query_data;
	struct vss_stats stats;
	struct vss_header header;
	struct vss_info info;
	struct vss_open open;
	struct vss_drop drop;
	struct vss_list list;
	struct vss_put put;
	struct vss_get get;
	struct vss_delete delete;
	struct vss_search search;
	struct vss_scan scan;
	struct vss_stat stat;
	struct vss_clear clear;
	struct vss_configure configure;
};

/**
 * struct vss_command - one row of the table
 * @cmd: the whole command number
 * @mode: what the file must be open for
 * @first: protocol 2: bytes of the struct's first version, which every caller
 *         knows
 * @size: bytes of the struct
 * @run: does the work on the struct in kernel memory
 */
struct vss_command {
	unsigned int cmd;
	fmode_t mode;
	u32 first;
	u32 size;
	int (*run)(struct vss_file *file, void *arg);
};

static const struct vss_command vss_commands[] = {
	{ VSS_ADD_VECTOR, FMODE_WRITE, 0, 520, vss_add_vector },
	{ VSS_QUERY_TOP_K, FMODE_READ, 0, 776, vss_query_top_k },
	{ VSS_GET_STATS, FMODE_READ, 0, 64, vss_get_stats },

	{ VSS_INFO, FMODE_READ, 120, sizeof(struct vss_info), vss_cmd_info },
	{ VSS_OPEN, 0, 128, sizeof(struct vss_open), vss_cmd_open },
	{ VSS_DROP, FMODE_WRITE, 80, sizeof(struct vss_drop), vss_cmd_drop },
	{ VSS_LIST, FMODE_READ, 40, sizeof(struct vss_list), vss_cmd_list },
	{ VSS_PUT, FMODE_WRITE, 88, sizeof(struct vss_put), vss_cmd_put },
	{ VSS_GET, FMODE_READ, 88, sizeof(struct vss_get), vss_cmd_get },
	{ VSS_DELETE, FMODE_WRITE, 48, sizeof(struct vss_delete),
	  vss_cmd_delete },
	{ VSS_SEARCH, FMODE_READ, 96, sizeof(struct vss_search),
	  vss_cmd_search },
	{ VSS_SCAN, FMODE_READ, 96, sizeof(struct vss_scan), vss_cmd_scan },
	{ VSS_STAT, FMODE_READ, 216, sizeof(struct vss_stat), vss_cmd_stat },
	{ VSS_CLEAR, FMODE_WRITE, 16, sizeof(struct vss_clear), vss_cmd_clear },
	{ VSS_CONFIGURE, FMODE_WRITE, 40, sizeof(struct vss_configure),
	  vss_cmd_configure },
};

static const struct vss_command *vss_find_command(unsigned int cmd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vss_commands); i++) {
		if (vss_commands[i].cmd == cmd)
			return &vss_commands[i];
	}
	return NULL;
}

/* Protocol 1: the command's number says what is copied. */
static int vss_run_fixed(const struct vss_command *command,
			 struct vss_file *file, void __user *user)
{
	unsigned int direction = _IOC_DIR(command->cmd);
	union vss_argument argument;
	int ret;

	if (!vss_file_allows(file, command->mode))
		return -EBADF;
	if (direction & _IOC_WRITE &&
	    copy_from_user(&argument, user, command->size))
		return -EFAULT;
	ret = command->run(file, &argument);
	if (ret)
		return ret;
	if (direction & _IOC_READ && copy_to_user(user, &argument, command->size))
		return -EFAULT;
	return 0;
}

/* Protocol 2, once the caller's size of the struct is known. */
static int vss_run_sized(const struct vss_command *command,
			 struct vss_file *file, void __user *user, u32 size)
{
	union vss_argument argument;
	int ret;

	if (!vss_file_allows(file, command->mode))
		return -EBADF;
	if (size < command->first)
		return -EINVAL;
	if (size > VSS_MAX_STRUCT_BYTES)
		return -E2BIG;
	ret = copy_struct_from_user(&argument, command->size, user, size);
	if (ret)
		return ret;
	/* It may have changed meanwhile; this is what was acted on. */
	argument.header.size = size;
	argument.header.status = 0;
	/* A struct that cannot be written is found out before it is acted on. */
	if (copy_to_user(user, &argument, min(size, command->size)))
		return -EFAULT;
	ret = command->run(file, &argument);
	argument.header.status = ret;
	if (copy_to_user(user, &argument, min(size, command->size)))
		return -EFAULT;
	return ret;
}

/* Protocol 2: the struct begins with its size, and is told the outcome. */
static int vss_run_extensible(const struct vss_command *command,
			      struct vss_file *file,
			      struct vss_header __user *header)
{
	u32 size;
	int ret;

	if (get_user(size, &header->size))
		return -EFAULT;
	if (size < sizeof(*header))
		return -EINVAL;
	ret = vss_run_sized(command, file, header, size);
	if (ret && put_user(ret, &header->status))
		return -EFAULT;
	return ret;
}

/**
 * vss_ioctl() - run a command
 * @file: an open /dev/vss
 * @cmd: the command
 * @arg: address of its struct in user memory
 *
 * Holds no lock: each command's function takes those it needs.
 *
 * Return: 0 or a negative errno of those that the user header lists.
 */
long vss_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct vss_command *command = vss_find_command(cmd);
	void __user *user = (void __user *)arg;

	if (!command)
		return -ENOTTY;
	if (command->first)
		return vss_run_extensible(command, file->private_data, user);
	return vss_run_fixed(command, file->private_data, user);
}
