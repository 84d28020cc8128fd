/* SPDX-License-Identifier: MIT */
/*
 * A contestant's side of the benchmark's protocol, for C and C++. A request is a line of words on
 * standard input, its answer a line of JSON on standard output:
 *
 *	about				{"version": …}
 *	load ROWS DIMENSION FOLDER	inserts rows, 1,000 a call; {"seconds": of the calls,
 *					"bytes": of memory they take}
 *	threads COUNT			{"threads": as many as will be used}
 *	search FIRST COUNT		single queries: {"ns": of each, "ids": of all their hits}
 *	batch FIRST COUNT		the same queries in one call: {"ns": of the call, "ids"}
 *	repeat SAMPLES CALLS		one query again and again: {"ns": a call, of each sample}
 *	drop				forgets all rows: {}
 *
 * FIRST counts queries from 0, and goes round behind the last. The end of input is the end.
 */
#ifndef WORKER_H
#define WORKER_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rows of one insertion, hits of a query, queries of one request. */
enum { WORKER_ROWS = 1000, WORKER_K = 10, WORKER_QUERIES = 256 };

/* What a contestant can do. Vectors are stored row after row, and ids are row numbers. */
struct contestant {
	const char *version;
	/* Makes room for rows. */
	void (*begin)(size_t rows, size_t dimension);
	void (*insert)(size_t first, size_t count, const float *rows);
	/* After the last row; may be NULL. */
	void (*end)(void);
	/* Memory of the rows; NULL for what the process has grown by. */
	size_t (*bytes)(void);
	/* Returns the threads that it will use, `wanted` or less. */
	int (*threads)(int wanted);
	/* Whether those share one query; else each takes one of several that are asked at once. */
	int shares_a_query;
	/* Writes WORKER_K ids a query, nearest first. */
	void (*search)(const float *queries, size_t count, uint64_t *ids);
	void (*drop)(void);
};

static const struct contestant *worker_self;
static size_t worker_dimension, worker_query_count;
static int worker_threads = 1;
static float *worker_queries;
static uint64_t worker_ids[WORKER_QUERIES * WORKER_K];
static uint64_t worker_ns[4096];

static inline void worker_fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", worker_self->version, what, strerror(errno));
	exit(1);
}

static inline uint64_t worker_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Bytes of memory that are this process's own. */
static inline size_t worker_anonymous(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long found = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %llu", &found) == 1)
			break;
	if (status)
		fclose(status);
	return found * 1024;
}

static inline FILE *worker_open(const char *folder, const char *name)
{
	char path[8192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		worker_fail(path);
	return file;
}

/* Queries lie once more behind the last, so that any run of them is in one piece. */
static inline void worker_read_queries(const char *folder)
{
	FILE *file = worker_open(folder, "queries.f32");
	size_t bytes = worker_dimension * sizeof(float);

	free(worker_queries);
	worker_queries = (float *)malloc(2 * WORKER_QUERIES * bytes);
	if (!worker_queries)
		worker_fail("queries");
	worker_query_count = fread(worker_queries, bytes, WORKER_QUERIES, file);
	if (worker_query_count == 0)
		worker_fail("no queries");
	memcpy(worker_queries + worker_query_count * worker_dimension, worker_queries,
	       worker_query_count * bytes);
	fclose(file);
}

static inline void worker_load(size_t rows, const char *folder)
{
	FILE *file = worker_open(folder, "rows.f32");
	size_t row_bytes = worker_dimension * sizeof(float), before, after;
	float *piece = (float *)malloc(WORKER_ROWS * row_bytes);
	uint64_t ns = 0;

	if (!piece)
		worker_fail("load");
	worker_read_queries(folder);
	before = worker_anonymous();
	worker_self->begin(rows, worker_dimension);
	for (size_t first = 0; first < rows; first += WORKER_ROWS) {
		size_t left = rows - first, most = WORKER_ROWS;
		size_t count = left < most ? left : most;
		uint64_t start;

		if (fread(piece, row_bytes, count, file) != count)
			worker_fail("rows.f32");
		start = worker_now();
		worker_self->insert(first, count, piece);
		ns += worker_now() - start;
	}
	if (worker_self->end)
		worker_self->end();
	free(piece);
	fclose(file);
	after = worker_anonymous();
	printf("{\"seconds\":%.9f,\"bytes\":%zu}\n", ns * 1e-9,
	       worker_self->bytes ? worker_self->bytes() : after - before);
}

static inline const float *worker_query(size_t index)
{
	return worker_queries + index % worker_query_count * worker_dimension;
}

static inline void worker_print(size_t samples, size_t ids)
{
	printf("{\"ns\":[");
	for (size_t i = 0; i < samples; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)worker_ns[i]);
	printf("],\"ids\":[");
	for (size_t i = 0; i < ids; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)worker_ids[i]);
	printf("]}\n");
}

static inline void worker_search(size_t first, size_t count)
{
	size_t at_once = worker_self->shares_a_query ? 1 : worker_threads, samples = 0;

	for (size_t i = 0; i < count; i += at_once) {
		size_t now = count - i < at_once ? count - i : at_once;
		uint64_t start = worker_now();

		worker_self->search(worker_query(first + i), now, worker_ids + i * WORKER_K);
		worker_ns[samples++] = (worker_now() - start) / now;
	}
	worker_print(samples, count * WORKER_K);
}

static inline void worker_batch(size_t first, size_t count)
{
	uint64_t start = worker_now();

	worker_self->search(worker_query(first), count, worker_ids);
	worker_ns[0] = worker_now() - start;
	worker_print(1, count * WORKER_K);
}

static inline void worker_repeat(size_t samples, size_t calls)
{
	for (size_t i = 0; i < samples; i++) {
		uint64_t start = worker_now();

		for (size_t j = 0; j < calls; j++)
			worker_self->search(worker_query(0), 1, worker_ids);
		worker_ns[i] = (worker_now() - start) / calls;
	}
	worker_print(samples, 0);
}

static inline void worker_answer(char *line)
{
	unsigned long long first = 0, second = 0;
	int read = 0;
	char word[16] = "";

	line[strcspn(line, "\n")] = 0;
	sscanf(line, "%15s %llu %llu %n", word, &first, &second, &read);
	if (!strcmp(word, "about")) {
		printf("{\"version\":\"%s\"}\n", worker_self->version);
	} else if (!strcmp(word, "load") && read) {
		worker_dimension = second;
		worker_load(first, line + read);
	} else if (!strcmp(word, "threads")) {
		worker_threads = worker_self->threads((int)first);
		printf("{\"threads\":%d}\n", worker_threads);
	} else if (!strcmp(word, "search") && second >= 1 && second <= WORKER_QUERIES) {
		worker_search(first, second);
	} else if (!strcmp(word, "batch") && second >= 1 && second <= WORKER_QUERIES) {
		worker_batch(first, second);
	} else if (!strcmp(word, "repeat") && first <= sizeof(worker_ns) / sizeof(*worker_ns)) {
		worker_repeat(first, second);
	} else if (!strcmp(word, "drop")) {
		worker_self->drop();
		printf("{}\n");
	} else {
		fprintf(stderr, "%s: unknown request: %s\n", worker_self->version, line);
		exit(2);
	}
	fflush(stdout);
}

/* Answers requests until there are no more. */
static inline int worker_run(const struct contestant *self)
{
	char *line = NULL;
	size_t room = 0;

	worker_self = self;
	while (getline(&line, &room, stdin) > 0)
		worker_answer(line);
	free(line);
	return 0;
}

#endif
