// SPDX-License-Identifier: MIT
/*
 * Many processes that want the same thing at the same moment: to add the first
 * row of all, and to use the last memory that the driver may take. None may be
 * refused what is there.
 */
#include "device.h"
#include "fork.h"

#define DIMENSION 128
#define BLOCKS 3

/* Counted by all processes, in memory that they share. */
struct tally {
	atomic_uint ready;
	atomic_uint refused_first_rows;
	atomic_uint other_errors;
};

static struct tally *tally;

/* Waits for the other processes, so that all go on at the same time. */
static void wait_for_all(void)
{
	atomic_fetch_add(&tally->ready, 1);
	while (atomic_load(&tally->ready) < PROCESSES)
		;
}

static void add_until_full(int number)
{
	int device = device_open(O_RDWR);
	uint32_t id = number;
	int error;

	wait_for_all();
	if (device_add(device, id, DIMENSION, id))
		tally->refused_first_rows++;
	do {
		id += PROCESSES;
		error = device_add(device, id, DIMENSION, id);
	} while (!error);
	if (error != EDQUOT)
		tally->other_errors++;
}

int main(void)
{
	int device = device_open(O_RDWR);
	struct vss_stats stats;

	tally = shared_memory(sizeof(*tally));
	set_parameter("max_bytes", BLOCKS * BLOCK_BYTES + INDEX_ROOM);
	ktap_ok(run_all(add_until_full), "eight processes add until the memory is used up");
	ktap_ok(!tally->refused_first_rows, "each of eight first rows at once is stored");
	ktap_ok(!tally->other_errors, "each process ends with EDQUOT");
	stats = device_stats(device);
	ktap_ok(stats.count == BLOCKS * BLOCK_ROWS && stats.adds == stats.count,
		"no process is refused before the last slot is taken");
	ktap_ok(stats.bytes > BLOCKS * BLOCK_BYTES &&
		stats.bytes <= BLOCKS * BLOCK_BYTES + INDEX_ROOM,
		"the driver takes no more than it may");
	ktap_ok(file_number("/sys/class/misc/vss/collections") == 1,
		"one collection comes of it");
	return ktap_done();
}
