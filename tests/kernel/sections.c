// SPDX-License-Identifier: MIT
/*
 * Preemption is off for at most 50 microseconds at a time, by what STAT tells as the
 * longest section: for rows that are put and found, in collections with codes and
 * without, of every metric, short rows and the longest, one query and many.
 *
 * The clock goes on while the machine's own processor is given to somebody else, so
 * the longest section of a few calls says little; but what the driver itself does in
 * a section is there each time that the same calls are made. So each case is made
 * anew many times, in a collection of its own, and the time that came out least is
 * what the driver cannot do without. sections_avx2.c and sections_sse2.c do the same.
 *
 * machines: uml
 */
#include "collections.h"
#include "draw.h"

#define LIMIT_NS 50000
#define ROUNDS 60

/*
 * Several sections of each kind, in calls that mostly come between two ticks of the
 * machine's clock: the work of a tick counts, too, and no round would be without.
 */
#define COMPONENTS (1 << 18)
#define MOST_QUERIES 16
#define HITS 10

static float vectors[COMPONENTS];
static uint64_t ids[COMPONENTS];

static const char *const metrics[] = {
	[VSS_METRIC_L2SQ] = "squared distance",
	[VSS_METRIC_IP] = "inner product",
	[VSS_METRIC_COS] = "cosine",
};

/* What is done in each round. */
struct work {
	uint32_t dimension, metric, flags, queries;
};

static int make_collection(const struct work *work)
{
	uint32_t rows = COMPONENTS / work->dimension;
	struct vss_open open = {
		.flags = VSS_OPEN_PRIVATE | work->flags,
		.dimension = work->dimension,
		.metric = work->metric,
	};
	struct vss_put put = {
		.count = rows < VSS_MAX_ROWS ? rows : VSS_MAX_ROWS,
		.dimension = work->dimension,
		.ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors),
	};
	int file = device_open(O_RDWR);

	if (RUN(file, VSS_OPEN, &open) || RUN(file, VSS_PUT, &put))
		ktap_bail_out("cannot fill a collection");
	return file;
}

static void search_collection(int file, const struct work *work)
{
	static uint64_t found[MOST_QUERIES * HITS];
	static float distances[MOST_QUERIES * HITS];
	static uint32_t counts[MOST_QUERIES];
	struct vss_search search = {
		.count = work->queries,
		.dimension = work->dimension,
		.k = HITS,
		.queries = ADDRESS(vectors),
		.ids = ADDRESS(found),
		.distances = ADDRESS(distances),
		.counts = ADDRESS(counts),
	};

	if (RUN(file, VSS_SEARCH, &search) || counts[0] != HITS)
		ktap_bail_out("cannot search a collection");
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void check(const struct work *work)
{
	uint64_t longest[ROUNDS];
	int i, file;

	for (i = 0; i < ROUNDS; i++) {
		file = make_collection(work);
		search_collection(file, work);
		longest[i] = collection_stat(file).longest_section;
		close(file);
	}
	qsort(longest, ROUNDS, sizeof(*longest), ascending);
	ktap_ok(longest[0] > 0 && longest[0] <= LIMIT_NS,
		"the longest section of %u queries by %s, %u dimensions, %s codes, takes %.1f us (median %.1f, at most %.1f)",
		work->queries, metrics[work->metric], work->dimension,
		work->flags & VSS_OPEN_NO_CODES ? "without" : "with",
		longest[0] / 1e3, longest[ROUNDS / 2] / 1e3,
		longest[ROUNDS - 1] / 1e3);
}

/* A row, or query, of one dimension must not be zero: it has no cosine. */
static void fill(void)
{
	uint32_t i;

	draw_seed(1);
	for (i = 0; i < COMPONENTS; i++) {
		vectors[i] = (2 * below(1000) + 1) / 1000.0f - 1;
		ids[i] = i;
	}
}

int main(void)
{
	static const struct work works[] = {
		{ 1, VSS_METRIC_L2SQ, VSS_OPEN_NO_CODES, 1 },
		{ 1, VSS_METRIC_COS, VSS_OPEN_NO_CODES, MOST_QUERIES },
		{ 100, VSS_METRIC_L2SQ, 0, 1 },
		{ 128, VSS_METRIC_L2SQ, 0, 1 },
		{ 128, VSS_METRIC_L2SQ, 0, MOST_QUERIES },
		{ 128, VSS_METRIC_IP, 0, MOST_QUERIES },
		{ 128, VSS_METRIC_COS, 0, MOST_QUERIES },
		{ 128, VSS_METRIC_L2SQ, VSS_OPEN_NO_CODES, 1 },
		{ 128, VSS_METRIC_L2SQ, VSS_OPEN_NO_CODES, MOST_QUERIES },
		{ 768, VSS_METRIC_COS, 0, 1 },
		{ 768, VSS_METRIC_L2SQ, 0, MOST_QUERIES },
		{ 768, VSS_METRIC_IP, VSS_OPEN_NO_CODES, MOST_QUERIES },
		{ 4096, VSS_METRIC_COS, 0, MOST_QUERIES },
		{ 4097, VSS_METRIC_COS, 0, MOST_QUERIES },
		{ VSS_MAX_DIMENSION, VSS_METRIC_COS, 0, 1 },
		{ VSS_MAX_DIMENSION, VSS_METRIC_L2SQ, 0, MOST_QUERIES },
		{ VSS_MAX_DIMENSION, VSS_METRIC_COS, VSS_OPEN_NO_CODES,
		  MOST_QUERIES },
	};
	uint32_t i;

	fill();
	for (i = 0; i < sizeof(works) / sizeof(*works); i++)
		check(&works[i]);
	return ktap_done();
}
