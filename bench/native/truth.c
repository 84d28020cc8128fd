// SPDX-License-Identifier: MIT
/*
 * Finds the nearest rows of every query by a plain scan in double precision, which shares no code
 * with what it is to judge.
 *
 *	truth DIMENSION K ROWS_FILE QUERIES_FILE IDS_FILE DISTANCES_FILE
 *
 * The files of ids (uint32_t) and squared distances (double) hold K of each query, nearest first.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Rows that are compared with every query while they are in the cache. */
enum { BLOCK = 256, LANES = 16 };

struct hit {
	double distance;
	uint32_t id;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* All of a file of floats, as doubles. */
static double *read_all(const char *path, size_t dimension, size_t *rows)
{
	FILE *file = fopen(path, "rb");
	double *values = NULL;
	float *row = malloc(dimension * sizeof(*row));

	if (!file)
		fail(path);
	for (*rows = 0; fread(row, sizeof(*row), dimension, file) == dimension; ++*rows) {
		values = realloc(values, (*rows + 1) * dimension * sizeof(*values));
		if (!values)
			fail(path);
		for (size_t i = 0; i < dimension; i++)
			values[*rows * dimension + i] = row[i];
	}
	free(row);
	fclose(file);
	return values;
}

/* In lanes, so that the compiler may use vector registers without reordering any sum. */
static double squared_distance(const double *a, const double *b, size_t dimension)
{
	double sums[LANES] = { 0 }, sum = 0;
	size_t i = 0;

	for (; i + LANES <= dimension; i += LANES)
		for (int j = 0; j < LANES; j++)
			sums[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
	for (; i < dimension; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	for (int j = 0; j < LANES; j++)
		sum += sums[j];
	return sum;
}

/* Keeps the k nearest, sorted. Rows come in the order of their ids, so equal distances do, too. */
static void offer(struct hit *hits, size_t *count, size_t k, struct hit hit)
{
	size_t place = *count;

	if (place == k && hit.distance >= hits[k - 1].distance)
		return;
	if (place == k)
		place--;
	else
		++*count;
	for (; place > 0 && hits[place - 1].distance > hit.distance; place--)
		hits[place] = hits[place - 1];
	hits[place] = hit;
}

static void scan(const char *path, size_t dimension, size_t k, const double *queries,
		 size_t query_count, struct hit *hits, size_t *counts)
{
	FILE *file = fopen(path, "rb");
	float *floats = malloc(BLOCK * dimension * sizeof(*floats));
	double *rows = malloc(BLOCK * dimension * sizeof(*rows));
	size_t first = 0, count;

	if (!file || !floats || !rows)
		fail(path);
	while ((count = fread(floats, dimension * sizeof(*floats), BLOCK, file)) > 0) {
		for (size_t i = 0; i < count * dimension; i++)
			rows[i] = floats[i];
		for (size_t q = 0; q < query_count; q++)
			for (size_t i = 0; i < count; i++) {
				struct hit hit = { .id = first + i };

				hit.distance = squared_distance(queries + q * dimension,
								rows + i * dimension, dimension);
				offer(hits + q * k, counts + q, k, hit);
			}
		first += count;
	}
	free(rows);
	free(floats);
	fclose(file);
}

static void write_hits(const char *ids_path, const char *distances_path, const struct hit *hits,
		       size_t count)
{
	FILE *ids = fopen(ids_path, "wb"), *distances = fopen(distances_path, "wb");

	if (!ids || !distances)
		fail(ids_path);
	for (size_t i = 0; i < count; i++) {
		fwrite(&hits[i].id, sizeof(hits[i].id), 1, ids);
		fwrite(&hits[i].distance, sizeof(hits[i].distance), 1, distances);
	}
	if (fclose(ids) || fclose(distances))
		fail(ids_path);
}

int main(int argc, char **words)
{
	size_t dimension, k, query_count, *counts;
	struct hit *hits;
	double *queries;

	if (argc != 7) {
		fprintf(stderr, "Usage: truth DIMENSION K ROWS QUERIES IDS DISTANCES\n");
		return 2;
	}
	dimension = strtoull(words[1], NULL, 10);
	k = strtoull(words[2], NULL, 10);
	queries = read_all(words[4], dimension, &query_count);
	hits = calloc(query_count * k, sizeof(*hits));
	counts = calloc(query_count, sizeof(*counts));
	if (!hits || !counts)
		fail("truth");
	scan(words[3], dimension, k, queries, query_count, hits, counts);
	write_hits(words[5], words[6], hits, query_count * k);
	return 0;
}
