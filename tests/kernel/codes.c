// SPDX-License-Identifier: MIT
/*
 * Codes change what a search costs, and nothing that it answers: collections
 * with codes and without, of the same rows, give the same hits to the last bit.
 * For every metric, many dimensions, filters, ranges and numbers of hits and of
 * queries; for data that codes are good for and data that they are not, from
 * tiny numbers to such whose squares overflow.
 *
 * codes_best.c, codes_avx2.c and codes_sse2.c run the same with more rows, by
 * other instruction sets, and on several processors.
 *
 * Its argument is the most components that a collection may have altogether:
 * fewer where the processor is emulated.
 *
 * arguments: 131072
 * arguments on debian-6.1: 32768
 * arguments on uml: 4194304
 * arguments on uml-debug: 4194304
 */
#include <float.h>

#include "collections.h"

/* With more, a search sees several sections, and helpers; that takes longer. */
#ifndef MOST_ROWS
#define MOST_ROWS 1200
#endif

/* Three blocks with codes, two without. */
#define ROWS 7000
#define QUERIES 70
#define MOST_HITS 4096

/* A seeded generator: xorshift64*, by Marsaglia and Vigna. */
static uint64_t state = 0x9e3779b97f4a7c15ULL;

static uint64_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

/* Near enough to Gaussian: the sum of three uniform numbers. */
static float normal(void)
{
	uint64_t bits = draw();
	uint32_t mask = (1 << 21) - 1;
	uint32_t sum = (bits & mask) + (bits >> 21 & mask) + (bits >> 42 & mask);

	return sum / 1048576.0f - 3;
}

/* How the components of a vector come about. */
enum data {
	CLUSTERS, GAUSS, FAR_AWAY, SPARSE, EQUAL, TINY, HUGE, WILD, NR_DATA
};

static const char *const data_names[] = {
	"clusters", "Gaussian", "far from the origin", "sparse", "nearly equal",
	"tiny", "huge", "of wildly different sizes",
};

static float cluster(uint32_t which, uint32_t i)
{
	uint32_t hash = (which * 2654435761U) ^ (i * 40503U);

	hash ^= hash >> 15;
	hash *= 2246822519U;
	hash ^= hash >> 13;
	return hash / 4294967296.0f * 4 - 2;
}

static float component(enum data data, uint32_t which, uint32_t i)
{
	switch (data) {
	case CLUSTERS:
		return cluster(which, i) + 0.2f * normal();
	case GAUSS:
		return normal();
	case FAR_AWAY:
		return 1000 + normal();
	case SPARSE:
		return draw() % 16 ? 0 : normal() * 3;
	case EQUAL:
		return 1 + (draw() % 8 ? 0 : FLT_EPSILON);
	case TINY:
		return ldexpf(normal(), -70 - (int)(draw() % 60));
	case HUGE:
		return ldexpf(normal(), 58 + (int)(draw() % 60));
	default:
		return ldexpf(normal(), (int)(draw() % 40) - 20);
	}
}

/* The first component is never 0: no vector is without a direction. */
static void make(float *vectors, uint32_t count, uint32_t dimension,
		 enum data data)
{
	uint32_t n, i;

	for (n = 0; n < count; n++) {
		uint32_t which = draw() % 20;

		for (i = 0; i < dimension; i++)
			vectors[(size_t)n * dimension + i] =
				component(data, which, i);
		if (!vectors[(size_t)n * dimension])
			vectors[(size_t)n * dimension] = 1;
	}
}

static int open_collection(uint32_t dimension, uint32_t metric, uint32_t flags)
{
	int file = device_open(O_RDWR);
	struct vss_open open = {
		.flags = VSS_OPEN_PRIVATE | flags,
		.dimension = dimension,
		.metric = metric,
	};

	if (RUN(file, VSS_OPEN, &open))
		ktap_bail_out("cannot make a private collection");
	return file;
}

/* Returns how many were put: all before the first that is refused. */
static uint32_t put(int file, uint32_t dimension, const uint64_t *ids,
		    const float *vectors, const uint64_t *tags, uint32_t count)
{
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT,
		.count = count,
		.dimension = dimension,
		.ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors),
		.tags = ADDRESS(tags),
	};
	int error = RUN(file, VSS_PUT, &put);

	if (error && error != EINVAL)
		ktap_bail_out("cannot put rows: %d", error);
	return put.done;
}

static void delete(int file, const uint64_t *ids, uint32_t count)
{
	struct vss_delete delete = { .count = count, .ids = ADDRESS(ids) };

	if (RUN(file, VSS_DELETE, &delete))
		ktap_bail_out("cannot delete rows");
}

struct answers {
	uint64_t ids[QUERIES * MOST_HITS];
	float distances[QUERIES * MOST_HITS];
	uint32_t counts[QUERIES];
	uint64_t scanned;
	uint64_t computed;
	uint32_t done;
	int error;
};

struct question {
	uint32_t dimension;
	uint32_t queries;
	uint32_t k;
	uint64_t mask;
	uint64_t value;
	bool range;
	float distance;
};

static void ask(int file, const struct question *question,
		const float *vectors, struct answers *answers)
{
	struct vss_search search = {
		.flags = question->range ? VSS_SEARCH_RANGE : 0,
		.count = question->queries,
		.dimension = question->dimension,
		.k = question->k,
		.queries = ADDRESS(vectors),
		.tag_mask = question->mask,
		.tag_value = question->value,
		.ids = ADDRESS(answers->ids),
		.distances = ADDRESS(answers->distances),
		.counts = ADDRESS(answers->counts),
		.max_distance = question->range ? question->distance : 0,
	};

	answers->error = RUN(file, VSS_SEARCH, &search);
	answers->scanned = search.scanned;
	answers->computed = search.computed;
	answers->done = search.done;
}

static bool same(const struct question *question, const struct answers *a,
		 const struct answers *b)
{
	uint32_t n;

	if (a->error != b->error || a->done != b->done)
		return false;
	for (n = 0; n < a->done; n++) {
		size_t at = (size_t)n * question->k;

		if (a->counts[n] != b->counts[n] ||
		    memcmp(a->ids + at, b->ids + at, a->counts[n] * 8) ||
		    memcmp(a->distances + at, b->distances + at,
			   a->counts[n] * 4))
			return false;
	}
	return true;
}

static struct answers coded, plain;

/* The same question to both; returns whether they agree. */
static bool agree(int with, int without, const struct question *question,
		  const float *vectors)
{
	ask(with, question, vectors, &coded);
	ask(without, question, vectors, &plain);
	return same(question, &coded, &plain) &&
	       coded.scanned == plain.scanned &&
	       coded.computed <= coded.scanned;
}

static bool agree_on_all(int with, int without, uint32_t dimension,
			 const float *vectors, uint32_t rows)
{
	const uint32_t ks[] = { 1, 10, 100, rows };
	struct question question = { .dimension = dimension };
	bool all = true;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		question.k = ks[i];
		question.queries = i == 3 ? 2 : 3;
		all &= agree(with, without, &question, vectors);
	}
	/* A range that ends in the middle of the hits. */
	question.range = true;
	question.distance = coded.counts[0] ?
			    coded.distances[coded.counts[0] / 2] : 0;
	all &= agree(with, without, &question, vectors);
	question.k = 10;
	question.mask = 3;
	for (question.value = 0; question.value < 5; question.value++)
		all &= agree(with, without, &question, vectors);
	question.range = false;
	question.mask = 255;
	question.value = 7;
	all &= agree(with, without, &question, vectors);
	/* Many queries in one pass. */
	question.mask = 0;
	question.value = 0;
	question.queries = QUERIES;
	all &= agree(with, without, &question, vectors);
	return all;
}

static void check(uint32_t dimension, uint32_t metric, enum data data,
		  uint32_t most_components)
{
	static const char *const metrics[] = { "l2sq", "ip", "cos" };
	uint32_t rows = MOST_ROWS < most_components / dimension ? MOST_ROWS :
			most_components / dimension;
	size_t room = (size_t)rows * dimension;
	float *vectors = malloc(room * 4), *queries;
	uint64_t *ids = malloc(rows * 8), *tags = malloc(rows * 8);
	int with = open_collection(dimension, metric, 0);
	int without = open_collection(dimension, metric, VSS_OPEN_NO_CODES);
	uint32_t i, stored;
	bool held;

	queries = malloc((size_t)QUERIES * dimension * 4);
	make(vectors, rows, dimension, data);
	make(queries, QUERIES, dimension, data);
	/* One of them is stored. */
	memcpy(queries, vectors + room / 2 / dimension * dimension,
	       dimension * 4);
	for (i = 0; i < rows; i++) {
		ids[i] = i * 7919ULL % rows + 1;
		tags[i] = draw() % 256;
	}
	stored = put(with, dimension, ids, vectors, tags, rows);
	held = stored == put(without, dimension, ids, vectors, tags, rows);
	held &= agree_on_all(with, without, dimension, queries, rows);
	/* Rows that come and go leave stripes that are not full. */
	delete(with, ids, stored / 3);
	delete(without, ids, stored / 3);
	make(vectors, rows / 4, dimension, data);
	put(with, dimension, ids, vectors, tags, rows / 4);
	put(without, dimension, ids, vectors, tags, rows / 4);
	held &= agree_on_all(with, without, dimension, queries, rows);
	ktap_ok(held, "%s, %u components, %s: codes change no answer",
		metrics[metric], dimension, data_names[data]);
	close(with);
	close(without);
	free(vectors);
	free(queries);
	free(ids);
	free(tags);
}

/* That codes are there, and rule out what they should. */
static void check_use(void)
{
	struct question question = { .dimension = 128, .queries = 1, .k = 10 };
	int with = open_collection(128, VSS_METRIC_L2SQ, 0);
	int without = open_collection(128, VSS_METRIC_L2SQ, VSS_OPEN_NO_CODES);
	int few = open_collection(VSS_MIN_CODES_DIMENSION - 1, 0, 0);
	static float vectors[ROWS * 128];
	static uint64_t ids[ROWS];
	struct vss_stat stat;
	uint32_t i;

	make(vectors, ROWS, 128, CLUSTERS);
	for (i = 0; i < ROWS; i++)
		ids[i] = i;
	put(with, 128, ids, vectors, NULL, ROWS);
	put(without, 128, ids, vectors, NULL, ROWS);
	ask(with, &question, vectors, &coded);
	ask(without, &question, vectors, &plain);
	ktap_ok(coded.scanned == ROWS && plain.scanned == ROWS,
		"all rows are looked at, with codes and without");
	ktap_ok(coded.computed < ROWS && plain.computed == ROWS,
		"codes rule rows out: %llu of %d are computed",
		(unsigned long long)coded.computed, ROWS);
	stat = collection_stat(with);
	ktap_ok(stat.codes == 1 && stat.computed == coded.computed &&
		stat.scanned == ROWS, "STAT says the same");
	ktap_ok(stat.longest_section > 0,
		"STAT knows the longest section: %llu ns",
		(unsigned long long)stat.longest_section);
	ktap_ok(stat.bytes > collection_stat(without).bytes,
		"codes take memory: %llu bytes, %llu without",
		(unsigned long long)stat.bytes,
		(unsigned long long)collection_stat(without).bytes);
	ktap_ok(collection_stat(without).codes == 0 &&
		collection_stat(few).codes == 0,
		"there are none where they are not wanted, or of no use");
	close(with);
	close(without);
	close(few);
}

int main(int argc, char **argv)
{
	uint32_t most_components = argc > 1 ? strtoul(argv[1], NULL, 10) :
				   4U << 20;
	static const uint32_t dimensions[] = { 33, 100, 128, 1000, 8192 };
	uint32_t i, metric;
	int data;

	check_use();
	for (metric = 0; metric <= VSS_METRIC_COS; metric++)
		for (data = 0; data < NR_DATA; data++)
			for (i = 0; i < sizeof(dimensions) / 4; i++)
				if (data <= GAUSS || i == 1)
					check(dimensions[i], metric, data,
					      most_components);
	return ktap_done();
}
