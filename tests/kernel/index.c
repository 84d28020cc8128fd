// SPDX-License-Identifier: MIT
/*
 * The index of ids through all that it goes through: growing, ids that come
 * and go until it is full of marks, ids twice in one call, and giving its
 * memory back. After each step every id is looked up, and none is found that
 * should not be.
 */
#include "collections.h"

#define DIMENSION 1
#define IDS 100000
#define CALL 4096

static uint8_t wanted[IDS];
static uint64_t ids[IDS];
static float vectors[IDS];
static int file;

/* Ids that have nothing in common but what makes them. */
static uint64_t id_of(uint32_t i)
{
	return i * 0x9e3779b97f4a7c15ULL ^ (uint64_t)i << 50;
}

static uint32_t put(uint32_t flags, uint32_t first, uint32_t count, int *error)
{
	struct vss_put put = {
		.flags = flags,
		.count = count,
		.dimension = DIMENSION,
		.ids = ADDRESS(ids + first),
		.vectors = ADDRESS(vectors + first),
	};

	*error = RUN(file, VSS_PUT, &put);
	return put.done;
}

/* Puts or deletes the ids from @first on that @step leaves, some a call. */
static void change(bool stored, uint32_t first, uint32_t step)
{
	static uint64_t some[CALL];
	static float values[CALL];
	uint32_t i = first, n, k;

	while (i < IDS) {
		struct vss_put put = {
			.dimension = DIMENSION,
			.ids = ADDRESS(some),
			.vectors = ADDRESS(values),
		};
		struct vss_delete delete = { .ids = ADDRESS(some) };

		for (n = 0; n < CALL && i < IDS; i += step) {
			if (wanted[i] == stored)
				continue;
			wanted[i] = stored;
			values[n] = i;
			some[n++] = id_of(i);
		}
		if (!n)
			continue;
		put.count = n;
		delete.count = n;
		k = stored ? RUN(file, VSS_PUT, &put) :
			     RUN(file, VSS_DELETE, &delete);
		if (k || (!stored && delete.deleted != n))
			ktap_bail_out("cannot change rows: %u", k);
	}
}

/* Whether exactly those ids are found that should be, with their vectors. */
static bool all_right(void)
{
	static uint8_t found[CALL / 8];
	static float values[CALL];
	static uint64_t some[CALL];
	uint64_t count = 0;
	uint32_t i, n;

	for (i = 0; i < IDS; i += CALL) {
		struct vss_get get = {
			.count = IDS - i < CALL ? IDS - i : CALL,
			.dimension = DIMENSION,
			.ids = ADDRESS(some),
			.vectors = ADDRESS(values),
			.found = ADDRESS(found),
		};

		for (n = 0; n < get.count; n++)
			some[n] = id_of(i + n);
		if (RUN(file, VSS_GET, &get))
			ktap_bail_out("cannot get rows");
		for (n = 0; n < get.count; n++) {
			bool is = found[n / 8] >> n % 8 & 1;

			if (is != wanted[i + n] || (is && values[n] != i + n))
				return false;
			count += is;
		}
	}
	return collection_stat(file).count == count;
}

static void twice(void)
{
	struct vss_configure configure = {
		.flags = VSS_CONFIGURE_CAPACITY, .capacity = 3,
	};
	float value = 0;
	uint64_t id = 7;
	struct vss_get get = {
		.count = 1, .dimension = DIMENSION, .ids = ADDRESS(&id),
		.vectors = ADDRESS(&value),
	};
	int error;
	uint32_t i;

	for (i = 0; i < 6; i++) {
		ids[i] = i < 3 ? 7 : i;
		vectors[i] = i;
	}
	ktap_ok(put(0, 0, 6, &error) == 1 && error == EEXIST,
		"an id twice in one call: EEXIST, and the rows before it are in");
	ktap_ok(put(VSS_PUT_UPSERT, 0, 6, &error) == 6 && !error &&
		!RUN(file, VSS_GET, &get) && value == 2 &&
		collection_stat(file).count == 4,
		"an upsert of an id three times in one call: the last one stays");
	close(file);

	file = open_private(DIMENSION, VSS_METRIC_L2SQ);
	RUN(file, VSS_CONFIGURE, &configure);
	for (i = 0; i < 6; i++)
		ids[i] = i % 3;
	ktap_ok(put(VSS_PUT_UPSERT, 0, 6, &error) == 6 && !error &&
		collection_stat(file).count == 3,
		"ids that are twice in one call take one row's place each");
	ids[3] = 9;
	ktap_ok(put(VSS_PUT_UPSERT, 0, 6, &error) == 3 && error == ENOSPC,
		"one too many is refused");
	close(file);
	file = open_private(DIMENSION, VSS_METRIC_L2SQ);
	for (i = 0; i < CALL; i++)
		ids[i] = i % 2 ? 1 : id_of(i);
	ktap_ok(put(VSS_PUT_UPSERT, 0, CALL, &error) == CALL && !error &&
		collection_stat(file).count == CALL / 2 + 1,
		"every second id of a great call is the same one");
	close(file);
}

int main(void)
{
	uint64_t empty, full;
	uint32_t i;

	file = open_private(DIMENSION, VSS_METRIC_L2SQ);
	twice();
	file = open_private(DIMENSION, VSS_METRIC_L2SQ);
	empty = collection_stat(file).bytes;
	change(true, 0, 1);
	ktap_ok(all_right(), "%d ids are put and found", IDS);
	full = collection_stat(file).bytes;
	change(false, 1, 3);
	ktap_ok(all_right(), "a third of them is deleted");
	change(true, 1, 6);
	ktap_ok(all_right(), "half of those are put again");
	for (i = 0; i < 30; i++) {
		change(false, i % 7, 7);
		change(true, i % 7, 7);
	}
	change(true, 0, 1);
	ktap_ok(all_right(), "thirty times a seventh is deleted and put again");
	ktap_ok(collection_stat(file).bytes <= full + (full - empty) / 2,
		"the marks that this leaves do not pile up: %llu bytes, %llu before",
		(unsigned long long)collection_stat(file).bytes,
		(unsigned long long)full);
	for (i = 1; i < 50; i++)
		change(false, i, 50);
	ktap_ok(all_right(), "all but every fiftieth are deleted");
	change(true, 0, 1);
	ktap_ok(all_right(), "and put again");
	change(false, 0, 1);
	ktap_ok(all_right(), "all of them are deleted");
	ktap_ok(collection_stat(file).bytes == empty, "all memory is back");
	change(true, 0, 2);
	ktap_ok(all_right(), "half of them are put into the index that was emptied");
	close(file);
	return ktap_done();
}
