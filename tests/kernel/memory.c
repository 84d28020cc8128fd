// SPDX-License-Identifier: MIT
/*
 * Whose memory rows are, and where it goes: the driver's own cap, the control
 * group of the process that adds, and the module's unloading.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define DIMENSION 128
#define MIB 1048576ULL
#define GROUP "/sys/fs/cgroup/vss-test/"
#define THROTTLED "/sys/fs/cgroup/vss-throttled/"

/* Adds rows until a call fails; returns its errno. */
static int add_until_error(int device, uint32_t *id)
{
	int error;

	while (!(error = device_add(device, *id, DIMENSION, *id)))
		++*id;
	return error;
}

static void driver_cap(int device, uint32_t *id)
{
	struct vss_stats stats;

	set_parameter("max_bytes", 4 * BLOCK_BYTES + INDEX_ROOM);
	ktap_ok(add_until_error(device, id) == EDQUOT, "rows past max_bytes: EDQUOT");
	stats = device_stats(device);
	ktap_ok(stats.bytes > 4 * BLOCK_BYTES &&
		stats.bytes <= 4 * BLOCK_BYTES + INDEX_ROOM &&
		stats.count == 4 * BLOCK_ROWS,
		"the rows take all that max_bytes allows");
	ktap_ok(file_number("/sys/class/misc/vss/bytes") == stats.bytes,
		"sysfs tells the same bytes as the stats");
	set_parameter("max_bytes", 0);
	ktap_ok(!device_add(device, *id, DIMENSION, *id),
		"rows can be added again once max_bytes is raised");
	++*id;
}

/* Runs in a control group of its own; returns whether all went as it should. */
static bool add_in_group(uint32_t id)
{
	int device = device_open(O_RDWR);
	unsigned long long before = device_stats(device).bytes;
	unsigned long long blocks, charged;

	if (file_write(GROUP "cgroup.procs", "0"))
		ktap_bail_out("cannot enter the control group");
	while (device_stats(device).bytes < before + 8 * BLOCK_BYTES)
		if (device_add(device, id, DIMENSION, id) || !++id)
			return false;
	blocks = (device_stats(device).bytes - before) / BLOCK_BYTES;
	charged = file_number(GROUP "memory.current");
	return charged >= blocks * BLOCK_BYTES &&
	       charged < blocks * BLOCK_BYTES + 4 * MIB;
}

static bool child_succeeds(bool (*run)(uint32_t id), uint32_t id)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child)
		_exit(run(id) ? 0 : 1);
	return waitpid(child, &status, 0) == child && !status;
}

static bool fill_group(uint32_t id)
{
	int device = device_open(O_RDWR);

	if (file_write(GROUP "cgroup.procs", "0"))
		ktap_bail_out("cannot enter the control group");
	return add_until_error(device, &id) == ENOMEM;
}

static void control_group(int device)
{
	unsigned long long count;

	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		ktap_bail_out("cannot make a control group");
	ktap_ok(child_succeeds(add_in_group, 10000000),
		"the control group of the process that adds is charged");
	ktap_ok(file_number(GROUP "memory.current") >= 8 * BLOCK_BYTES,
		"the charge outlives the process");
	count = device_stats(device).count;
	file_write(GROUP "memory.max", "67108864");
	ktap_ok(child_succeeds(fill_group, 20000000),
		"rows past the control group's limit: ENOMEM, and nobody is killed");
	ktap_ok(device_stats(device).count > count,
		"the rows up to the limit are stored");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/* Adds rows for four seconds at most; returns how long the slowest took. */
static double slowest_add(int device, uint32_t *id)
{
	double end = seconds() + 4, slowest = 0, begin, took;
	uint32_t last = *id + 250000;

	while ((begin = seconds()) < end && *id < last) {
		if (device_add(device, *id, DIMENSION, *id))
			ktap_bail_out("cannot add row %u", *id);
		++*id;
		took = seconds() - begin;
		if (took > slowest)
			slowest = took;
	}
	return slowest;
}

/* How often the group was throttled: the line "high N" of its events. */
static unsigned long long throttlings(void)
{
	FILE *file = fopen(THROTTLED "memory.events", "re");
	unsigned long long count = 0;
	char line[80];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "high %llu", &count);
	if (file)
		fclose(file);
	return count;
}

/*
 * The kernel makes a process sleep for up to two seconds when it takes memory
 * past its group's memory.high: that must be at its own expense. A busy machine
 * may delay any call too, so one quiet round of three is enough.
 */
static void throttled_group(int device)
{
	uint32_t mine = 30000000, id = 40000000;
	double slowest = 10;
	pid_t child;
	int round;

	if (mkdir(THROTTLED, 0755) || file_write(THROTTLED "memory.high", "1048576"))
		ktap_bail_out("cannot make a control group");
	child = fork();
	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child) {
		if (file_write(THROTTLED "cgroup.procs", "0"))
			_exit(1);
		for (;; id++)
			device_add(device, id, DIMENSION, id);
	}
	for (round = 0; round < 3 && slowest > 1; round++)
		slowest = slowest_add(device, &mine);
	printf("# the slowest add beside a throttled process took %.0f ms\n", slowest * 1e3);
	ktap_ok(slowest < 1, "a process that is throttled for its memory stalls no other");
	ktap_ok(throttlings() > 0, "it was throttled meanwhile");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void unloading(int device)
{
	long unloaded;
	int retries = 100;

	unloaded = syscall(SYS_delete_module, "vss", O_NONBLOCK);
	ktap_ok(unloaded && (errno == EWOULDBLOCK || errno == EBUSY),
		"the module cannot be unloaded while the device is open");
	ktap_ok(device_stats(device).count > 0, "the rows are still there");
	close(device);
	ktap_ok(!syscall(SYS_delete_module, "vss", O_NONBLOCK),
		"the module can be unloaded with rows stored");
	ktap_ok(access(DEVICE, F_OK) && access("/sys/module/vss", F_OK),
		"nothing of it is left in /dev and /sys");
	/* Pages of a dead group are uncharged a little later. */
	while (file_number(GROUP "memory.current") > MIB && retries--)
		usleep(20000);
	ktap_ok(file_number(GROUP "memory.current") <= MIB,
		"unloading gives all memory back");
}

int main(void)
{
	int device = device_open(O_RDWR);
	uint32_t id = 1;

	if (device_stats(device).count)
		ktap_bail_out("the store is not empty");
	driver_cap(device, &id);
	control_group(device);
	throttled_group(device);
	unloading(device);
	return ktap_done();
}
