// SPDX-License-Identifier: MIT
/*
 * A ring that two writers overwrite all the time, while four readers search it:
 * no row is torn, none is lost or counted twice, and nobody waits for long.
 *
 * The ring for as many seconds as the first argument says, and the clock for four:
 * a minute at native speed, and less where the processor is emulated.
 *
 * arguments: 4
 * arguments on uml: 60
 */
#include <pthread.h>
#include <stdatomic.h>

#include "caches.h"

#define D 64
#define WRITERS 2
#define READERS 4
#define CAPACITY 20000
#define ROWS 64
#define K 10
#define PAYLOAD 24

/* Latencies in buckets of which each is a sixteenth longer than the one before. */
#define STEPS 16
#define BUCKETS (40 * STEPS)

struct times {
	atomic_ullong count;
	atomic_ullong longest;
	atomic_ullong buckets[BUCKETS];
};

static int file;
static uint64_t end;
static atomic_ullong torn, failed, inserted, updated, evicted;
static struct times put_times, search_times;

/* The shortest latency of a bucket, in nanoseconds. */
static unsigned long long begins(int bucket)
{
	return (STEPS + bucket % STEPS) * (1ULL << bucket / STEPS) / STEPS;
}

static void note(struct times *times, uint64_t ns)
{
	unsigned long long longest = times->longest;
	int power = 63 - __builtin_clzll(ns | 1), bucket;

	bucket = power * STEPS + ((ns << 4 >> power) & (STEPS - 1));
	times->count++;
	times->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	while (ns > longest &&
	       !atomic_compare_exchange_weak(&times->longest, &longest, ns))
		;
}

/* Below how many microseconds a share of the calls stayed. */
static double within(const struct times *times, double share)
{
	unsigned long long sum = 0;
	int bucket;

	for (bucket = 0; bucket < BUCKETS - 1; bucket++) {
		sum += times->buckets[bucket];
		if (sum >= share * times->count)
			break;
	}
	return begins(bucket + 1) * 1e-3;
}

static void report(const char *what, const struct times *times)
{
	printf("# %llu %s: median %.0f us, p99 %.0f us, max %.0f us\n",
	       (unsigned long long)times->count, what, within(times, 0.5),
	       within(times, 0.99), times->longest * 1e-3);
}

/* All parts of a row follow from its id and its version. */
static float component(uint64_t id, uint32_t version, uint32_t i)
{
	return (id * 31 + version * 7 + i * 3) % 1021;
}

static void fill_row(uint64_t id, uint32_t version, float *vector,
		     uint64_t *tags, char *payload)
{
	uint32_t i;

	for (i = 0; i < D; i++)
		vector[i] = component(id, version, i);
	*tags = id << 20 | version;
	memset(payload, 0, PAYLOAD);
	snprintf(payload, PAYLOAD, "%llu %u", (unsigned long long)id, version);
}

static bool is_whole(uint64_t id, const float *vector, uint64_t tags,
		     const char *payload)
{
	float expected[D];
	char text[PAYLOAD];
	uint64_t expected_tags;

	fill_row(id, tags & 0xfffff, expected, &expected_tags, text);
	return tags == expected_tags && !memcmp(vector, expected, sizeof(expected)) &&
	       !memcmp(payload, text, PAYLOAD);
}

static void *write_rows(void *argument)
{
	uint64_t number = (uintptr_t)argument, id = number + 1, ids[ROWS], tags[ROWS];
	static __thread float vectors[ROWS * D];
	static __thread char payloads[ROWS * PAYLOAD];
	uint32_t i, version = 0, sizes[ROWS];

	while (now_ns() < end) {
		struct vss_put put = {
			.flags = VSS_PUT_UPSERT, .count = ROWS, .dimension = D,
			.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
			.tags = ADDRESS(tags), .payload_sizes = ADDRESS(sizes),
			.payloads = ADDRESS(payloads),
			.payload_bytes = sizeof(payloads),
		};
		uint64_t begin;

		/* Every fourth batch comes again, in another version. */
		if (version % 4 == 3)
			id -= ROWS * WRITERS;
		version = (version + 1) & 0xfffff;
		for (i = 0; i < ROWS; i++, id += WRITERS) {
			ids[i] = id;
			sizes[i] = PAYLOAD;
			fill_row(id, version, vectors + i * D, &tags[i],
				 payloads + i * PAYLOAD);
		}
		begin = now_ns();
		if (RUN(file, VSS_PUT, &put) || put.done != ROWS)
			failed++;
		note(&put_times, now_ns() - begin);
		inserted += put.inserted;
		updated += put.updated;
		evicted += put.evicted;
	}
	return NULL;
}

/* Gets what a search has found: some are gone by then, none is torn. */
static void look_at(const uint64_t *ids, uint32_t count)
{
	float vectors[K * D];
	uint64_t tags[K];
	uint32_t sizes[K], i, at = 0;
	static __thread char payloads[VSS_MAX_PAYLOAD];
	uint8_t found[2];
	struct vss_get get = {
		.count = count, .dimension = D, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads), .found = ADDRESS(found),
	};

	if (RUN(file, VSS_GET, &get))
		failed++;
	for (i = 0; i < get.done; i++) {
		if (!(found[i / 8] >> i % 8 & 1))
			continue;
		/* cppcheck-suppress uninitvar ; GET wrote them */
		if (sizes[i] != PAYLOAD ||
		    !is_whole(ids[i], vectors + i * D, tags[i], payloads + at))
			torn++;
		at += sizes[i];
	}
}

static void *read_rows(void *argument)
{
	uint64_t id = (uintptr_t)argument * 1000, ids[K], begin;
	float query[D], distances[K], last;
	uint32_t count, i, j;
	struct vss_search search = {
		.count = 1, .dimension = D, .k = K, .queries = ADDRESS(query),
		.ids = ADDRESS(ids), .distances = ADDRESS(distances),
		.counts = ADDRESS(&count),
	};
	uint64_t tag;
	char payload[PAYLOAD];

	while (now_ns() < end) {
		id++;
		fill_row(id, id & 3, query, &tag, payload);
		begin = now_ns();
		if (RUN(file, VSS_SEARCH, &search))
			failed++;
		note(&search_times, now_ns() - begin);
		for (i = 0, last = 0; i < count; last = distances[i++]) {
			/* Nearest first, and none twice. */
			if (distances[i] < last || !ids[i])
				torn++;
			for (j = 0; j < i; j++)
				torn += ids[j] == ids[i];
		}
		if (count)
			look_at(ids, count);
	}
	return NULL;
}

/* Counts, by a scan, rows that are there and whole. */
static uint32_t whole_rows(void)
{
	static uint64_t ids[CACHE_ROWS], tags[CACHE_ROWS];
	static float vectors[CACHE_ROWS * D];
	static uint32_t sizes[CACHE_ROWS];
	static char payloads[1 << 20];
	struct vss_scan scan = {
		.count = CACHE_ROWS, .dimension = D, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads),
	};
	uint32_t i, whole = 0;

	while (scan.cursor != VSS_CURSOR_END) {
		if (RUN(file, VSS_SCAN, &scan))
			ktap_bail_out("cannot scan");
		for (i = 0; i < scan.done; i++)
			whole += is_whole(ids[i], vectors + i * D, tags[i],
					  payloads + i * PAYLOAD);
	}
	return whole;
}

static void overwrite(const char *name, uint32_t eviction, uint64_t seconds)
{
	pthread_t threads[WRITERS + READERS];
	struct vss_stat stat;
	uintptr_t i;

	file = open_cache(D, eviction, CAPACITY, 0, 0);
	torn = failed = inserted = updated = evicted = 0;
	memset(&put_times, 0, sizeof(put_times));
	memset(&search_times, 0, sizeof(search_times));
	end = now_ns() + seconds * SECOND;
	for (i = 0; i < WRITERS + READERS; i++)
		pthread_create(&threads[i], NULL,
			       i < WRITERS ? write_rows : read_rows, (void *)i);
	for (i = 0; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	stat = collection_stat(file);
	printf("# %s, %llu s: %llu rows overwritten\n", name,
	       (unsigned long long)seconds, (unsigned long long)stat.evictions);
	report("puts of 64 rows", &put_times);
	report("searches", &search_times);
	ktap_ok(!failed && put_times.count > 0 && search_times.count > 0,
		"%s: no call failed", name);
	ktap_ok(!torn, "%s: no row was torn", name);
	ktap_ok(stat.inserts == inserted && stat.updates == updated &&
		stat.evictions == evicted && adds_up(&stat),
		"%s: no row was lost or counted twice", name);
	ktap_ok(stat.count == (inserted < CAPACITY ? inserted : CAPACITY) &&
		whole_rows() == stat.count, "%s: in the end it is full of whole rows",
		name);
	close(file);
}

int main(int argc, char **argv)
{
	uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 4;

	overwrite("fifo", VSS_EVICTION_FIFO, seconds);
	overwrite("lru", VSS_EVICTION_LRU, 4);
	return ktap_done();
}
