// SPDX-License-Identifier: MIT
/*
 * Failures while the driver is inserted, one after the other: each point fails at
 * which the kernel may lack memory. Then there is no driver, nor anything of it, or
 * there is a whole one; and in the end it can be inserted as ever.
 *
 * `insertion MODULE`
 *
 * machines: uml-debug
 * arguments: build/uml-debug/vss.ko
 */
#include <sys/syscall.h>

#include "caches.h"
#include "fail_nth.h"

#define MODULE "/sys/module/vss"
#define NODE "/sys/class/misc/vss"

static int remove_driver(void)
{
	return syscall(SYS_delete_module, "vss", O_NONBLOCK) ? errno : 0;
}

/* Inserts it with the failure that is due; returns 0 or the errno. */
static int insert(int file)
{
	int error;

	arm();
	error = syscall(SYS_finit_module, file, "", 0) ? errno : 0;
	disarm();
	return error;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static bool is_absent(void)
{
	return !exists(MODULE) && !exists(NODE) && !exists(DEVICE);
}

/* A row goes in, and is found. */
static bool works(void)
{
	int file = open(DEVICE, O_RDWR | O_CLOEXEC);
	bool found;

	if (file < 0)
		return false;
	found = !bind_private(file, 16, VSS_METRIC_L2SQ) &&
		!put_row(file, 7, 16, 1) && nearest_row(file, 1, 16) == 7;
	close(file);
	return found;
}

/* What came of all points. */
static struct tally {
	unsigned int points, out_of_memory, others, passed_over;
	unsigned int remains, broken, stuck;
	int other;
} tally;

/* Inserts it while point @n fails; returns whether it came to that. */
static bool sweep_point(int file, unsigned int n)
{
	bool came;
	int error;

	fail_at = n;
	error = insert(file);
	fail_at = 0;
	came = reached;
	tally.points += came;
	if (error) {
		tally.out_of_memory += error == ENOMEM;
		tally.remains += !is_absent();
		if (error != ENOMEM) {
			tally.others++;
			tally.other = error;
		}
		return came;
	}
	tally.passed_over += came;
	tally.broken += !works();
	tally.stuck += remove_driver() != 0;
	return came;
}

int main(int argc, char **argv)
{
	unsigned int n = 1;
	int file;

	if (argc != 2)
		ktap_bail_out("usage: insertion MODULE");
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		ktap_bail_out("cannot open %s", argv[1]);
	prepare_faults();
	ktap_ok(!remove_driver() && is_absent(), "the driver can be removed");
	while (n < POINTS && sweep_point(file, n))
		n++;
	printf("# %u points: %u ENOMEM, %u passed over\n", tally.points,
	       tally.out_of_memory, tally.passed_over);
	ktap_ok(tally.points >= 30 && n < POINTS,
		"there are points to fail at, and an end of them");
	ktap_ok(!tally.others, "nothing fails for another reason: %u, errno %d",
		tally.others, tally.other);
	ktap_ok(!tally.remains, "nothing remains of a driver that fails: %u",
		tally.remains);
	ktap_ok(!tally.broken && !tally.stuck,
		"one that is there works, and can be removed: %u, %u",
		tally.broken, tally.stuck);
	ktap_ok(!insert(file) && works(), "it can be inserted as ever");
	close(file);
	return ktap_done();
}
