// SPDX-License-Identifier: MIT
/*
 * Failures while the driver starts, one after the other: each point fails at which
 * the kernel may lack memory. Then there is no driver, nor anything of it, or there is
 * a whole one; and in the end it can be inserted as ever. The points at which the
 * loader finds room for it are left alone: the kernel does not survive all of them.
 *
 * `insertion MODULE`
 *
 * machines: uml-debug
 * arguments: build/uml-debug/vss.ko
 */
#include <sys/klog.h>
#include <sys/syscall.h>

#include "aftermath.h"
#include "fail_nth.h"

/* Actions of klogctl(2). A panic is shown in any case. */
enum { READ_AND_CLEAR = 4, CONSOLE_OFF = 6, CONSOLE_ON = 7 };

#define MODULE "/sys/module/vss"
#define NODE "/sys/class/misc/vss"

static int remove_driver(void)
{
	return syscall(SYS_delete_module, "vss", O_NONBLOCK) ? errno : 0;
}

/* What the kernel's loader refuses when it has room for the driver. */
#define REFUSED "max_vectors=none"

/* Inserts it with the failure that is due; returns 0 or the errno. */
static int insert(int file, const char *parameters)
{
	int error;

	arm();
	error = syscall(SYS_finit_module, file, parameters, 0) ? errno : 0;
	disarm();
	return error;
}

/*
 * Whether the kernel has found a fault. For want of memory for a cache it shows where
 * it was wanted, too, which is none; so its log is read here, and not by the lab.
 */
static bool complains(void)
{
	static const char *const words[] = { "WARNING: ", "BUG: ", "possible " };
	static char text[1 << 18];
	int length = klogctl(READ_AND_CLEAR, text, sizeof(text) - 1);
	size_t i;

	if (length < 0)
		ktap_bail_out("cannot read the kernel's log");
	text[length] = '\0';
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(text, words[i])) {
			fputs(text, stderr);
			return true;
		}
	}
	return false;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static bool is_absent(void)
{
	return !exists(MODULE) && !exists(NODE) && !exists(DEVICE);
}

/*
 * The first point that is tried: after the loader has looked at parameters, and well
 * before the driver begins. There are a few more now and then, where the kernel's own
 * stock of memory comes to an end.
 */
static unsigned int first_point(int file)
{
	unsigned int i, most = 0;

	/* What is done once is done. */
	if (insert(file, "") || remove_driver())
		ktap_bail_out("cannot insert and remove the driver");
	fail_at = POINTS;
	for (i = 0; i < 5; i++) {
		if (insert(file, REFUSED) != EINVAL)
			ktap_bail_out("%s is not refused", REFUSED);
		most = passed > most ? passed : most;
	}
	fail_at = 0;
	return most + 20;
}

/* What came of all points. */
static struct tally {
	unsigned int points, out_of_memory, others, passed_over;
	unsigned int remains, broken, stuck, complaints;
	int other;
} tally;

/* Inserts it while point @n fails; returns whether it came to that. */
static bool sweep_point(int file, unsigned int n)
{
	bool came;
	int error;

	fail_at = n;
	error = insert(file, "");
	fail_at = 0;
	came = reached;
	tally.points += came;
	tally.complaints += complains();
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
	unsigned int n;
	int file;

	if (argc != 2)
		ktap_bail_out("usage: insertion MODULE");
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		ktap_bail_out("cannot open %s", argv[1]);
	prepare_faults();
	ktap_ok(!remove_driver() && is_absent(), "the driver can be removed");
	n = first_point(file);
	complains();
	klogctl(CONSOLE_OFF, NULL, 0);
	printf("# from point %u on\n", n);
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
	klogctl(CONSOLE_ON, NULL, 0);
	ktap_ok(!tally.complaints, "the kernel finds no fault: %u",
		tally.complaints);
	ktap_ok(!insert(file, "") && works(), "it can be inserted as ever");
	close(file);
	return ktap_done();
}
