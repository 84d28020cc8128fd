// SPDX-License-Identifier: MIT
/*
 * The driver, called from C. `driver no-codes` keeps no codes of the rows, where the driver can do
 * without them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vss.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "worker.h"

#define SEARCH_CPUS "/sys/module/vss/parameters/search_cpus"

static int device = -1;
static size_t dimension;
static unsigned int open_flags = VSS_OPEN_PRIVATE;

static void call(unsigned long number, void *argument, const char *name)
{
	if (ioctl(device, number, argument))
		worker_fail(name);
}

static void begin(size_t rows, size_t components)
{
	struct vss_open opened = {
		.size = sizeof(opened), .flags = open_flags, .dimension = components,
		.capacity = rows,
	};

	dimension = components;
	device = open("/dev/vss", O_RDWR | O_CLOEXEC);
	if (device < 0)
		worker_fail("/dev/vss");
	call(VSS_OPEN, &opened, "VSS_OPEN");
}

static void insert(size_t first, size_t count, const float *rows)
{
	uint64_t ids[WORKER_ROWS];
	struct vss_put put = {
		.size = sizeof(put), .count = count, .dimension = dimension,
		.ids = (uintptr_t)ids, .vectors = (uintptr_t)rows,
	};

	for (size_t i = 0; i < count; i++)
		ids[i] = first + i;
	call(VSS_PUT, &put, "VSS_PUT");
}

static size_t bytes(void)
{
	struct vss_stat stat = { .size = sizeof(stat) };

	call(VSS_STAT, &stat, "VSS_STAT");
	return stat.bytes;
}

/* This process and the driver's helpers for it may use the last processors, as many as that. */
static void use_processors(int wanted)
{
	int last = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < wanted && i <= last; i++)
		CPU_SET(last - i, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		worker_fail("sched_setaffinity");
}

/* A driver without the parameter searches with one. */
static int threads(int wanted)
{
	FILE *parameter = fopen(SEARCH_CPUS, "w");

	if (!parameter)
		return 1;
	fprintf(parameter, "%d\n", wanted);
	if (fclose(parameter))
		worker_fail(SEARCH_CPUS);
	use_processors(wanted);
	return wanted;
}

static void search(const float *queries, size_t count, uint64_t *ids)
{
	static float distances[WORKER_QUERIES * WORKER_K];
	static uint32_t counts[WORKER_QUERIES];
	struct vss_search search = {
		.size = sizeof(search), .count = count, .dimension = dimension, .k = WORKER_K,
		.queries = (uintptr_t)queries, .ids = (uintptr_t)ids,
		.distances = (uintptr_t)distances, .counts = (uintptr_t)counts,
	};

	call(VSS_SEARCH, &search, "VSS_SEARCH");
}

static void drop(void)
{
	close(device);
	device = -1;
}

/* The driver's release, and the instruction set that it uses. */
static const char *version(void)
{
	static char text[VSS_RELEASE_BYTES + VSS_SIMD_BYTES + 4];
	struct vss_info info = { .size = sizeof(info) };
	int file = open("/dev/vss", O_RDONLY | O_CLOEXEC);

	if (file < 0 || ioctl(file, VSS_INFO, &info)) {
		perror("/dev/vss");
		exit(1);
	}
	close(file);
	snprintf(text, sizeof(text), "%.*s, %.*s", VSS_RELEASE_BYTES, info.release, VSS_SIMD_BYTES,
		 info.simd);
	return text;
}

int main(int count, char **words)
{
	const struct contestant self = {
		.version = version(), .begin = begin, .insert = insert, .bytes = bytes,
		.threads = threads, .shares_a_query = 1, .search = search, .drop = drop,
	};

	if (count > 1 && !strcmp(words[1], "no-codes"))
		open_flags |= VSS_OPEN_NO_CODES;
	return worker_run(&self);
}
