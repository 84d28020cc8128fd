// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of protocol 1: one row, or one query, of at most 128 components,
 * inside the struct.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "batch.h"
#include "collection.h"
#include "commands.h"
#include "float.h"
#include "name.h"
#include "registry.h"
#include "search.h"

/* Mode of the collection that a first row makes: the device's own decides. */
#define VSS_V1_MODE 0666

static int vss_check_vector(const float *vector, u32 dimension)
{
	if (!dimension || dimension > VSS_V1_MAX_DIMENSION)
		return -EINVAL;
	return vss_f32_count_finite((const u32 *)vector, dimension) ==
	       dimension ? 0 : -EINVAL;
}

/*
 * Makes the default collection out of its first row. Returns -EEXIST when
 * another first row was faster.
 */
static int vss_add_first(struct vss_batch *batch)
{
	struct vss_collection *collection;
	int ret;

	collection = vss_collection_create(VSS_DEFAULT_NAME, VSS_METRIC_L2SQ,
					   batch->dimension, VSS_V1_MODE, true);
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_collection_admit(collection, batch);
	if (!ret)
		ret = vss_registry_publish_first(collection, batch);
	vss_collection_put(collection);
	return ret;
}

static int vss_add_row(struct vss_file *file, struct vss_batch *batch)
{
	struct vss_collection *collection;
	int ret;

	for (;;) {
		collection = vss_file_collection(file, FMODE_WRITE);
		if (!IS_ERR(collection))
			break;
		if (PTR_ERR(collection) != -ENOENT)
			return PTR_ERR(collection);
		ret = vss_add_first(batch);
		if (ret != -EEXIST)
			return ret;
	}
	ret = -EINVAL;
	if (batch->dimension == collection->store.dimension)
		ret = vss_collection_insert(collection, batch, false);
	vss_collection_put(collection);
	return ret;
}

int vss_add_vector(struct vss_file *file, void *arg)
{
	const struct vss_vector_data *data = arg;
	struct vss_batch *batch;
	int ret;

	ret = vss_check_vector(data->data, data->dimension);
	if (ret)
		return ret;
	batch = vss_batch_create(data->dimension, 1, true);
	if (!batch)
		return -ENOMEM;
	batch->ids[0] = data->id;
	memcpy(batch->vectors, data->data, data->dimension * sizeof(u32));
	batch->count = 1;
	ret = vss_add_row(file, batch);
	vss_batch_free(batch);
	return ret;
}

/* @hits may be NULL for none. */
static void vss_fill_results(struct vss_query_data *data,
			     const struct vss_hits *hits)
{
	u32 *distances = (u32 *)data->distances;
	u32 i, count = hits ? hits->count : 0;

	data->k = count;
	for (i = 0; i < count; i++) {
		data->result_ids[i] = hits->heap[i].id;
		distances[i] = vss_disorder(hits->heap[i].distance);
	}
	for (; i < VSS_V1_MAX_K; i++) {
		data->result_ids[i] = 0;
		distances[i] = VSS_F32_INFINITY;
	}
}

static int vss_query_collection(struct vss_collection *collection,
				struct vss_query_data *data)
{
	struct vss_pass *pass;
	int ret;

	if (data->dimension != collection->store.dimension)
		return -EINVAL;
	pass = vss_pass_create(collection->metric, data->dimension, data->k,
				   1);
	if (!pass)
		return -ENOMEM;
	pass->max_id = U32_MAX;
	pass->count = 1;
	memcpy(vss_pass_vector(pass, 0), data->query_vector,
	       data->dimension * sizeof(u32));
	ret = vss_collection_admit_query(collection, pass, 0);
	if (!ret)
		ret = vss_collection_search(collection, pass);
	if (!ret)
		vss_fill_results(data, vss_pass_hits(pass, 0));
	vss_pass_free(pass);
	return ret;
}

int vss_query_top_k(struct vss_file *file, void *arg)
{
	struct vss_query_data *data = arg;
	struct vss_collection *collection;
	int ret;

	if (!data->k || data->k > VSS_V1_MAX_K)
		return -EINVAL;
	ret = vss_check_vector(data->query_vector, data->dimension);
	if (ret)
		return ret;
	collection = vss_file_collection(file, FMODE_READ);
	if (collection == ERR_PTR(-ENOENT)) {
		vss_fill_results(data, NULL);
		return 0;
	}
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	ret = vss_query_collection(collection, data);
	vss_collection_put(collection);
	return ret;
}

int vss_get_stats(struct vss_file *file, void *arg)
{
	struct vss_collection *collection;
	struct vss_stats *stats = arg;
	struct vss_stat stat = { };

	collection = vss_file_collection(file, FMODE_READ);
	if (collection == ERR_PTR(-ENOENT)) {
		*stats = (struct vss_stats) {
			.capacity = vss_max_vectors(),
			.metric = VSS_METRIC_L2SQ,
		};
		return 0;
	}
	if (IS_ERR(collection))
		return PTR_ERR(collection);
	vss_collection_stat(collection, &stat);
	vss_collection_put(collection);
	*stats = (struct vss_stats) {
		.count = stat.count,
		.capacity = stat.capacity,
		.bytes = stat.bytes,
		.adds = stat.inserts,
		.queries = stat.queries,
		.evictions = stat.evictions + stat.pressure_evictions +
			     stat.expirations,
		.dimension = stat.dimension,
		.metric = stat.metric,
	};
	return 0;
}
