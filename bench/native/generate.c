// SPDX-License-Identifier: MIT
/*
 * Writes vectors to standard output, as floats, row after row. The same arguments give the same
 * bytes: row i comes from a generator of its own (xoshiro256++, seeded by splitmix64 with the seed
 * and i), so any part of a set can be made alone.
 *
 *	generate KIND SEED DIMENSION FIRST COUNT
 *
 * KIND is `gaussian`, independent components of N(0, 1), or `clustered`: a row is one of 1,000
 * centres of N(0, 1) on 32 latent dimensions, plus half of N(0, 1), embedded in DIMENSION
 * dimensions by one fixed matrix of N(0, 1 / DIMENSION).
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATENT = 32, CENTRES = 1000, MAX_DIMENSION = 8192 };

/* Within a cluster, relative to the spread of the centres. */
#define SPREAD 0.5

/* Streams of the generator that are no rows. */
#define CENTRE_STREAM ((uint64_t)1 << 40)
#define MATRIX_STREAM ((uint64_t)1 << 41)

struct generator {
	uint64_t state[4];
	double spare;
	int has_spare;
};

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static struct generator begin(uint64_t seed, uint64_t stream)
{
	struct generator made = { .has_spare = 0 };
	uint64_t mixed = stream, state = splitmix64(&mixed) ^ seed;

	for (int i = 0; i < 4; i++)
		made.state[i] = splitmix64(&state);
	return made;
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t next(struct generator *from)
{
	uint64_t *s = from->state, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* In (0, 1). */
static double uniform(struct generator *from)
{
	return ((double)(next(from) >> 11) + 0.5) * 0x1p-53;
}

/* Of N(0, 1), by Box and Muller. */
static double gaussian(struct generator *from)
{
	double radius, angle;

	if (from->has_spare) {
		from->has_spare = 0;
		return from->spare;
	}
	radius = sqrt(-2 * log(uniform(from)));
	angle = 2 * M_PI * uniform(from);
	from->has_spare = 1;
	from->spare = radius * sin(angle);
	return radius * cos(angle);
}

static float centres[CENTRES][LATENT];
static float matrix[LATENT][MAX_DIMENSION];

static void prepare_clusters(uint64_t seed, size_t dimension)
{
	struct generator centre = begin(seed, CENTRE_STREAM), embedding = begin(seed, MATRIX_STREAM);

	for (int i = 0; i < CENTRES; i++)
		for (int j = 0; j < LATENT; j++)
			centres[i][j] = gaussian(&centre);
	for (int i = 0; i < LATENT; i++)
		for (size_t j = 0; j < dimension; j++)
			matrix[i][j] = gaussian(&embedding) / sqrt(dimension);
}

static void clustered_row(struct generator *from, float *row, size_t dimension)
{
	const float *centre = centres[next(from) % CENTRES];

	memset(row, 0, dimension * sizeof(*row));
	for (int i = 0; i < LATENT; i++) {
		float latent = centre[i] + SPREAD * gaussian(from);

		for (size_t j = 0; j < dimension; j++)
			row[j] += latent * matrix[i][j];
	}
}

static void gaussian_row(struct generator *from, float *row, size_t dimension)
{
	for (size_t i = 0; i < dimension; i++)
		row[i] = gaussian(from);
}

int main(int count, char **words)
{
	static float row[MAX_DIMENSION];
	int is_clustered = count == 6 && !strcmp(words[1], "clustered");
	uint64_t seed, first, rows;
	size_t dimension;

	if (count != 6 || (!is_clustered && strcmp(words[1], "gaussian"))) {
		fprintf(stderr, "Usage: generate clustered|gaussian SEED DIMENSION FIRST COUNT\n");
		return 2;
	}
	seed = strtoull(words[2], NULL, 10);
	dimension = strtoull(words[3], NULL, 10);
	first = strtoull(words[4], NULL, 10);
	rows = strtoull(words[5], NULL, 10);
	if (dimension < 1 || dimension > MAX_DIMENSION) {
		fprintf(stderr, "generate: the dimension must be 1 to %d\n", MAX_DIMENSION);
		return 2;
	}
	if (is_clustered)
		prepare_clusters(seed, dimension);
	for (uint64_t i = first; i < first + rows; i++) {
		struct generator from = begin(seed, i);

		if (is_clustered)
			clustered_row(&from, row, dimension);
		else
			gaussian_row(&from, row, dimension);
		if (fwrite(row, sizeof(*row), dimension, stdout) != dimension)
			break;
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror("generate");
		return 1;
	}
	return 0;
}
