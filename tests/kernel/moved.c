// SPDX-License-Identifier: MIT
/*
 * Rows that are deleted and put again while searches go by, which may meet them
 * where they were and where they are: none is returned twice, and no other is
 * returned instead of one that was there throughout.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "caches.h"

#define D 128
#define BLOCKS 6
#define K 10
#define MOVED 1000000

/* Searches during which rows moved that are enough, and how long that may take. */
#define SEARCHES 300
#define LONGEST (60 * SECOND)

static int file;
static atomic_bool ended;
static atomic_ullong moves;

static bool delete_rows(uint64_t *ids, uint32_t count)
{
	struct vss_delete delete = { .count = count, .ids = ADDRESS(ids) };

	return !RUN(file, VSS_DELETE, &delete) && delete.deleted == count;
}

/* Puts two rows near the query, into the free slots, of which there are as many. */
static bool put_moved(uint64_t *ids)
{
	float vectors[2 * D] = { };
	struct vss_put put = {
		.count = 2, .dimension = D, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors),
	};

	return !RUN(file, VSS_PUT, &put) && put.inserted == 2;
}

/*
 * Fills all slots of some blocks. Two ids take the places of one row in the first
 * block and of one in the last.
 */
static void fill(uint64_t *ids)
{
	uint64_t id, last = BLOCKS * BLOCK_ROWS, old[] = { 100, last };

	for (id = 1; id <= last; id += 1000)
		if (put_rows(file, id, last - id < 999 ? last - id + 1 : 1000, D))
			ktap_bail_out("cannot put rows");
	if (collection_stat(file).bytes < BLOCKS * BLOCK_BYTES ||
	    !delete_rows(old, 2) || !put_moved(ids))
		ktap_bail_out("cannot make room for rows that move");
}

/*
 * Lets both rows change places, all the time: the first one gets the slot of the
 * block where a slot was taken last, which is now the one block and now the other.
 */
static void *move(void *argument)
{
	uint64_t *ids = argument;

	while (!ended) {
		if (!delete_rows(ids, 2) || !put_moved(ids))
			ktap_bail_out("cannot move rows");
		moves++;
	}
	return NULL;
}

/*
 * Whether hits are in order, none twice, and those that do not move are the
 * nearest of them: the query is 0, and a row's components are its id.
 */
static bool is_right(const uint64_t *ids, const float *distances, uint32_t count)
{
	uint64_t stable = 0;
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		if (i && distances[i] < distances[i - 1])
			return false;
		for (j = 0; j < i; j++)
			if (ids[j] == ids[i])
				return false;
		if (ids[i] < MOVED && ids[i] != ++stable)
			return false;
	}
	return stable >= K - 4;
}

int main(void)
{
	uint64_t moved[] = { MOVED, MOVED + 1 }, ids[K], end, before;
	float query[D] = { }, distances[K];
	unsigned int searches = 0, wrong = 0, failed = 0, few = 0;
	uint32_t count = 0;
	struct vss_search search = {
		.count = 1, .dimension = D, .k = K, .queries = ADDRESS(query),
		.ids = ADDRESS(ids), .distances = ADDRESS(distances),
		.counts = ADDRESS(&count),
	};
	pthread_t mover;

	file = open_private(D, VSS_METRIC_L2SQ);
	fill(moved);
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && count == K &&
		is_right(ids, distances, count) && ids[1] == MOVED + 1,
		"rows near the query are found");
	pthread_create(&mover, NULL, move, moved);
	for (end = now_ns() + LONGEST; searches < SEARCHES && now_ns() < end;) {
		before = moves;
		failed += !!RUN(file, VSS_SEARCH, &search);
		if (moves == before)
			continue;
		searches++;
		few += count < K;
		wrong += !is_right(ids, distances, count);
	}
	ended = true;
	pthread_join(mover, NULL);
	printf("# %u searches, in which rows moved %llu times; %u found less than %d\n",
	       searches, (unsigned long long)moves, few, K);
	ktap_ok(searches > 0 && !failed, "searches go by while rows move");
	ktap_ok(!wrong, "none returns a row twice, or misses one that stays");
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && count == K &&
		is_right(ids, distances, count) &&
		collection_stat(file).count == BLOCKS * BLOCK_ROWS,
		"in the end all rows are there, once");
	close(file);
	return ktap_done();
}
