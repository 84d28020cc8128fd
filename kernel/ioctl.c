// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of /dev/vss: one table, one dispatcher that does all the
 * copying in and out, and one function a command that holds only its logic.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vss.h>

#include "collection.h"
#include "ioctl.h"
#include "registry.h"
#include "search.h"

#define VSS_DEFAULT_NAME "default"

/* Bits of a binary32: the exponent is all ones in infinities and NaNs. */
#define VSS_F32_INFINITY 0x7f800000U

static_assert(sizeof(struct vss_vector_data) == 520);
static_assert(offsetof(struct vss_vector_data, data) == 8);
static_assert(sizeof(struct vss_query_data) == 776);
static_assert(offsetof(struct vss_query_data, result_ids) == 520);
static_assert(offsetof(struct vss_query_data, distances) == 648);
static_assert(sizeof(struct vss_stats) == 64);

static bool vss_all_finite(const u32 *vector, u32 dimension)
{
	u32 i;

	for (i = 0; i < dimension; i++) {
		if ((vector[i] & VSS_F32_INFINITY) == VSS_F32_INFINITY)
			return false;
	}
	return true;
}

static int vss_check_vector(const u32 *vector, u32 dimension)
{
	if (!dimension || dimension > VSS_V1_MAX_DIMENSION)
		return -EINVAL;
	return vss_all_finite(vector, dimension) ? 0 : -EINVAL;
}

static int vss_add_vector(void *arg)
{
	const struct vss_vector_data *data = arg;
	const u32 *vector = (const u32 *)data->data;
	int ret;

	ret = vss_check_vector(vector, data->dimension);
	if (ret)
		return ret;
	return vss_registry_add(VSS_DEFAULT_NAME, data->id, vector,
				data->dimension);
}

static void vss_fill_results(struct vss_query_data *data,
			     const struct vss_hit *hits, u32 count)
{
	u32 *distances = (u32 *)data->distances;
	u32 i;

	data->k = count;
	for (i = 0; i < VSS_V1_MAX_K; i++) {
		data->result_ids[i] = i < count ? hits[i].id : 0;
		distances[i] = i < count ? hits[i].distance : VSS_F32_INFINITY;
	}
}

static int vss_search_collection(struct vss_collection *collection,
				 struct vss_query_data *data)
{
	struct vss_search *search;
	int ret;

	search = vss_search_create((const u32 *)data->query_vector,
				   data->dimension, data->k);
	if (!search)
		return -ENOMEM;
	ret = vss_collection_search(collection, search, data->dimension);
	if (!ret)
		vss_fill_results(data, search->hits, search->count);
	vss_search_free(search);
	return ret;
}

static int vss_query_top_k(void *arg)
{
	struct vss_query_data *data = arg;
	struct vss_collection *collection;
	int ret;

	if (!data->k || data->k > VSS_V1_MAX_K)
		return -EINVAL;
	ret = vss_check_vector((const u32 *)data->query_vector,
			       data->dimension);
	if (ret)
		return ret;
	collection = vss_registry_get(VSS_DEFAULT_NAME);
	if (!collection) {
		vss_fill_results(data, NULL, 0);
		return 0;
	}
	ret = vss_search_collection(collection, data);
	vss_collection_put(collection);
	return ret;
}

static int vss_get_stats(void *arg)
{
	struct vss_collection *collection;
	struct vss_stats *stats = arg;

	collection = vss_registry_get(VSS_DEFAULT_NAME);
	if (!collection) {
		*stats = (struct vss_stats) {
			.capacity = vss_store_capacity(),
			.metric = VSS_METRIC_L2SQ,
		};
		return 0;
	}
	vss_collection_stats(collection, stats);
	vss_collection_put(collection);
	return 0;
}

/*
 * Any command's argument: what the dispatcher copies in and out. Its members
 * are those whose sizes the table's command numbers carry.
 */
union vss_argument {
	struct vss_vector_data vector_data;
	struct vss_query_data query_data;
	struct vss_stats stats;
};

/**
 * struct vss_command - one row of the table
 * @cmd: the whole command number; its direction and size bits tell what is
 *       copied
 * @mode: what the file must be open for
 * @run: does the work on the argument in kernel memory
 */
struct vss_command {
	unsigned int cmd;
	fmode_t mode;
	int (*run)(void *arg);
};

static const struct vss_command vss_commands[] = {
	{ VSS_ADD_VECTOR, FMODE_WRITE, vss_add_vector },
	{ VSS_QUERY_TOP_K, FMODE_READ, vss_query_top_k },
	{ VSS_GET_STATS, FMODE_READ, vss_get_stats },
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
	union vss_argument argument;
	unsigned int direction;
	size_t size;
	int ret;

	if (!command)
		return -ENOTTY;
	if (!(file->f_mode & command->mode))
		return -EBADF;
	direction = _IOC_DIR(command->cmd);
	size = _IOC_SIZE(command->cmd);
	if (direction & _IOC_WRITE && copy_from_user(&argument, user, size))
		return -EFAULT;
	ret = command->run(&argument);
	if (ret)
		return ret;
	if (direction & _IOC_READ && copy_to_user(user, &argument, size))
		return -EFAULT;
	return 0;
}
