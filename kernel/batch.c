// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches: the bounded pieces in which rows cross the border to user memory.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "batch.h"
#include "budget.h"
#include "payload.h"

static size_t vss_batch_bytes(u32 dimension, u32 rows, u32 words)
{
	size_t row = 4 * sizeof(u64) + sizeof(struct vss_payload *) +
		     (2 + dimension + VSS_PLANES * words) * sizeof(u32);
	size_t bytes = sizeof(struct vss_batch) + rows * row;

	if (words)
		bytes += 2 * VSS_ALIGN +
			 vss_distance_encode_bytes(dimension, rows);
	return bytes;
}

/**
 * vss_batch_create() - make an empty batch
 * @dimension: components of a vector, at most VSS_MAX_DIMENSION
 * @rows: rows that it should have room for; it may have room for less
 * @coded: whether it has room for codes, too
 *
 * Return: the batch, for vss_batch_free(), or NULL when memory is lacking.
 */
struct vss_batch *vss_batch_create(u32 dimension, u32 rows, bool coded)
{
	u32 lanes = ALIGN(dimension, VSS_LANES);
	u32 words = coded ? vss_code_words(lanes) : 0;
	struct vss_batch *batch;

	rows = min_t(u32, rows, VSS_BATCH_ROWS);
	rows = min_t(u32, rows, VSS_BATCH_BYTES / (dimension * sizeof(u32)));
	batch = kvzalloc(vss_batch_bytes(dimension, rows, words), VSS_GFP);
	if (!batch)
		return NULL;
	batch->room = rows;
	batch->patience = VSS_BATCH_PATIENCE;
	batch->dimension = dimension;
	batch->ids = (u64 *)(batch + 1);
	batch->tags = batch->ids + rows;
	batch->ttls = batch->tags + rows;
	batch->expiries = batch->ttls + rows;
	batch->payloads = (struct vss_payload **)(batch->expiries + rows);
	batch->slots = (u32 *)(batch->payloads + rows);
	batch->norms = batch->slots + rows;
	batch->words = words;
	batch->codes = batch->norms + rows;
	batch->vectors = batch->codes + (size_t)rows * VSS_PLANES * words;
	/* Where codes are made of them, they may do as they are. */
	if (words)
		batch->vectors = PTR_ALIGN(batch->vectors, VSS_ALIGN);
	batch->scratch = PTR_ALIGN(batch->vectors + (size_t)rows * dimension,
				   VSS_ALIGN);
	return batch;
}

/**
 * vss_batch_reset() - empty a batch
 * @batch: keeps no payload
 */
void vss_batch_reset(struct vss_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->room; i++) {
		vss_payload_put(batch->payloads[i]);
		batch->payloads[i] = NULL;
	}
	bitmap_zero(batch->marked, VSS_BATCH_ROWS);
	bitmap_zero(batch->displaces, VSS_BATCH_ROWS);
	batch->count = 0;
	batch->done = 0;
	batch->inserted = 0;
	batch->evicted = 0;
	batch->prepared = 0;
}

/**
 * vss_batch_free() - free a batch
 * @batch: the batch, or NULL
 */
void vss_batch_free(struct vss_batch *batch)
{
	if (batch)
		vss_batch_reset(batch);
	kvfree(batch);
}

/**
 * vss_batch_forget() - begin to compare a batch's ids
 * @batch: the batch
 */
void vss_batch_forget(struct vss_batch *batch)
{
	memset(batch->met, 0, sizeof(batch->met));
}

/**
 * vss_batch_meet() - compare an id with those met so far
 * @batch: the batch
 * @i: which row's
 *
 * A hash table of the places of ids; with twice as many cells as a batch has
 * rows, it is never full.
 *
 * Return: whether it is another one.
 */
bool vss_batch_meet(struct vss_batch *batch, u32 i)
{
	u32 at = hash_64(batch->ids[i], ilog2(ARRAY_SIZE(batch->met)));

	while (batch->met[at]) {
		if (batch->ids[batch->met[at] - 1] == batch->ids[i])
			return false;
		at = (at + 1) % ARRAY_SIZE(batch->met);
	}
	batch->met[at] = i + 1;
	return true;
}

/**
 * vss_batch_displaces() - whether a row is about to make room
 * @batch: a batch that is being put
 * @slot: the row's
 *
 * Return: whether a row of the batch that is not visible yet gets its place.
 */
bool vss_batch_displaces(const struct vss_batch *batch, u32 slot)
{
	u32 n = batch->done;

	for_each_set_bit_from(n, batch->displaces, batch->prepared) {
		if (batch->slots[n] == slot)
			return true;
	}
	return false;
}
