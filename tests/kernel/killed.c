// SPDX-License-Identifier: MIT
/*
 * A caller that is killed in the middle of its greatest call. The struct lies
 * in memory that this process shares with it, so that its last words are read.
 */
#include <signal.h>
#include <stdio.h>

#include "collections.h"
#include "fork.h"

#define NAME "killed"
#define DIMENSION 256
#define MIB 1048576ULL

static struct shared {
	struct vss_put put;
	struct vss_search search;
	atomic_bool begun;
} *shared;

static uint64_t *ids;
static float *vectors;
static int device;

static void put_all(int number)
{
	(void)number;
	atomic_store(&shared->begun, true);
	device_call(device, VSS_PUT, &shared->put);
}

static void search_all(int number)
{
	(void)number;
	atomic_store(&shared->begun, true);
	device_call(device, VSS_SEARCH, &shared->search);
}

/* Kills a process some time after it began; returns whether it died of that. */
static bool kill_after(void (*run)(int number), unsigned int microseconds)
{
	pid_t child;
	int status;

	atomic_store(&shared->begun, false);
	child = start(run, 0);
	while (!atomic_load(&shared->begun))
		usleep(100);
	usleep(microseconds);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status);
}

/* Rows are in until the one at which the call was stopped, and no other. */
static void killed_put(void)
{
	struct vss_clear clear = { 0 };
	unsigned int wait = 20000, tries;
	uint64_t stored;

	shared->put = (struct vss_put){
		.size = sizeof(struct vss_put), .flags = VSS_PUT_UPSERT,
		.count = VSS_MAX_ROWS, .dimension = DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
	};
	/* Until the blow falls while the call works. */
	for (tries = 0; tries < 12; tries++, wait = wait * 2 / 3) {
		shared->put.status = 12345;
		RUN(device, VSS_CLEAR, &clear);
		kill_after(put_all, wait);
		if (shared->put.status == -EINTR && shared->put.done)
			break;
	}
	stored = collection_stat(device).count;
	printf("# killed after %u us with %u rows in\n", wait, shared->put.done);
	ktap_ok(shared->put.status == -EINTR,
		"a put of 64 MiB that is killed ends with EINTR");
	ktap_ok(shared->put.done > 0 && shared->put.done < VSS_MAX_ROWS &&
		shared->put.done == stored,
		"its struct tells how many rows are in, and so many are");
}

static void killed_search(void)
{
	static float queries[512][DIMENSION];
	uint64_t *hit_ids = shared_memory(512 * 8);
	float *distances = shared_memory(512 * 4);
	uint32_t *counts = shared_memory(512 * 4);
	struct vss_stat before;

	shared->search = (struct vss_search){
		.size = sizeof(struct vss_search), .status = 12345, .count = 512,
		.dimension = DIMENSION, .k = 1, .queries = ADDRESS(queries),
		.ids = ADDRESS(hit_ids), .distances = ADDRESS(distances),
		.counts = ADDRESS(counts),
	};
	RUN(device, VSS_PUT, &shared->put);
	before = collection_stat(device);
	kill_after(search_all, 20000);
	ktap_ok(shared->search.status == -EINTR && shared->search.done < 512,
		"a batch of searches that is killed ends with EINTR");
	ktap_ok(collection_stat(device).count == before.count &&
		collection_stat(device).queries - before.queries ==
		shared->search.done,
		"the queries before it are answered and counted");
}

/*
 * A put of 64 MiB into a store that has room for 4 MiB: were it copied at once,
 * the machine would have to find the rest.
 */
static void bounded_memory(void)
{
	struct vss_clear clear = { 0 };
	unsigned long long least, before;

	RUN(device, VSS_CLEAR, &clear);
	set_parameter("max_bytes", driver_info(device).bytes + 4 * MIB);
	before = least = memory_number("MemAvailable");
	shared->begun = false;
	if (!start(put_all, 0))
		_exit(0);
	while (waitpid(-1, NULL, WNOHANG) == 0) {
		unsigned long long now = memory_number("MemAvailable");

		least = now < least ? now : least;
	}
	set_parameter("max_bytes", 0);
	printf("# %llu KiB less were available meanwhile\n", (before - least) / 1024);
	ktap_ok(shared->put.status == -EDQUOT && before - least < 32 * MIB,
		"a put of 64 MiB never takes 64 MiB beside the store");
}

int main(void)
{
	uint32_t i;

	shared = shared_memory(sizeof(*shared));
	ids = shared_memory(VSS_MAX_ROWS * sizeof(*ids));
	vectors = shared_memory((size_t)VSS_MAX_ROWS * DIMENSION * sizeof(*vectors));
	for (i = 0; i < VSS_MAX_ROWS; i++) {
		ids[i] = i;
		vectors[(size_t)i * DIMENSION] = i;
	}
	device = device_open(O_RDWR);
	if (bind_named(device, NAME, VSS_OPEN_CREATE, DIMENSION, 0600))
		ktap_bail_out("cannot make the collection");
	killed_put();
	killed_search();
	bounded_memory();
	return ktap_done();
}
