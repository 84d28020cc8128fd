// SPDX-License-Identifier: MIT
/*
 * Memory that others want: collections that evict give it back, others keep every
 * row, and nobody is killed; by the whole machine's need, and by a control
 * group's.
 *
 * Its arguments are how many rows are looked for in what is left, and how many times
 * as long as its last search the reader rests: where the processor is emulated, a
 * search takes seconds, and keeps those who put rows waiting all the while.
 *
 * arguments: 10 4
 * arguments on uml: 50 0
 * arguments on uml-debug: 50 0
 * memory: 512M
 */
#include <signal.h>
#include <sys/stat.h>

#include "caches.h"
#include "fork.h"

/* Long rows, and without codes: it is about memory, and a machine may be slow. */
#define D 1024
#define ROW_BYTES (D * 4 + 33)
#define MIB (1ULL << 20)
#define GROUP "/sys/fs/cgroup/vss-pressure/"
#define STEP 500
#define ASKERS 8

static uint64_t samples = 50, rest;

/* A line "name N" of a file of the kernel's. */
static unsigned long long file_line(const char *path, const char *name)
{
	unsigned long long value = 0;
	FILE *file = fopen(path, "re");
	char line[120];
	size_t length = strlen(name);

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ' ')
			value = strtoull(line + length, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static unsigned long long kills(void)
{
	return file_line("/proc/vmstat", "oom_kill");
}

/* Allocates and writes memory; ends well if nobody minds. */
static void take_memory(int mib)
{
	char *memory = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (memory == MAP_FAILED)
		_exit(1);
	for (i = 0; i < mib * MIB; i += 4096)
		memory[i] = 1;
	usleep(300000);
}

static bool ends_well(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && !status;
}

static int open_big(uint32_t eviction)
{
	return open_cache_with(VSS_OPEN_NO_CODES, D, eviction, 0, 0, 0);
}

/* Puts rows until so many bytes of them were put, or one fails. */
static int fill(int file, uint64_t *id, uint64_t bytes)
{
	uint64_t last = *id + bytes / ROW_BYTES;
	int error = 0;

	for (; !error && *id < last; *id += STEP)
		error = put_rows(file, *id, STEP, D);
	return error;
}

/* Whether searches find those of some rows that are there, and no others. */
static bool is_right(int file, uint64_t last)
{
	uint64_t i, found = 0;

	/* From the newest on: whatever went, that is there. */
	for (i = 0; i < samples; i++) {
		uint64_t id = last - 1 - i * (last - 1) / samples;
		bool there = has_row(file, id, D);
		uint64_t nearest = nearest_row(file, id, D);

		/* It may go in between. */
		if (there != (nearest == id) && has_row(file, id, D) == there)
			return false;
		found += there;
	}
	return found > 0;
}

/* Searches until it is killed, in a process of its own that gives way to others. */
static void search_on(int file)
{
	uint64_t began;

	if (nice(10) < 0)
		_exit(1);
	for (;;) {
		began = now_ns();
		nearest_row(file, 77, D);
		usleep((now_ns() - began) / 1000 * rest);
	}
}

static void cache(const char *name, uint32_t eviction)
{
	int file = open_big(eviction);
	unsigned long long before = kills();
	uint64_t id = 1, began = now_ns();
	struct vss_stat full, stat;
	pid_t reader;

	set_parameter("max_bytes", 4096 * MIB);
	reader = start(search_on, file);
	ktap_ok(!fill(file, &id, 600 * MIB),
		"%s: 600 MiB of rows are put where there are 512 MiB", name);
	full = collection_stat(file);
	printf("# %llu of %llu rows are there, %llu MiB, after %.1f s\n",
	       (unsigned long long)full.count, (unsigned long long)full.inserts,
	       (unsigned long long)(full.bytes / MIB), (now_ns() - began) * 1e-9);
	ktap_ok(full.pressure_evictions + full.evictions > 0 && full.count > 0 &&
		adds_up(&full), "%s: rows made room, and are counted", name);
	ktap_ok(ends_well(start(take_memory, 300)),
		"%s: another process gets 300 MiB", name);
	stat = collection_stat(file);
	printf("# %llu rows are left, %llu MiB; %llu went by pressure\n",
	       (unsigned long long)stat.count,
	       (unsigned long long)(stat.bytes / MIB),
	       (unsigned long long)stat.pressure_evictions);
	ktap_ok(stat.pressure_evictions > full.pressure_evictions &&
		stat.bytes < full.bytes && adds_up(&stat),
		"%s: the collection gave it back, and counts it", name);
	ktap_ok(kills() == before, "%s: nobody was killed", name);
	fill(file, &id, 8 * MIB);
	ktap_ok(is_right(file, id), "%s: searches are right for what is left", name);
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	set_parameter("max_bytes", 0);
	close(file);
}

static void store(void)
{
	/* Its own limit is far beyond what there is: the driver's is what counts. */
	int file = open_cache_with(VSS_OPEN_NO_CODES, D, VSS_EVICTION_NONE, 0,
				   1ULL << 50, 0);
	unsigned long long before = kills();
	struct vss_stat stat;
	uint64_t id = 1;
	int error;

	error = fill(file, &id, 600 * MIB);
	ktap_ok(error == ENOMEM || error == EDQUOT,
		"none: puts are refused with %s", error == ENOMEM ? "ENOMEM" : "EDQUOT");
	ktap_ok(ends_well(start(take_memory, 64)), "none: another process gets memory");
	stat = collection_stat(file);
	ktap_ok(stat.count == stat.inserts && !stat.pressure_evictions &&
		stat.count > 100 * MIB / ROW_BYTES &&
		is_right(file, stat.count), "none: every row is there");
	ktap_ok(!system("true") && kills() == before,
		"none: the machine is usable, and nobody was killed");
	close(file);
}

static void enter_group(void)
{
	if (file_write(GROUP "cgroup.procs", "0"))
		_exit(2);
}

static struct vss_stat *told;

static void cache_in_group(int eviction)
{
	int file;
	uint64_t id = 1;

	enter_group();
	file = open_big(eviction);
	if (fill(file, &id, 200 * MIB))
		_exit(3);
	told[0] = collection_stat(file);
	/* Its own memory, too, is more than is left. */
	take_memory(40);
	told[1] = collection_stat(file);
	if (fill(file, &id, 8 * MIB) || !is_right(file, id))
		_exit(4);
}

/* Asks the kernel for a page of the group's, some times. */
static void ask_for_a_page(int unused)
{
	int i;

	(void)unused;
	for (i = 0; i < 5; i++)
		file_write(GROUP "memory.reclaim", "4096");
}

/*
 * Several processes at once ask for little of a group that has room by now: its
 * cache is to give a block now and then, and not to go as a whole.
 */
static void ask_in_group(int eviction)
{
	uint64_t id = 1;
	int i, file;

	enter_group();
	file = open_big(eviction);
	if (fill(file, &id, 200 * MIB) ||
	    file_write(GROUP "memory.max", "134217728"))
		_exit(3);
	told[0] = collection_stat(file);
	for (i = 0; i < ASKERS; i++)
		start(ask_for_a_page, i);
	while (wait(NULL) > 0)
		;
	told[1] = collection_stat(file);
}

static void store_in_group(int unused)
{
	uint64_t id = 1;
	int file;

	(void)unused;
	enter_group();
	file = open_big(VSS_EVICTION_NONE);
	if (fill(file, &id, 200 * MIB) != ENOMEM)
		_exit(3);
	told[0] = collection_stat(file);
	if (!is_right(file, told[0].count))
		_exit(4);
}

static void make_group(void)
{
	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) || file_write(GROUP "memory.max", "67108864"))
		ktap_bail_out("cannot make a control group");
}

static void in_group(void)
{
	unsigned long long before = kills();
	uint32_t eviction;

	told = shared_memory(2 * sizeof(*told));
	for (eviction = VSS_EVICTION_FIFO; eviction <= VSS_EVICTION_LRU; eviction++) {
		const char *name = eviction == VSS_EVICTION_LRU ? "lru" : "fifo";

		make_group();
		ktap_ok(ends_well(start(cache_in_group, eviction)),
			"%s: a group of 64 MiB puts 200 MiB, and takes 40 MiB", name);
		printf("# %llu MiB were there, %llu MiB were left\n",
		       (unsigned long long)(told[0].bytes / MIB),
		       (unsigned long long)(told[1].bytes / MIB));
		ktap_ok(told[0].pressure_evictions + told[0].evictions > 0 &&
			told[1].pressure_evictions > 0 && told[0].count > 0 &&
			adds_up(&told[0]) && adds_up(&told[1]),
			"%s: the group's collection shrinks, and counts it", name);
		ktap_ok(!file_line(GROUP "memory.events", "oom_kill") &&
			kills() == before, "%s: nobody in the group was killed", name);
		rmdir(GROUP);
	}
	make_group();
	ktap_ok(ends_well(start(ask_in_group, VSS_EVICTION_FIFO)),
		"%d processes ask for a page of a group that has room", ASKERS);
	printf("# %llu MiB were there, %llu MiB were left\n",
	       (unsigned long long)(told[0].bytes / MIB),
	       (unsigned long long)(told[1].bytes / MIB));
	ktap_ok(told[1].bytes >= told[0].bytes / 2,
		"the group's collection gives a little, and not all");
	rmdir(GROUP);
	make_group();
	ktap_ok(ends_well(start(store_in_group, 0)),
		"none: in a group of 64 MiB, ENOMEM");
	ktap_ok(told[0].count == told[0].inserts &&
		told[0].count > 32 * MIB / ROW_BYTES,
		"none: every row is there");
	ktap_ok(!file_line(GROUP "memory.events", "oom_kill") && kills() == before,
		"none: nobody in the group was killed");
}

int main(int argc, char **argv)
{
	int device = device_open(O_RDWR);
	uint64_t bytes = driver_info(device).bytes;

	if (argc > 2) {
		samples = strtoull(argv[1], NULL, 10);
		rest = strtoull(argv[2], NULL, 10);
	}
	cache("fifo", VSS_EVICTION_FIFO);
	cache("lru", VSS_EVICTION_LRU);
	store();
	in_group();
	ktap_ok(driver_info(device).bytes == bytes, "all memory is given back");
	return ktap_done();
}
