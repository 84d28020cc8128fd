// SPDX-License-Identifier: MIT
/*
 * Readers while others write. A row of version v has v in its components, its
 * tags and its payload, so that a mixed one is found out by any reader.
 */
#include <sched.h>
#include <time.h>

#include "collections.h"
#include "fork.h"

#define NAME "readers"
#define DIMENSION 64
#define ROWS 64
#define LASTING 3000
#define SECONDS 6

static struct tally {
	atomic_bool over;
	atomic_uint failed;
	atomic_uint mixed;
	atomic_uint missed;
	atomic_uint writes;
	atomic_uint reads;
	atomic_uint scans;
} *tally;

static int open_shared(void)
{
	int file = device_open(O_RDWR);

	if (bind_named(file, NAME, VSS_OPEN_CREATE, DIMENSION, 0600))
		tally->failed++;
	return file;
}

/* One batch of all versioned rows, each payload the version as a number. */
static void put_version(int file, uint32_t version)
{
	static float vectors[ROWS][DIMENSION];
	static uint64_t ids[ROWS], tags[ROWS];
	static uint32_t sizes[ROWS], payloads[ROWS];
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT, .count = ROWS, .dimension = DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.tags = ADDRESS(tags), .payload_sizes = ADDRESS(sizes),
		.payloads = ADDRESS(payloads), .payload_bytes = sizeof(payloads),
	};
	uint32_t i, j;

	for (i = 0; i < ROWS; i++) {
		ids[i] = i;
		tags[i] = version;
		sizes[i] = sizeof(version);
		payloads[i] = version;
		for (j = 0; j < DIMENSION; j++)
			vectors[i][j] = version;
	}
	if (RUN(file, VSS_PUT, &put))
		tally->failed++;
}

static void write_versions(int number)
{
	int file = open_shared();
	uint32_t version;

	/* Of two writers one writes even and one odd versions. */
	for (version = 2 + number; !tally->over; version += 2) {
		put_version(file, version % 512);
		tally->writes++;
	}
}

static void get_versions(int number)
{
	static float vectors[ROWS][DIMENSION];
	static uint64_t ids[ROWS], tags[ROWS];
	static uint32_t sizes[ROWS];
	static uint32_t payloads[VSS_MAX_PAYLOAD / 4];
	int file = open_shared();
	struct vss_get get = {
		.count = ROWS, .dimension = DIMENSION, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads),
	};
	uint32_t i, j;

	(void)number;
	for (i = 0; i < ROWS; i++)
		ids[i] = i;
	while (!tally->over) {
		if (RUN(file, VSS_GET, &get) || get.hits != ROWS)
			tally->failed++;
		for (i = 0; i < ROWS; i++) {
			uint32_t version = payloads[i];

			for (j = 0; j < DIMENSION; j++)
				tally->mixed += vectors[i][j] != version;
			tally->mixed += tags[i] != version || sizes[i] != 4;
		}
		tally->reads++;
	}
}

/*
 * The distance of version v to the zero vector is DIMENSION * v * v, which is
 * exact for versions below 512: another one would be that of a mixed row.
 */
static void search_versions(int number)
{
	static float query[DIMENSION], distances[ROWS];
	static uint64_t ids[ROWS];
	int file = open_shared();
	uint32_t counts, i;
	struct vss_search search = {
		.count = 1, .dimension = DIMENSION, .k = ROWS,
		.queries = ADDRESS(query), .ids = ADDRESS(ids),
		.distances = ADDRESS(distances), .counts = ADDRESS(&counts),
	};

	(void)number;
	while (!tally->over) {
		if (RUN(file, VSS_SEARCH, &search) || counts != ROWS)
			tally->missed++;
		for (i = 0; i < counts; i++) {
			float version = sqrtf(distances[i] / DIMENSION);

			tally->mixed += version != rintf(version);
		}
		tally->reads++;
	}
}

/* Puts and deletes rows around those that last, so that blocks come and go. */
static void churn(int number)
{
	static uint64_t ids[2000];
	int file = open_shared();
	uint32_t i, round;
	struct vss_delete delete = { .count = 2000, .ids = ADDRESS(ids) };

	for (i = 0; i < 2000; i++)
		ids[i] = 1000000 + number * 10000 + i;
	for (round = 0; !tally->over; round++) {
		for (i = 0; i < 2000 && !tally->over; i++)
			if (put_row(file, ids[i], DIMENSION, 3))
				tally->failed++;
		if (RUN(file, VSS_DELETE, &delete))
			tally->failed++;
		tally->writes++;
	}
}

/* Each scan must find all rows that last, each once. */
static void scan_lasting(int number)
{
	static uint64_t ids[333];
	static unsigned char seen[LASTING];
	int file = open_shared();
	uint32_t i, count;

	(void)number;
	while (!tally->over) {
		struct vss_scan scan = {
			.count = 333, .dimension = DIMENSION, .ids = ADDRESS(ids),
		};

		memset(seen, 0, sizeof(seen));
		count = 0;
		while (scan.cursor != VSS_CURSOR_END) {
			if (RUN(file, VSS_SCAN, &scan)) {
				tally->failed++;
				return;
			}
			for (i = 0; i < scan.done; i++)
				if (ids[i] >= 100000 && ids[i] < 100000 + LASTING)
					count += !seen[ids[i] - 100000]++;
		}
		for (i = 0; i < LASTING; i++)
			tally->missed += seen[i] != 1;
		tally->scans++;
	}
}

/* Runs all of them for some seconds; returns whether all ended well. */
static bool run_together(void (*const jobs[])(int number), int count)
{
	int i, status, clean = 0;

	tally->over = false;
	for (i = 0; i < count; i++)
		start(jobs[i], i);
	sleep(SECONDS);
	tally->over = true;
	for (i = 0; i < count; i++)
		clean += wait(&status) > 0 && !status;
	return clean == count;
}

static void upserts(int file)
{
	void (*const jobs[])(int number) = {
		write_versions, write_versions, get_versions, search_versions,
	};

	put_version(file, 1);
	ktap_ok(run_together(jobs, 4) && !tally->failed,
		"two writers, a getter and a searcher work side by side");
	printf("# %u writes of %d rows, %u reads\n", tally->writes, ROWS, tally->reads);
	ktap_ok(tally->writes > 10 && tally->reads > 10, "all of them come to work");
	ktap_ok(!tally->mixed, "no reader sees a row mixed of two versions");
	ktap_ok(!tally->missed, "every search finds every row");
	ktap_ok(collection_stat(file).count == ROWS, "no row is stored twice");
}

static void scans(int file)
{
	void (*const jobs[])(int number) = {
		churn, churn, scan_lasting, scan_lasting,
	};
	uint32_t i;

	for (i = 0; i < LASTING; i++)
		if (put_row(file, 100000 + i, DIMENSION, 2))
			ktap_bail_out("cannot put row %u", i);
	tally->writes = 0;
	ktap_ok(run_together(jobs, 4) && !tally->failed,
		"two that put and delete and two that scan work side by side");
	printf("# %u rounds of puts and deletes, %u scans\n", tally->writes, tally->scans);
	ktap_ok(tally->scans > 2, "all of them come to work");
	ktap_ok(!tally->missed,
		"every scan finds each row that lived throughout once");
}

int main(void)
{
	int file;

	tally = shared_memory(sizeof(*tally));
	file = open_shared();
	upserts(file);
	scans(file);
	return ktap_done();
}
