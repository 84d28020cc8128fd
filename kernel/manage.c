// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of protocol 2 that make, find, describe and change collections.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vss.h>

#include "access.h"
#include "budget.h"
#include "collection.h"
#include "commands.h"
#include "distance/distance.h"
#include "main.h"
#include "name.h"
#include "registry.h"
#include "share.h"
#include "trace.h"

#define VSS_OPEN_FLAGS (VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE | \
			VSS_OPEN_PRIVATE | VSS_OPEN_READ_ONLY | \
			VSS_OPEN_WRITE_ONLY | VSS_OPEN_NO_CODES)
#define VSS_CONFIGURE_FLAGS (VSS_CONFIGURE_CAPACITY | VSS_CONFIGURE_EVICTION | \
			     VSS_CONFIGURE_TTL | VSS_CONFIGURE_MODE | \
			     VSS_CONFIGURE_MAX_BYTES)

/* Records that are gathered at a time, under the registry's lock. */
#define VSS_LIST_PIECE 16
#define VSS_MIN_RECORD_BYTES 136
#define VSS_MAX_RECORD_BYTES 4096

int vss_cmd_info(struct vss_file *file, void *arg)
{
	struct vss_info *info = arg;

	*info = (struct vss_info) {
		.size = info->size,
		.features = VSS_FEATURE_COLLECTIONS | VSS_FEATURE_CODES |
			    VSS_FEATURE_EVICTION,
		.max_dimension = VSS_MAX_DIMENSION,
		.max_k = VSS_MAX_K,
		.max_rows = VSS_MAX_ROWS,
		.max_call_bytes = VSS_MAX_CALL_BYTES,
		.max_payload = VSS_MAX_PAYLOAD,
		.max_collections = vss_max_collections(),
		.max_vectors = vss_max_vectors(),
		.bytes = vss_budget_used(),
		.max_bytes = vss_budget_cap(),
		.collections = vss_collection_count(),
		.search_cpus = vss_share_cpus(),
	};
	strscpy_pad(info->simd, vss_distance_level(), sizeof(info->simd));
	strscpy_pad(info->release, VSS_RELEASE, sizeof(info->release));
	return 0;
}

/* The fields that VSS_OPEN and VSS_CONFIGURE have in common. */
static int vss_check_behaviour(u64 capacity, u32 eviction, u32 mode)
{
	return capacity > vss_max_vectors() || eviction > VSS_EVICTION_LRU ||
	       mode & ~VSS_MODE_BITS ? -EINVAL : 0;
}

static int vss_check_form(const struct vss_open *args)
{
	if (!args->dimension || args->dimension > VSS_MAX_DIMENSION ||
	    args->metric > VSS_METRIC_COS || args->element > VSS_ELEMENT_B1)
		return -EINVAL;
	return args->element == VSS_ELEMENT_F32 ? 0 : -EOPNOTSUPP;
}

static int vss_open_check(const struct vss_open *args)
{
	bool create = args->flags & VSS_OPEN_CREATE;
	bool private = args->flags & VSS_OPEN_PRIVATE;
	int ret;

	if (args->flags & ~VSS_OPEN_FLAGS)
		return -EINVAL;
	if (args->flags & VSS_OPEN_READ_ONLY &&
	    args->flags & VSS_OPEN_WRITE_ONLY)
		return -EINVAL;
	if (args->flags & VSS_OPEN_EXCLUSIVE && !create)
		return -EINVAL;
	if (args->flags & VSS_OPEN_NO_CODES && !create && !private)
		return -EINVAL;
	if (private ? create || args->name[0] || args->mode :
		      !vss_name_is_valid(args->name))
		return -EINVAL;
	if (!create && !private)
		return args->dimension || args->metric || args->element ||
		       args->capacity || args->ttl || args->eviction ||
		       args->mode || args->max_bytes ? -EINVAL : 0;
	ret = vss_check_form(args);
	return ret ?: vss_check_behaviour(args->capacity, args->eviction,
					  args->mode);
}

static fmode_t vss_open_access(u32 flags)
{
	if (flags & VSS_OPEN_READ_ONLY)
		return FMODE_READ;
	if (flags & VSS_OPEN_WRITE_ONLY)
		return FMODE_WRITE;
	return FMODE_READ | FMODE_WRITE;
}

static struct vss_collection *vss_open_create(const struct vss_open *args)
{
	struct vss_limits limits = {
		.capacity = args->capacity,
		.eviction = args->eviction,
		.max_bytes = args->max_bytes,
		.ttl = args->ttl,
	};
	struct vss_collection *collection;

	collection = vss_collection_create(args->name, args->metric,
					   args->dimension, args->mode,
					   !(args->flags & VSS_OPEN_NO_CODES));
	if (!IS_ERR(collection))
		vss_store_limit(&collection->store, VSS_CONFIGURE_FLAGS,
				&limits);
	return collection;
}

static struct vss_collection *vss_open_private(const struct vss_open *args)
{
	struct vss_collection *collection = vss_open_create(args);
	int ret;

	if (IS_ERR(collection))
		return collection;
	ret = vss_collection_count_in(collection);
	if (ret) {
		vss_collection_put(collection);
		return ERR_PTR(ret);
	}
	collection->serial = vss_registry_serial();
	return collection;
}

static struct vss_collection *vss_open_new(const struct vss_open *args)
{
	struct vss_collection *collection = vss_open_create(args);
	int ret;

	if (IS_ERR(collection))
		return collection;
	ret = vss_registry_publish(collection);
	if (ret) {
		vss_collection_put(collection);
		return ERR_PTR(ret);
	}
	return collection;
}

/* Whether a collection that is there may be opened so. */
static int vss_open_fits(const struct vss_collection *collection,
			 const struct vss_open *args)
{
	if (args->flags & VSS_OPEN_EXCLUSIVE)
		return -EEXIST;
	if (!vss_access_allowed(collection, vss_open_access(args->flags)))
		return -EACCES;
	if (args->flags & VSS_OPEN_CREATE &&
	    (args->dimension != collection->store.dimension ||
	     args->metric != collection->metric))
		return -EINVAL;
	return 0;
}

static struct vss_collection *vss_open_named(const struct vss_open *args)
{
	struct vss_collection *collection;
	int ret;

	while (!(collection = vss_registry_get(args->name))) {
		if (!(args->flags & VSS_OPEN_CREATE))
			return ERR_PTR(-ENOENT);
		collection = vss_open_new(args);
		if (collection != ERR_PTR(-EEXIST))
			return collection;
		/* Somebody else made it meanwhile, and may have dropped it. */
	}
	ret = vss_open_fits(collection, args);
	if (ret) {
		vss_collection_put(collection);
		return ERR_PTR(ret);
	}
	return collection;
}

static void vss_open_describe(struct vss_open *args,
			      struct vss_collection *collection)
{
	struct vss_stat stat = { };

	vss_collection_stat(collection, &stat);
	args->dimension = stat.dimension;
	args->metric = stat.metric;
	args->element = stat.element;
	args->capacity = stat.capacity;
	args->ttl = stat.ttl;
	args->eviction = stat.eviction;
	args->mode = stat.mode;
	args->uid = stat.uid;
	args->gid = stat.gid;
	args->serial = stat.serial;
	args->max_bytes = stat.max_bytes;
}

int vss_cmd_open(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_open *args = arg;
	u64 start = ktime_get_ns();
	fmode_t access, needed;
	int ret;

	ret = vss_open_check(args);
	if (ret)
		return ret;
	access = vss_open_access(args->flags);
	needed = args->flags & (VSS_OPEN_CREATE | VSS_OPEN_PRIVATE) ?
		 access | FMODE_WRITE : access;
	if (!vss_file_allows(file, needed))
		return -EBADF;
	collection = args->flags & VSS_OPEN_PRIVATE ? vss_open_private(args) :
						      vss_open_named(args);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	vss_open_describe(args, collection);
	trace_vss_open(collection, args->flags, ktime_get_ns() - start);
	vss_file_bind(file, collection, access);
	return 0;
}

int vss_cmd_drop(struct vss_file *file, void *arg)
{
	struct vss_drop *args = arg;

	if (args->flags || args->reserved || !vss_name_is_valid(args->name))
		return -EINVAL;
	return vss_registry_drop(args->name);
}

/* Copies records out, at the caller's size of a record. */
static int vss_list_copy(void __user *to, u32 record_size,
			 const struct vss_list_record *records, u32 count)
{
	u32 known = min_t(u32, record_size, sizeof(*records));
	u32 i;

	for (i = 0; i < count; i++, to += record_size) {
		if (copy_to_user(to, &records[i], known) ||
		    clear_user(to + known, record_size - known))
			return -EFAULT;
	}
	return 0;
}

static int vss_list_pieces(struct vss_list *args,
			   struct vss_list_record *records)
{
	u8 __user *to = u64_to_user_ptr(args->records);
	u64 cursor = args->cursor;
	u32 count;
	int ret;

	while (args->done < args->count && cursor != VSS_CURSOR_END) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = vss_registry_list(records, min_t(u32, VSS_LIST_PIECE,
						       args->count - args->done),
					&count, &cursor);
		if (!ret)
			ret = vss_list_copy(to + (size_t)args->done *
						 args->record_size,
					    args->record_size, records, count);
		if (ret)
			return ret;
		args->done += count;
		args->cursor = cursor;
		cond_resched();
	}
	return 0;
}

int vss_cmd_list(struct vss_file *file, void *arg)
{
	struct vss_list_record *records;
	struct vss_list *args = arg;
	int ret;

	args->done = 0;
	if (args->flags || !args->count || args->count > VSS_MAX_ROWS ||
	    args->record_size < VSS_MIN_RECORD_BYTES ||
	    args->record_size > VSS_MAX_RECORD_BYTES || args->record_size % 8 ||
	    (u64)args->count * args->record_size > VSS_MAX_CALL_BYTES)
		return -EINVAL;
	records = kcalloc(VSS_LIST_PIECE, sizeof(*records), VSS_GFP);
	if (!records)
		return -ENOMEM;
	ret = vss_list_pieces(args, records);
	kfree(records);
	return ret;
}

int vss_cmd_stat(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_stat *stat = arg;

	collection = vss_file_collection(file, FMODE_READ);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	vss_collection_stat(collection, stat);
	vss_file_note(file, collection, stat->pressure_evictions);
	vss_collection_put(collection);
	return 0;
}

static int vss_configure_check(const struct vss_configure *args)
{
	if (!args->flags || args->flags & ~VSS_CONFIGURE_FLAGS ||
	    args->reserved)
		return -EINVAL;
	if ((args->capacity && !(args->flags & VSS_CONFIGURE_CAPACITY)) ||
	    (args->eviction && !(args->flags & VSS_CONFIGURE_EVICTION)) ||
	    (args->ttl && !(args->flags & VSS_CONFIGURE_TTL)) ||
	    (args->mode && !(args->flags & VSS_CONFIGURE_MODE)) ||
	    (args->max_bytes && !(args->flags & VSS_CONFIGURE_MAX_BYTES)))
		return -EINVAL;
	return vss_check_behaviour(args->capacity, args->eviction, args->mode);
}

static int vss_configure_apply(struct vss_collection *collection,
			       const struct vss_configure *args)
{
	const struct vss_limits limits = {
		.capacity = args->capacity,
		.eviction = args->eviction,
		.max_bytes = args->max_bytes,
		.ttl = args->ttl,
	};
	int ret = 0;

	if (args->flags & VSS_CONFIGURE_MODE) {
		if (!collection->name[0])
			return -EINVAL;
		if (!vss_access_is_owner(collection))
			return -EACCES;
	}
	if (args->flags & ~VSS_CONFIGURE_MODE)
		ret = vss_store_configure(&collection->store, args->flags,
					  &limits);
	if (!ret && args->flags & VSS_CONFIGURE_MODE)
		WRITE_ONCE(collection->mode, args->mode);
	return ret;
}

int vss_cmd_configure(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_configure *args = arg;
	int ret;

	ret = vss_configure_check(args);
	if (ret)
		return ret;
	collection = vss_file_collection(file, FMODE_WRITE);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_configure_apply(collection, args);
	vss_collection_put(collection);
	return ret;
}
