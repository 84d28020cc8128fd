// SPDX-License-Identifier: GPL-2.0-only
/*
 * VSS_SEARCH: many queries, each answered before the next is looked at.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include <linux/vss.h>

#include "collection.h"
#include "commands.h"
#include "float.h"
#include "search.h"
#include "trace.h"

/* Hits that are copied out at a time. */
#define VSS_HITS_PIECE 32

static u32 vss_search_max_distance(const struct vss_search *args)
{
	return *(const u32 *)&args->max_distance;
}

static int vss_search_check(const struct vss_search *args,
			    const struct vss_collection *collection)
{
	u32 distance = vss_search_max_distance(args);

	if (args->flags & ~VSS_SEARCH_RANGE ||
	    !args->count || args->count > VSS_MAX_ROWS ||
	    !args->k || args->k > VSS_MAX_K ||
	    args->dimension != collection->store.dimension)
		return -EINVAL;
	if ((u64)args->count * args->dimension * sizeof(u32) >
		    VSS_MAX_CALL_BYTES ||
	    (u64)args->count * args->k * sizeof(u64) > VSS_MAX_CALL_BYTES)
		return -EINVAL;
	if (args->flags & VSS_SEARCH_RANGE ? vss_f32_is_nan(distance) :
					     distance)
		return -EINVAL;
	return 0;
}

/* Copies the hits of query @n out, in the two arrays that callers get. */
static int vss_search_copy_hits(const struct vss_search *args,
				const struct vss_query *query, u32 n)
{
	u64 __user *ids = u64_to_user_ptr(args->ids);
	u32 __user *distances = u64_to_user_ptr(args->distances);
	size_t at = (size_t)n * args->k;
	u32 distance_piece[VSS_HITS_PIECE];
	u64 id_piece[VSS_HITS_PIECE];
	u32 i, j, count;

	for (i = 0; i < query->count; i += count) {
		count = min_t(u32, query->count - i, VSS_HITS_PIECE);
		for (j = 0; j < count; j++) {
			id_piece[j] = query->hits[i + j].id;
			distance_piece[j] = query->hits[i + j].distance;
		}
		if (copy_to_user(ids + at + i, id_piece,
				 count * sizeof(*ids)) ||
		    copy_to_user(distances + at + i, distance_piece,
				 count * sizeof(*distances)))
			return -EFAULT;
	}
	return 0;
}

static int vss_search_one(const struct vss_search *args,
			  struct vss_collection *collection,
			  struct vss_query *query, u32 n)
{
	const u8 __user *queries = u64_to_user_ptr(args->queries);
	u32 __user *counts = u64_to_user_ptr(args->counts);
	size_t bytes = args->dimension * sizeof(u32);
	int ret;

	if (copy_from_user(query->vector, queries + n * bytes, bytes))
		return -EFAULT;
	ret = vss_collection_search(collection, query);
	if (!ret)
		ret = vss_search_copy_hits(args, query, n);
	if (!ret && put_user(query->count, counts + n))
		ret = -EFAULT;
	return ret;
}

static int vss_search_all(struct vss_search *args,
			  struct vss_collection *collection)
{
	struct vss_query *query;
	int ret = 0;

	query = vss_query_create(collection->metric, args->dimension, args->k);
	if (!query)
		return -ENOMEM;
	query->filter.mask = args->tag_mask;
	query->filter.value = args->tag_value;
	if (args->flags & VSS_SEARCH_RANGE)
		vss_query_limit(query, vss_search_max_distance(args));
	while (!ret && args->done < args->count) {
		ret = vss_search_one(args, collection, query, args->done);
		if (!ret)
			args->done++;
	}
	args->scanned = query->scanned;
	args->computed = query->computed;
	vss_query_free(query);
	return ret;
}

int vss_cmd_search(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_search *args = arg;
	u64 start = ktime_get_ns();
	int ret;

	args->done = 0;
	args->scanned = 0;
	args->computed = 0;
	collection = vss_file_collection(file, FMODE_READ);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_search_check(args, collection);
	if (!ret) {
		ret = vss_search_all(args, collection);
		trace_vss_search(collection, args, ret, ktime_get_ns() - start);
	}
	vss_collection_put(collection);
	return ret;
}
