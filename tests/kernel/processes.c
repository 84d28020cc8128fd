// SPDX-License-Identifier: MIT
/*
 * Many processes at once. All components of row i are i, so the squared
 * distance of row i to the zero vector is DIMENSION * i * i: any other number
 * would be a torn row.
 */
#include <signal.h>

#include "device.h"
#include "fork.h"

#define DIMENSION 128
#define ROWS_EACH 800
#define ROWS (PROCESSES * ROWS_EACH)

/* Counted by all processes, in memory that they share. */
struct tally {
	atomic_uint failed_calls;
	atomic_uint torn_rows;
	atomic_uint unsorted_answers;
	atomic_uint hits;
};

static struct tally *tally;

static bool row_is_whole(uint32_t id, float distance)
{
	return distance == (float)DIMENSION * id * id;
}

static void check_answer(const struct vss_query_data *query)
{
	uint32_t i;

	for (i = 0; i < query->k; i++) {
		if (!row_is_whole(query->result_ids[i], query->distances[i]))
			tally->torn_rows++;
		if (i && query->distances[i - 1] > query->distances[i])
			tally->unsorted_answers++;
		tally->hits++;
	}
}

/* Adds its own rows, interleaved with the others', and queries meanwhile. */
static void add_and_query(int number)
{
	int device = device_open(O_RDWR);
	struct vss_query_data query;
	uint32_t i;

	for (i = 0; i < ROWS_EACH; i++) {
		uint32_t id = 1 + i * PROCESSES + number;

		if (device_add(device, id, DIMENSION, id))
			tally->failed_calls++;
		if (i % 16)
			continue;
		if (device_query(device, &query, 32, DIMENSION, 0))
			tally->failed_calls++;
		check_answer(&query);
	}
}

/* Adds one row, says so, and waits to be killed with the file still open. */
static void add_and_hang(int number)
{
	int device = device_open(O_RDWR);

	if (device_add(device, ROWS + 1 + number, DIMENSION, ROWS + 1 + number))
		tally->failed_calls++;
	atomic_fetch_add(&tally->hits, 1);
	for (;;)
		pause();
}

static void query_for_ever(int number)
{
	int device = device_open(O_RDONLY);
	struct vss_query_data query;

	(void)number;
	atomic_fetch_add(&tally->hits, 1);
	for (;;)
		device_query(device, &query, 32, DIMENSION, 0);
}

static void wait_for_hits(unsigned int hits)
{
	while (atomic_load(&tally->hits) < hits)
		usleep(1000);
}

static bool row_is_found(int device, uint32_t id)
{
	struct vss_query_data query;

	return !device_query(device, &query, 1, DIMENSION, id) && query.k == 1 &&
	       query.result_ids[0] == id && query.distances[0] == 0;
}

/*
 * Counts the rows that a query finds, by asking for 32 neighbours at a time: the
 * rows nearest to the place between ids 16 and 17 are those of ids 1 to 32.
 */
static uint32_t count_rows(int device)
{
	static bool found[ROWS + 1];
	struct vss_query_data query;
	uint32_t middle, i, count = 0;

	for (middle = 16; middle < ROWS; middle += 32) {
		device_query(device, &query, 32, DIMENSION, middle + 0.5f);
		for (i = 0; i < query.k; i++) {
			count += !found[query.result_ids[i]];
			found[query.result_ids[i]] = true;
		}
	}
	return count;
}

static void eight_at_once(int device)
{
	ktap_ok(run_all(add_and_query), "eight processes end by themselves");
	ktap_ok(!tally->failed_calls, "none of their calls fails");
	ktap_ok(tally->hits > 0 && !tally->torn_rows, "no query sees a torn row");
	ktap_ok(!tally->unsorted_answers, "every answer is sorted");
	ktap_ok(device_stats(device).count == ROWS, "every row is counted");
	ktap_ok(count_rows(device) == ROWS, "every row is found");
	ktap_ok(device_add(device, ROWS, DIMENSION, 0) == EEXIST,
		"a row of another process's has its id");
}

static void killed(int device)
{
	pid_t child;
	int status, i, ended = 0;
	pid_t children[PROCESSES];

	tally->hits = 0;
	child = start(add_and_hang, 0);
	wait_for_hits(1);
	ktap_ok(row_is_found(device, ROWS + 1), "a row is seen by another process");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ktap_ok(WIFSIGNALED(status) && row_is_found(device, ROWS + 1),
		"a row outlives the process that stored it");

	tally->hits = 0;
	for (i = 0; i < PROCESSES; i++)
		children[i] = start(query_for_ever, i);
	wait_for_hits(PROCESSES);
	for (i = 0; i < PROCESSES; i++)
		kill(children[i], SIGKILL);
	for (i = 0; i < PROCESSES; i++)
		ended += waitpid(children[i], &status, 0) > 0 && WIFSIGNALED(status);
	ktap_ok(ended == PROCESSES, "processes can be killed while they search");
	ktap_ok(!device_add(device, ROWS + 2, DIMENSION, ROWS + 2) &&
		row_is_found(device, ROWS + 2), "the store works on");
}

int main(void)
{
	int device = device_open(O_RDWR);

	tally = shared_memory(sizeof(*tally));
	if (device_stats(device).count)
		ktap_bail_out("the store is not empty");
	eight_at_once(device);
	killed(device);
	return ktap_done();
}
