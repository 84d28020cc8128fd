// SPDX-License-Identifier: MIT
/*
 * Rows whose time is over: nobody sees them, ids are free again, counters tell,
 * and memory goes back without a call.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "caches.h"

#define D 8
#define WIDE 128

static void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* How many rows a scan of everything returns. */
static uint32_t scan_rows(int file)
{
	static uint64_t ids[CACHE_ROWS];
	struct vss_scan scan = {
		.count = CACHE_ROWS, .dimension = D, .ids = ADDRESS(ids),
	};

	if (RUN(file, VSS_SCAN, &scan))
		ktap_bail_out("cannot scan");
	return scan.done;
}

/*
 * Puts 100 rows that are over some time, and 20 that are not for hours, and looks at
 * them. However slow the machine is: with ever longer lifetimes, until the look has
 * ended before the first is over. Returns the file; @end: when all 100 are over.
 */
static int put_and_look(uint64_t *end, bool *there)
{
	uint64_t ttl, begin;
	int file;

	for (ttl = SECOND / 2;; ttl *= 4) {
		file = open_cache(D, VSS_EVICTION_NONE, 0, 0, ttl);
		begin = now_ns();
		put_rows(file, 1, 100, D);
		*end = now_ns() + ttl + MS;
		put_rows_for(file, 1001, 10, D, VSS_TTL_NEVER);
		put_rows_for(file, 2001, 10, D, 3600 * SECOND);
		*there = count_rows(file, 1, 100, D) == 100 &&
			 scan_rows(file) == 120 && nearest_row(file, 5, D) == 5;
		if (now_ns() < begin + ttl)
			return file;
		close(file);
	}
}

static void nobody_sees(void)
{
	struct vss_delete delete = { .flags = VSS_DELETE_MATCHING };
	uint64_t id = 2, end;
	struct vss_delete by_id = { .count = 1, .ids = ADDRESS(&id) };
	struct vss_put put = { };
	struct vss_stat stat;
	bool there;
	int file = put_and_look(&end, &there);

	ktap_ok(there, "rows are there until their time is over");
	while (now_ns() < end)
		sleep_ms(5);
	ktap_ok(!count_rows(file, 1, 100, D), "VSS_GET does not see them any more");
	ktap_ok(nearest_row(file, 5, D) == 1001, "nor does VSS_SEARCH");
	ktap_ok(scan_rows(file) == 20, "nor does VSS_SCAN");
	stat = collection_stat(file);
	ktap_ok(stat.count == 20 && stat.expirations == 100 && adds_up(&stat),
		"nor do the counters");
	ktap_ok(!RUN(file, VSS_DELETE, &by_id) && !by_id.deleted,
		"VSS_DELETE does not find one");
	ktap_ok(!put_rows_with(file, &put, 1, 10, D, VSS_TTL_NEVER, 0) &&
		put.inserted == 10, "without upsert, their ids are free");
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && delete.deleted == 30,
		"VSS_DELETE by tags deletes those that are there");
	stat = collection_stat(file);
	ktap_ok(!stat.count && stat.expirations == 100 && adds_up(&stat),
		"the counters add up");
	close(file);
}

/* Ids whose time is over before the reaper comes: in place, in every way. */
static void in_place(void)
{
	int file = open_cache(D, VSS_EVICTION_NONE, 0, 0, 0);
	struct vss_put put = { }, upsert = { .flags = VSS_PUT_UPSERT };
	struct vss_stat stat;

	put_rows_for(file, 1, 50, D, 1);
	ktap_ok(!put_rows_with(file, &put, 1, 50, D, 1, 0) && put.inserted == 50,
		"a lifetime of a nanosecond: over at once");
	ktap_ok(!put_rows_with(file, &upsert, 1, 50, D, VSS_TTL_NEVER, 100) &&
		upsert.inserted == 50 && !upsert.updated,
		"a row that replaces one that is over is new");
	ktap_ok(!put_rows_with(file, &upsert, 1, 50, D, 0, 0) &&
		upsert.updated == 50 && count_rows(file, 1, 50, D) == 50,
		"one that replaces another has its own lifetime");
	put_rows_for(file, 1, 25, D, 1);
	ktap_ok(count_rows(file, 1, 50, D) == 25, "and may be over at once");
	stat = collection_stat(file);
	ktap_ok(stat.count == 25 && stat.expirations == 125 && adds_up(&stat) &&
		!stat.payload_bytes, "the counters add up");
	close(file);
}

/* A full collection takes rows again once others are over. */
static void makes_room(void)
{
	int file = open_cache(D, VSS_EVICTION_NONE, 100, 0, 0);
	struct vss_stat stat;

	put_rows_for(file, 1, 99, D, 1);
	put_rows(file, 100, 1, D);
	ktap_ok(!put_rows(file, 1000, 99, D) && put_rows(file, 2000, 1, D) == ENOSPC,
		"rows that are over make room where nothing is evicted");
	close(file);
	file = open_cache(D, VSS_EVICTION_FIFO, 100, 0, 0);
	put_rows(file, 1, 50, D);
	put_rows_for(file, 100, 50, D, 1);
	put_rows(file, 1000, 50, D);
	stat = collection_stat(file);
	ktap_ok(count_rows(file, 1, 50, D) == 50 && stat.expirations == 50 &&
		!stat.evictions && adds_up(&stat),
		"rows that are over go before others are evicted");
	close(file);
}

/* For how long what must happen is waited for, on the slowest machine. */
#define LONGEST (300 * SECOND)

/* Waits until a collection is empty, and all takes no more than @bytes. */
static bool shrinks_to(int file, uint64_t bytes)
{
	uint64_t end = now_ns() + LONGEST;

	while (now_ns() < end) {
		if (!collection_stat(file).bytes &&
		    driver_info(file).bytes <= bytes)
			return true;
		sleep_ms(20);
	}
	return false;
}

/* Puts rows that are over together, the first not before the last is put. */
static bool put_for_a_while(int file)
{
	struct vss_put put = { .flags = VSS_PUT_UPSERT };
	uint64_t ttl, begin, bytes, id;

	for (ttl = SECOND;; ttl *= 4) {
		begin = now_ns();
		for (id = 1; id < 7000; id += 1000)
			put_rows_with(file, &put, id, 1000, WIDE, ttl, 100);
		bytes = collection_stat(file).bytes;
		if (now_ns() < begin + ttl)
			return bytes > 2 * BLOCK_BYTES;
	}
}

static void reaper(void)
{
	int file = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	uint64_t bytes = driver_info(file).bytes, id, end;
	struct vss_put put = { .flags = VSS_PUT_UPSERT };
	struct vss_stat stat;

	ktap_ok(put_for_a_while(file), "rows take memory");
	ktap_ok(shrinks_to(file, bytes),
		"it is given back without a call, once they are over");
	stat = collection_stat(file);
	ktap_ok(!stat.count && stat.expirations == stat.inserts && adds_up(&stat),
		"all are counted");
	/* Some in every block stay: payloads go, blocks do not. */
	for (id = 1; id < 4000; id += 1000) {
		put_rows_with(file, &put, id, 900, WIDE, 50 * MS, 100);
		put_rows_with(file, &put, id + 900, 100, WIDE, VSS_TTL_NEVER, 0);
	}
	end = now_ns() + LONGEST;
	while (collection_stat(file).payload_bytes && now_ns() < end)
		sleep_ms(50);
	stat = collection_stat(file);
	ktap_ok(!stat.payload_bytes && stat.count == 400 &&
		stat.bytes >= BLOCK_BYTES, "payloads go at once, blocks with their last row");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_TTL, .ttl = 1 }) &&
		!put_rows(file, 80000, 10, WIDE) &&
		!count_rows(file, 80000, 10, WIDE) &&
		collection_stat(file).count == 400,
		"another ttl is for rows that are put from now on");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_TTL }) &&
		!put_rows(file, 90000, 10, WIDE) &&
		count_rows(file, 90000, 10, WIDE) == 10,
		"without a ttl any more, new rows stay");
	close(file);
}

/* Threads that put rows with all sorts of lifetimes, and some that look. */
static int crowd_file;
static atomic_int crowd_errors;

static void *crowd(void *argument)
{
	long number = (long)argument;
	uint64_t end = now_ns() + 2 * SECOND, id = 1, nearest;

	for (; now_ns() < end; id++) {
		uint64_t first = 1 + (number * 7 + id * 13) % 20 * 1000;

		if (number < 4) {
			if (put_rows_for(crowd_file, first, 300, D,
					 id % 5 * 10 * MS + 1))
				crowd_errors++;
			continue;
		}
		nearest = nearest_row(crowd_file, first + 5, D);
		if (nearest && (nearest > 20301 || nearest % 1000 > 300))
			crowd_errors++;
	}
	return NULL;
}

static void many_threads(void)
{
	pthread_t threads[6];
	struct vss_stat stat;
	uint64_t bytes;
	long i;

	crowd_file = open_cache(D, VSS_EVICTION_NONE, 0, 0, 30 * MS);
	bytes = driver_info(crowd_file).bytes;
	for (i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, crowd, (void *)i);
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	stat = collection_stat(crowd_file);
	ktap_ok(!crowd_errors && adds_up(&stat),
		"six threads: no error, and the counters add up");
	ktap_ok(shrinks_to(crowd_file, bytes), "in the end, nothing is left");
	close(crowd_file);
}

int main(void)
{
	int device = device_open(O_RDWR);
	uint64_t bytes = driver_info(device).bytes;

	nobody_sees();
	in_place();
	makes_room();
	reaper();
	many_threads();
	ktap_ok(driver_info(device).bytes == bytes, "all memory is given back");
	return ktap_done();
}
