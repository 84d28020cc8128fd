/* SPDX-License-Identifier: MIT */
/*
 * Rows of which there are a few versions for each id: every part follows from the
 * id and a generation, so that one of two versions shows, and so does a distance
 * that none of them can have.
 */
#ifndef VERSIONS_H
#define VERSIONS_H

#include "collections.h"

#define GENERATIONS 4
#define GROUPS 8

/*
 * All that a row of an id may be: of some generation, put by protocol 1, which
 * knows neither tags nor payloads, or by protocol 2.
 */
#define VERSIONS (2 * GENERATIONS)

struct version {
	uint64_t id;
	uint32_t generation;
	bool plain;
};

__attribute__((unused))
static struct version version_of(uint64_t id, uint32_t number)
{
	return (struct version) { id, number / 2, number % 2 };
}

__attribute__((unused))
static uint32_t value_of(struct version row)
{
	return 1 + row.id % GROUPS * GENERATIONS + row.generation;
}

__attribute__((unused))
static float component(uint32_t value, uint32_t i)
{
	return i % 2 ? 1 : value;
}

__attribute__((unused))
static uint64_t tag_of(struct version row)
{
	return row.plain ? 0 : row.id << 3 | row.generation << 1 | 1;
}

__attribute__((unused))
static uint32_t size_of(struct version row)
{
	uint32_t number = row.id * 7 + row.generation * 61;

	if (row.plain || number % 6 == 0)
		return VSS_NO_PAYLOAD;
	return row.id % 7 == 6 ? 12000 + row.generation * 1000 : number % 200;
}

/* Payloads count upwards, from a byte of the row's own: 256 bytes at a time. */
static uint8_t ramp[512];

__attribute__((constructor))
static void make_ramp(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(ramp); i++)
		ramp[i] = i;
}

static const uint8_t *ramp_of(struct version row)
{
	return ramp + (uint8_t)(row.id * 31 + row.generation * 17);
}

static uint32_t ramp_bytes(uint32_t left)
{
	return left < 256 ? left : 256;
}

__attribute__((unused))
static void fill_payload(uint8_t *to, struct version row)
{
	uint32_t left, bytes;

	for (left = size_of(row); left; left -= bytes, to += bytes) {
		bytes = ramp_bytes(left);
		memcpy(to, ramp_of(row), bytes);
	}
}

static bool is_payload(const uint8_t *from, struct version row)
{
	uint32_t left, bytes;

	for (left = size_of(row); left; left -= bytes, from += bytes) {
		bytes = ramp_bytes(left);
		if (memcmp(from, ramp_of(row), bytes))
			return false;
	}
	return true;
}

__attribute__((unused))
static void fill_vector(float *vector, uint32_t dimension, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < dimension; i++)
		vector[i] = component(value, i);
}

/* What a call has told of a row; what it has not is NULL. */
struct parts {
	const float *vector;
	const uint64_t *tag;
	const uint32_t *size;
	const uint8_t *payload;
};

__attribute__((unused))
static bool is_version(uint32_t dimension, struct version row,
		       const struct parts *parts)
{
	uint32_t i, value = value_of(row);

	if ((parts->tag && *parts->tag != tag_of(row)) ||
	    (parts->size && *parts->size != size_of(row)))
		return false;
	for (i = 0; parts->vector && i < dimension; i++)
		if (parts->vector[i] != component(value, i))
			return false;
	if (!parts->payload || size_of(row) == VSS_NO_PAYLOAD)
		return true;
	return is_payload(parts->payload, row);
}

/* Which rows are wanted, by their tags. */
struct filter {
	uint64_t mask, value;
};

__attribute__((unused))
static bool matches(struct filter filter, struct version row)
{
	return (tag_of(row) & filter.mask) == filter.value;
}

/* How far a row is from a query. All sums are exact, cosines nearly. */
__attribute__((unused))
static double distance_of(uint32_t metric, uint32_t dimension, uint32_t value,
			  uint32_t query)
{
	double v = value, q = query, pairs = dimension / 2;

	switch (metric) {
	case VSS_METRIC_L2SQ:
		return pairs * (v - q) * (v - q);
	case VSS_METRIC_IP:
		return 1 - pairs * (v * q + 1);
	}
	return 1 - (v * q + 1) / sqrt((v * v + 1) * (q * q + 1));
}

__attribute__((unused))
static bool has_distance(uint32_t metric, uint32_t dimension,
			 struct version row, uint32_t query, float distance)
{
	double error = distance - distance_of(metric, dimension, value_of(row),
					      query);

	return metric == VSS_METRIC_COS ? fabs(error) < 2e-6 : error == 0;
}

#endif /* VERSIONS_H */
