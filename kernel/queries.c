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
				const struct vss_hits *hits, u32 n)
{
	u64 __user *ids = u64_to_user_ptr(args->ids);
	u32 __user *distances = u64_to_user_ptr(args->distances);
	u32 __user *counts = u64_to_user_ptr(args->counts);
	size_t at = (size_t)n * args->k;
	u32 distance_piece[VSS_HITS_PIECE];
	u64 id_piece[VSS_HITS_PIECE];
	u32 i, j, count;

	for (i = 0; i < hits->count; i += count) {
		count = min_t(u32, hits->count - i, VSS_HITS_PIECE);
		for (j = 0; j < count; j++) {
			const struct vss_hit *hit = &hits->heap[i + j];

			id_piece[j] = hit->id;
			distance_piece[j] = vss_disorder(hit->distance);
		}
		if (copy_to_user(ids + at + i, id_piece,
				 count * sizeof(*ids)) ||
		    copy_to_user(distances + at + i, distance_piece,
				 count * sizeof(*distances)))
			return -EFAULT;
	}
	return put_user(hits->count, counts + n) ? -EFAULT : 0;
}

/* Copies the next queries in, as many as there are before one that fails. */
static int vss_search_load(const struct vss_search *args,
			   struct vss_collection *collection,
			   struct vss_pass *pass)
{
	const u8 __user *queries = u64_to_user_ptr(args->queries);
	u32 count = min(pass->room, args->count - args->done);
	size_t bytes = args->dimension * sizeof(u32);
	int ret = 0;
	u32 n;

	pass->count = 0;
	while (!ret && pass->count < count) {
		n = args->done + pass->count;
		if (copy_from_user(vss_pass_vector(pass, pass->count),
				   queries + n * bytes, bytes))
			return -EFAULT;
		ret = vss_collection_admit_query(collection, pass,
						 pass->count);
		if (!ret)
			pass->count++;
	}
	return ret;
}

/* Answers the next queries, in one pass over the rows. */
static int vss_search_some(struct vss_search *args,
			   struct vss_collection *collection,
			   struct vss_pass *pass)
{
	int load = vss_search_load(args, collection, pass);
	int ret = 0;
	u32 i;

	if (pass->count)
		ret = vss_collection_search(collection, pass);
	for (i = 0; !ret && i < pass->count; i++) {
		ret = vss_search_copy_hits(args, vss_pass_hits(pass, i),
					   args->done);
		if (!ret)
			args->done++;
	}
	return ret ?: load;
}

static int vss_search_all(struct vss_search *args,
			  struct vss_collection *collection)
{
	struct vss_pass *pass;
	int ret = 0;

	pass = vss_pass_create(collection->metric, args->dimension, args->k,
			       args->count);
	if (!pass)
		return -ENOMEM;
	pass->filter.mask = args->tag_mask;
	pass->filter.value = args->tag_value;
	if (args->flags & VSS_SEARCH_RANGE)
		vss_pass_limit(pass, vss_search_max_distance(args));
	while (!ret && args->done < args->count)
		ret = vss_search_some(args, collection, pass);
	args->scanned = pass->scanned;
	args->computed = pass->computed;
	vss_pass_free(pass);
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
