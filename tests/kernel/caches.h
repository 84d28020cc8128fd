/* SPDX-License-Identifier: MIT */
/*
 * What the tests of collections that forget share: rows whose components are all
 * their id, and which of them are there.
 */
#ifndef CACHES_H
#define CACHES_H

#include <time.h>

#include "collections.h"

#define MS 1000000ULL
#define SECOND 1000000000ULL

/* Rows of a call, and components of all of them, at most. */
#define CACHE_ROWS 4096
#define CACHE_FLOATS (CACHE_ROWS * 128)

/* Opens the device, bound to a new private collection that forgets. */
__attribute__((unused))
static int open_cache_with(uint32_t flags, uint32_t dimension, uint32_t eviction,
			   uint64_t capacity, uint64_t max_bytes, uint64_t ttl)
{
	struct vss_open open = {
		.flags = VSS_OPEN_PRIVATE | flags, .dimension = dimension,
		.eviction = eviction, .capacity = capacity,
		.max_bytes = max_bytes, .ttl = ttl,
	};
	int file = device_open(O_RDWR);

	if (RUN(file, VSS_OPEN, &open))
		ktap_bail_out("cannot make a cache");
	return file;
}

/* The same, with codes where those are kept. */
__attribute__((unused))
static int open_cache(uint32_t dimension, uint32_t eviction, uint64_t capacity,
		      uint64_t max_bytes, uint64_t ttl)
{
	return open_cache_with(0, dimension, eviction, capacity, max_bytes, ttl);
}

/* Puts rows of following ids, with one payload each if it has bytes. */
__attribute__((unused))
static int put_rows_with(int file, struct vss_put *put, uint64_t first,
			 uint32_t count, uint32_t dimension, uint64_t ttl,
			 uint32_t payload)
{
	static __thread float vectors[CACHE_FLOATS];
	static __thread uint64_t ids[CACHE_ROWS], ttls[CACHE_ROWS];
	static __thread uint32_t sizes[CACHE_ROWS];
	static char bytes[1 << 20];
	uint32_t i, j;

	if (count > CACHE_ROWS || count * dimension > CACHE_FLOATS ||
	    (uint64_t)count * payload > sizeof(bytes))
		ktap_bail_out("a test puts too much at once");
	for (i = 0; i < count; i++) {
		ids[i] = first + i;
		ttls[i] = ttl;
		sizes[i] = payload;
		for (j = 0; j < dimension; j++)
			vectors[i * dimension + j] = first + i;
	}
	put->count = count;
	put->dimension = dimension;
	put->ids = ADDRESS(ids);
	put->vectors = ADDRESS(vectors);
	put->ttls = ttl ? ADDRESS(ttls) : 0;
	put->payload_sizes = payload ? ADDRESS(sizes) : 0;
	put->payloads = payload ? ADDRESS(bytes) : 0;
	put->payload_bytes = (uint64_t)count * payload;
	return RUN(file, VSS_PUT, put);
}

/* Puts rows of following ids that replace what is there; returns the errno. */
__attribute__((unused))
static int put_rows(int file, uint64_t first, uint32_t count, uint32_t dimension)
{
	struct vss_put put = { .flags = VSS_PUT_UPSERT };

	return put_rows_with(file, &put, first, count, dimension, 0, 0);
}

/* The same, with lifetimes of their own, in nanoseconds. */
__attribute__((unused))
static int put_rows_for(int file, uint64_t first, uint32_t count,
			uint32_t dimension, uint64_t ttl)
{
	struct vss_put put = { .flags = VSS_PUT_UPSERT };

	return put_rows_with(file, &put, first, count, dimension, ttl, 0);
}

/* How many rows of following ids are there, which uses them. */
__attribute__((unused))
static uint32_t count_rows(int file, uint64_t first, uint32_t count,
			   uint32_t dimension)
{
	static __thread uint64_t ids[CACHE_ROWS];
	struct vss_get get = {
		.count = count, .dimension = dimension, .ids = ADDRESS(ids),
	};
	uint32_t i;

	for (i = 0; i < count; i++)
		ids[i] = first + i;
	if (RUN(file, VSS_GET, &get) || get.done != count)
		ktap_bail_out("cannot get rows");
	return get.hits;
}

__attribute__((unused))
static bool has_row(int file, uint64_t id, uint32_t dimension)
{
	return count_rows(file, id, 1, dimension) == 1;
}

/* Searches for the row whose components are all @value; returns its id, or 0. */
__attribute__((unused))
static uint64_t nearest_row(int file, float value, uint32_t dimension)
{
	static __thread float query[VSS_MAX_DIMENSION];
	uint64_t id = 0;
	uint32_t count = 0, i;
	float distance;
	struct vss_search search = {
		.count = 1, .dimension = dimension, .k = 1,
		.queries = ADDRESS(query), .ids = ADDRESS(&id),
		.distances = ADDRESS(&distance), .counts = ADDRESS(&count),
	};

	for (i = 0; i < dimension; i++)
		query[i] = value;
	if (RUN(file, VSS_SEARCH, &search))
		ktap_bail_out("cannot search");
	return count ? id : 0;
}

/* Whether what went and what is there adds up to what came. */
__attribute__((unused))
static bool adds_up(const struct vss_stat *stat)
{
	return stat->count + stat->deletes + stat->evictions +
	       stat->pressure_evictions + stat->expirations == stat->inserts;
}

/* Changes a collection; returns the errno. */
__attribute__((unused))
static int configure(int file, struct vss_configure change)
{
	return RUN(file, VSS_CONFIGURE, &change);
}

__attribute__((unused))
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

#endif /* CACHES_H */
