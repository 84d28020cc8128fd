// SPDX-License-Identifier: MIT
/*
 * No contestant, but their limit: reads as many bytes as a dataset has, from huge pages, and does
 * nothing else with them. Of several ways to read it keeps to the one that is fastest here. Each of
 * several threads reads a part: how much faster they are together is the limit of all that shares a
 * scan out.
 */
#include <sys/mman.h>

#include "worker.h"

/* As wide a register as the compiler may use here, and a place where it may be read from. */
#ifdef __AVX512F__
typedef uint64_t wide __attribute__((vector_size(64)));
#else
typedef uint64_t wide __attribute__((vector_size(32)));
#endif

enum { HUGE = 2 << 20, LINE = 64, TRIES = 5 };

static char *memory;
static size_t memory_bytes, row_bytes;
static int thread_count = 1;

/* What a thread has read, so that the compiler lets it. */
static _Thread_local volatile uint64_t sink;

static void keep(wide a, wide b, wide c, wide d)
{
	wide all = a ^ b ^ c ^ d;

	sink = all[0] ^ all[1] ^ all[2] ^ all[3];
}

/*
 * Reads `streams` pieces of equal length side by side, and asks for what lies `ahead` bytes behind
 * each place, unless that is 0, and for what lies `far` bytes behind it, as far as the second cache.
 * What is asked for beyond the end does no harm.
 */
static inline __attribute__((always_inline))
void read_some(const char *from, size_t bytes, size_t streams, size_t ahead, size_t far)
{
	enum { STEP = 4 * sizeof(wide) };
	size_t length = bytes / streams / STEP * STEP;
	wide a = { 0 }, b = a, c = a, d = a;

	for (size_t i = 0; i < length; i += STEP)
		for (size_t s = 0; s < streams; s++) {
			const char *place = from + s * length + i;
			const wide *at = (const wide *)place;

			for (size_t j = 0; ahead && j < STEP; j += LINE)
				__builtin_prefetch(place + ahead + j, 0, 3);
			for (size_t j = 0; far && j < STEP; j += LINE)
				__builtin_prefetch(place + far + j, 0, 2);
			a ^= at[0];
			b ^= at[1];
			c ^= at[2];
			d ^= at[3];
		}
	keep(a, b, c, d);
}

/* A way to read, as a function of its own: where from, and how much. */
#define WAY(name, streams, ahead, far) \
	static void read_##name(const char *from, size_t bytes) \
	{ \
		read_some(from, bytes, streams, ahead, far); \
	}

WAY(plain, 1, 0, 0)
WAY(ahead, 1, 1024, 0)
WAY(far_ahead, 1, 4096, 0)
WAY(both_ahead, 1, 4096, 32768)
WAY(two, 2, 0, 0)
WAY(four, 4, 0, 0)
WAY(two_ahead, 2, 1024, 0)
WAY(four_ahead, 4, 1024, 0)

static const struct way {
	const char *name;
	void (*read)(const char *from, size_t bytes);
} WAYS[] = {
	{ "plain", read_plain },
	{ "ahead", read_ahead },
	{ "far ahead", read_far_ahead },
	{ "ahead in two caches", read_both_ahead },
	{ "two streams", read_two },
	{ "four streams", read_four },
	{ "two streams ahead", read_two_ahead },
	{ "four streams ahead", read_four_ahead },
};

static const struct way *fastest = WAYS;

static uint64_t least_time(const struct way *way)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t start = worker_now(), took;

		way->read(memory, memory_bytes);
		took = worker_now() - start;
		if (took < least)
			least = took;
	}
	return least;
}

static void begin(size_t rows, size_t dimension)
{
	row_bytes = dimension * sizeof(float);
	memory_bytes = (rows * row_bytes + HUGE - 1) / HUGE * HUGE;
	memory = aligned_alloc(HUGE, memory_bytes);
	if (!memory)
		worker_fail("memory");
	madvise(memory, memory_bytes, MADV_HUGEPAGE);
	memory_bytes = rows * row_bytes;
}

static void insert(size_t first, size_t count, const float *rows)
{
	memcpy(memory + first * row_bytes, rows, count * row_bytes);
}

static void choose(void)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < sizeof(WAYS) / sizeof(*WAYS); i++) {
		uint64_t took = least_time(WAYS + i);

		if (getenv("PROBE_VERBOSE"))
			fprintf(stderr, "%-20s %.2f GB/s\n", WAYS[i].name, (double)memory_bytes / took);
		if (took < least) {
			least = took;
			fastest = WAYS + i;
		}
	}
}

static int threads(int wanted)
{
	return thread_count = wanted;
}

/* As many pages for each thread. */
static void read_shared(void)
{
	size_t part = (memory_bytes / thread_count + HUGE - 1) / HUGE * HUGE;

#pragma omp parallel for num_threads(thread_count) if (thread_count > 1)
	for (int i = 0; i < thread_count; i++) {
		size_t first = i * part < memory_bytes ? i * part : memory_bytes;
		size_t left = memory_bytes - first;

		fastest->read(memory + first, left < part ? left : part);
	}
}

static void search(const float *queries, size_t count, uint64_t *ids)
{
	(void)queries;
	memset(ids, 0, count * WORKER_K * sizeof(*ids));
	for (size_t i = 0; i < count; i++)
		read_shared();
}

static void drop(void)
{
	free(memory);
	memory = NULL;
}

int main(void)
{
	static const struct contestant self = {
		.version = "2", .begin = begin, .insert = insert, .end = choose, .threads = threads,
		.shares_a_query = 1, .search = search, .drop = drop,
	};

	return worker_run(&self);
}
