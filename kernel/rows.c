// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of protocol 2 that move rows. Each works batch by batch: what is
 * in a batch has been copied from user memory, or is copied there, while no lock
 * is held; between two batches the caller may be killed and others may run.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
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

#include "batch.h"
#include "budget.h"
#include "collection.h"
#include "commands.h"
#include "payload.h"
#include "trace.h"

static int vss_check_rows(const struct vss_collection *collection, u32 count,
			  u32 dimension)
{
	if (!count || count > VSS_MAX_ROWS ||
	    dimension != collection->store.dimension ||
	    (u64)count * dimension * sizeof(u32) > VSS_MAX_CALL_BYTES)
		return -EINVAL;
	return 0;
}

/* What is done between two batches. */
static int vss_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Copies elements @first to @first + @count of a user's array of elements of
 * @size bytes. Returns how many whole ones could be read.
 */
static u32 vss_copy_elements(void *to, u64 array, u32 first, u32 count,
			     size_t size)
{
	const u8 __user *from = u64_to_user_ptr(array) + first * size;
	size_t left = copy_from_user(to, from, count * size);
	u32 whole = count - DIV_ROUND_UP(left, size);

	/*
	 * On arm64 a copy that has begun may give up some elements before the
	 * first one that cannot be read.
	 */
	if (left && left < count * size)
		while (whole < count && !copy_from_user(to + whole * size,
							from + whole * size,
							size))
			whole++;
	return whole;
}

/* Copies a payload in, for which others make room where it is a cache's. */
static struct vss_payload *vss_put_load_payload(struct vss_store *store,
						struct vss_batch *batch,
						const u8 __user *from, u32 size)
{
	struct vss_payload *payload;

	do {
		payload = vss_payload_create(from, size);
	} while (IS_ERR(payload) &&
		 vss_store_give_way(store, batch, size, PTR_ERR(payload)));
	return payload;
}

/* Copies the payloads of a batch in, and cuts it before one that fails. */
static int vss_put_load_payloads(const struct vss_put *args,
				 struct vss_store *store,
				 struct vss_batch *batch, u32 first,
				 u64 *offset)
{
	const u32 __user *sizes = u64_to_user_ptr(args->payload_sizes);
	const u8 __user *from = u64_to_user_ptr(args->payloads);
	u32 i, size, count = batch->count;
	struct vss_payload *payload;

	for (i = 0; i < count; i++) {
		batch->count = i;
		if (get_user(size, sizes + first + i))
			return -EFAULT;
		if (size == VSS_NO_PAYLOAD)
			continue;
		if (size > VSS_MAX_PAYLOAD ||
		    size > args->payload_bytes - *offset)
			return -EINVAL;
		payload = vss_put_load_payload(store, batch, from + *offset,
					       size);
		if (IS_ERR(payload))
			return PTR_ERR(payload);
		batch->payloads[i] = payload;
		*offset += size;
	}
	batch->count = count;
	return 0;
}

/* Copies the next rows in, as many as there are before one that fails. */
static int vss_put_load(const struct vss_put *args, struct vss_store *store,
			struct vss_batch *batch, u64 *offset)
{
	u32 first = args->done, count = min(batch->room, args->count - first);
	u32 ids, vectors, tags = count, ttls = count;
	int ret = 0;

	ids = vss_copy_elements(batch->ids, args->ids, first, count,
				sizeof(*batch->ids));
	vectors = vss_copy_elements(batch->vectors, args->vectors, first, count,
				    args->dimension * sizeof(u32));
	if (args->tags)
		tags = vss_copy_elements(batch->tags, args->tags, first, count,
					 sizeof(*batch->tags));
	if (args->ttls)
		ttls = vss_copy_elements(batch->ttls, args->ttls, first, count,
					 sizeof(*batch->ttls));
	batch->has_ttls = args->ttls;
	batch->count = min(min3(ids, vectors, tags), ttls);
	if (args->payload_sizes)
		ret = vss_put_load_payloads(args, store, batch, first, offset);
	return ret ?: batch->count < count ? -EFAULT : 0;
}

static int vss_put_batches(struct vss_put *args,
			   struct vss_collection *collection,
			   struct vss_batch *batch)
{
	bool upsert = args->flags & VSS_PUT_UPSERT;
	u64 offset = 0;
	int load, ret = 0;

	while (!ret && args->done < args->count) {
		load = vss_put_load(args, &collection->store, batch, &offset);
		ret = vss_collection_insert(collection, batch, upsert) ?: load;
		args->done += batch->done;
		args->inserted += batch->inserted;
		args->updated += batch->done - batch->inserted;
		args->evicted += batch->evicted;
		vss_batch_reset(batch);
		if (!ret && args->done < args->count)
			ret = vss_pause();
	}
	return ret;
}

static int vss_put_check(const struct vss_put *args,
			 const struct vss_collection *collection)
{
	if (args->flags & ~VSS_PUT_UPSERT || args->reserved)
		return -EINVAL;
	if (args->payload_bytes > VSS_MAX_CALL_BYTES ||
	    (!args->payload_sizes && (args->payloads || args->payload_bytes)) ||
	    (!args->payloads && args->payload_bytes))
		return -EINVAL;
	return vss_check_rows(collection, args->count, args->dimension);
}

static int vss_put_rows(struct vss_put *args, struct vss_collection *collection)
{
	struct vss_batch *batch;
	int ret;

	ret = vss_put_check(args, collection);
	if (ret)
		return ret;
	batch = vss_batch_create(args->dimension, args->count,
				 vss_store_has_codes(&collection->store));
	if (!batch)
		return -ENOMEM;
	ret = vss_put_batches(args, collection, batch);
	vss_batch_free(batch);
	return ret;
}

int vss_cmd_put(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_put *args = arg;
	u64 start = ktime_get_ns();
	int ret;

	args->done = 0;
	args->inserted = 0;
	args->updated = 0;
	args->evicted = 0;
	collection = vss_file_collection(file, FMODE_WRITE);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_put_rows(args, collection);
	trace_vss_put(collection, args, ret, ktime_get_ns() - start);
	vss_collection_put(collection);
	return ret;
}

/**
 * struct vss_output - the user's arrays that rows are written to
 * @ids: see struct vss_scan; 0 for VSS_GET, whose caller has them
 * @vectors: or 0
 * @tags: or 0
 * @payload_sizes: or 0
 * @payloads: or 0
 * @room: bytes of @payloads
 * @rows: rows written so far
 * @bytes: bytes of payloads written so far
 */
struct vss_output {
	u64 ids;
	u64 vectors;
	u64 tags;
	u64 payload_sizes;
	u64 payloads;
	u64 room;
	u32 rows;
	u64 bytes;
};

static int vss_check_output(const struct vss_output *output)
{
	if (!output->payloads)
		return output->room ? -EINVAL : 0;
	if (!output->payload_sizes || output->room < VSS_MAX_PAYLOAD ||
	    output->room > VSS_MAX_CALL_BYTES)
		return -EINVAL;
	return 0;
}

/* How many of a batch's rows have room for their payloads. */
static u32 vss_output_fit(const struct vss_output *output,
			  const struct vss_batch *batch)
{
	u64 bytes = output->bytes;
	u32 i;

	if (!output->payloads)
		return batch->count;
	for (i = 0; i < batch->count; i++) {
		if (batch->payloads[i])
			bytes += batch->payloads[i]->size;
		if (bytes > output->room)
			break;
	}
	return i;
}

static int vss_output_payloads(struct vss_output *output,
			       const struct vss_batch *batch, u32 count)
{
	u32 __user *sizes = u64_to_user_ptr(output->payload_sizes);
	u8 __user *to = u64_to_user_ptr(output->payloads);
	u32 i, size;

	for (i = 0; i < count; i++) {
		const struct vss_payload *payload = batch->payloads[i];

		size = payload ? payload->size : VSS_NO_PAYLOAD;
		if (put_user(size, sizes + output->rows + i))
			return -EFAULT;
		if (!payload || !output->payloads)
			continue;
		if (copy_to_user(to + output->bytes, payload->bytes, size))
			return -EFAULT;
		output->bytes += size;
	}
	return 0;
}

/* Copies @count elements to a user's array, unless that is left out. */
static int vss_output_array(u64 array, u32 first, const void *from, u32 count,
			    size_t size)
{
	u8 __user *to = u64_to_user_ptr(array);

	return array && copy_to_user(to + first * size, from, count * size) ?
	       -EFAULT : 0;
}

/* Writes the first @count rows of a batch. */
static int vss_output_rows(struct vss_output *output,
			   const struct vss_batch *batch, u32 count)
{
	u32 first = output->rows;

	if (vss_output_array(output->ids, first, batch->ids, count,
			     sizeof(u64)) ||
	    vss_output_array(output->vectors, first, batch->vectors, count,
			     batch->dimension * sizeof(u32)) ||
	    vss_output_array(output->tags, first, batch->tags, count,
			     sizeof(u64)))
		return -EFAULT;
	if (output->payload_sizes && vss_output_payloads(output, batch, count))
		return -EFAULT;
	output->rows += count;
	return 0;
}

/* Writes the bitmap's bytes that a batch touches; @found holds them all. */
static void vss_get_mark(unsigned long *found, const struct vss_batch *batch,
			 u32 first, u32 count, u32 *hits)
{
	u32 i;

	for_each_set_bit(i, batch->marked, count) {
		__set_bit_le(first + i, found);
		++*hits;
	}
}

static int vss_get_batches(struct vss_get *args,
			   struct vss_collection *collection,
			   struct vss_batch *batch, struct vss_output *output,
			   unsigned long *found)
{
	u32 count;
	int ret = 0;

	while (!ret && args->done < args->count) {
		count = min(batch->room, args->count - args->done);
		batch->count = vss_copy_elements(batch->ids, args->ids,
						 args->done, count,
						 sizeof(*batch->ids));
		if (batch->count < count)
			return -EFAULT;
		ret = vss_collection_get(collection, batch);
		if (ret)
			return ret;
		count = vss_output_fit(output, batch);
		ret = vss_output_rows(output, batch, count);
		if (ret)
			return ret;
		vss_get_mark(found, batch, args->done, count, &args->hits);
		args->done += count;
		if (count < batch->count)
			return 0;
		vss_batch_reset(batch);
		if (args->done < args->count)
			ret = vss_pause();
	}
	return ret;
}

static int vss_get_copy_found(const struct vss_get *args,
			      const unsigned long *found)
{
	return vss_output_array(args->found, 0, found,
				DIV_ROUND_UP(args->done, BITS_PER_BYTE), 1);
}

static int vss_get_rows(struct vss_get *args, struct vss_collection *collection,
			struct vss_output *output)
{
	struct vss_batch *batch;
	unsigned long *found;
	int ret;

	batch = vss_batch_create(args->dimension, args->count, false);
	if (!batch)
		return -ENOMEM;
	found = kvcalloc(BITS_TO_LONGS(args->count), sizeof(*found), VSS_GFP);
	if (found) {
		ret = vss_get_batches(args, collection, batch, output, found);
		/* Rows of which nobody can tell whether they are there do not count. */
		if (vss_get_copy_found(args, found)) {
			args->done = 0;
			args->hits = 0;
			ret = -EFAULT;
		}
	} else {
		ret = -ENOMEM;
	}
	kvfree(found);
	vss_batch_free(batch);
	return ret;
}

int vss_cmd_get(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_get *args = arg;
	struct vss_output output = {
		.vectors = args->vectors,
		.tags = args->tags,
		.payload_sizes = args->payload_sizes,
		.payloads = args->payloads,
		.room = args->payload_bytes,
	};
	int ret;

	args->done = 0;
	args->hits = 0;
	collection = vss_file_collection(file, FMODE_READ);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = args->flags || args->reserved ? -EINVAL : 0;
	ret = ret ?: vss_check_output(&output);
	ret = ret ?: vss_check_rows(collection, args->count, args->dimension);
	ret = ret ?: vss_get_rows(args, collection, &output);
	vss_collection_put(collection);
	return ret;
}

/* Fills a batch with the next rows, or less where they end. */
static int vss_scan_fill(struct vss_collection *collection,
			 const struct vss_filter *filter,
			 struct vss_batch *batch, u32 wanted, u64 *cursor)
{
	u32 room = batch->room;
	int ret = 0;

	batch->room = min(room, wanted);
	while (!ret && batch->count < batch->room && *cursor != VSS_CURSOR_END) {
		ret = vss_store_scan(&collection->store, filter, batch, cursor);
		if (!ret)
			ret = vss_pause();
	}
	batch->room = room;
	return ret;
}

static int vss_scan_batches(struct vss_scan *args,
			    struct vss_collection *collection,
			    struct vss_batch *batch, struct vss_output *output)
{
	struct vss_filter filter = { args->tag_mask, args->tag_value };
	u64 cursor;
	u32 count;
	int ret;

	while (args->done < args->count && args->cursor != VSS_CURSOR_END) {
		cursor = args->cursor;
		ret = vss_scan_fill(collection, &filter, batch,
				    args->count - args->done, &cursor);
		if (ret)
			return ret;
		count = vss_output_fit(output, batch);
		ret = vss_output_rows(output, batch, count);
		if (ret)
			return ret;
		args->done += count;
		if (count < batch->count) {
			args->cursor = batch->slots[count];
			return 0;
		}
		args->cursor = cursor;
		vss_batch_reset(batch);
	}
	return 0;
}

static int vss_scan_rows(struct vss_scan *args,
			 struct vss_collection *collection,
			 struct vss_output *output)
{
	struct vss_batch *batch;
	int ret;

	batch = vss_batch_create(args->dimension, args->count, false);
	if (!batch)
		return -ENOMEM;
	ret = vss_scan_batches(args, collection, batch, output);
	vss_batch_free(batch);
	return ret;
}

int vss_cmd_scan(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_scan *args = arg;
	struct vss_output output = {
		.ids = args->ids,
		.vectors = args->vectors,
		.tags = args->tags,
		.payload_sizes = args->payload_sizes,
		.payloads = args->payloads,
		.room = args->payload_bytes,
	};
	int ret;

	args->done = 0;
	collection = vss_file_collection(file, FMODE_READ);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = args->flags ? -EINVAL : vss_check_output(&output);
	ret = ret ?: args->ids ? 0 : -EFAULT;
	ret = ret ?: vss_check_rows(collection, args->count, args->dimension);
	ret = ret ?: vss_scan_rows(args, collection, &output);
	vss_collection_put(collection);
	return ret;
}

static int vss_delete_check(const struct vss_delete *args)
{
	if (args->flags & ~VSS_DELETE_MATCHING)
		return -EINVAL;
	if (args->flags & VSS_DELETE_MATCHING)
		return args->count || args->ids ? -EINVAL : 0;
	return !args->count || args->count > VSS_MAX_ROWS || args->tag_mask ||
	       args->tag_value ? -EINVAL : 0;
}

static int vss_delete_batches(struct vss_delete *args, struct vss_store *store,
			      u64 *ids)
{
	u32 count, read;
	int ret = 0;

	while (!ret && args->done < args->count) {
		count = min_t(u32, VSS_BATCH_ROWS, args->count - args->done);
		read = vss_copy_elements(ids, args->ids, args->done, count,
					 sizeof(*ids));
		ret = vss_store_delete(store, ids, read, &args->deleted);
		if (ret)
			return ret;
		args->done += read;
		if (read < count)
			return -EFAULT;
		if (args->done < args->count)
			ret = vss_pause();
	}
	return ret;
}

static int vss_delete_rows(struct vss_delete *args, struct vss_store *store)
{
	struct vss_filter filter = { args->tag_mask, args->tag_value };
	u64 *ids;
	int ret;

	if (args->flags & VSS_DELETE_MATCHING) {
		ret = vss_store_delete_matching(store, &filter, &args->deleted);
		args->done = args->deleted;
		return ret;
	}
	ids = kmalloc_array(VSS_BATCH_ROWS, sizeof(*ids), VSS_GFP);
	if (!ids)
		return -ENOMEM;
	ret = vss_delete_batches(args, store, ids);
	kfree(ids);
	return ret;
}

int vss_cmd_delete(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_delete *args = arg;
	u64 start = ktime_get_ns();
	int ret;

	args->done = 0;
	args->deleted = 0;
	collection = vss_file_collection(file, FMODE_WRITE);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_delete_check(args);
	ret = ret ?: vss_delete_rows(args, &collection->store);
	trace_vss_delete(collection, args->done, args->deleted, ret,
			 ktime_get_ns() - start);
	vss_collection_put(collection);
	return ret;
}

int vss_cmd_clear(struct vss_file *file, void *arg)
{
	const struct vss_filter all = { };
	struct vss_collection *collection;
	struct vss_clear *args = arg;
	u64 start = ktime_get_ns();
	int ret;

	args->done = 0;
	if (args->flags)
		return -EINVAL;
	collection = vss_file_collection(file, FMODE_WRITE);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_store_delete_matching(&collection->store, &all, &args->done);
	trace_vss_delete(collection, args->done, args->done, ret,
			 ktime_get_ns() - start);
	vss_collection_put(collection);
	return ret;
}
