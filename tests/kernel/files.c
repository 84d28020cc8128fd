// SPDX-License-Identifier: MIT
/*
 * As many open files as a process may have, and as the whole system may: the
 * device is refused like any other file, those that are open go on, and once one
 * is closed, the next can be opened.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include "aftermath.h"
#include "caches.h"
#include "fork.h"

#define MOST 500
#define D 16
#define FILES "/sys/class/misc/vss/files"
#define MAXIMUM "/proc/sys/fs/file-max"

static int files[MOST + 100];

/* Opens the device until that fails; returns how many files there are then. */
static int open_until_error(int count, int *error)
{
	for (*error = 0; count < MOST + 100; count++) {
		files[count] = open(DEVICE, O_RDWR | O_CLOEXEC);
		if (files[count] < 0) {
			*error = errno;
			break;
		}
	}
	return count;
}

/* Whether each is a file that works: all put rows into one collection. */
static bool all_work(int count)
{
	bool right = true;
	int i;

	for (i = 0; i < count; i++)
		right = right &&
			!bind_named(files[i], "files", VSS_OPEN_CREATE, D, 0600) &&
			!put_row(files[i], i + 1, D, i + 1);
	for (i = 0; i < count; i++)
		right = right && nearest_row(files[i], count - i, D) ==
				 (uint64_t)(count - i);
	return right && collection_stat(files[0]).count == (uint64_t)count;
}

static void close_all(int count)
{
	while (count--)
		close(files[count]);
	drop_all();
}

/* Goes to a limit, and there once more. */
static void reach(int limit, int expected)
{
	const char *name = expected == EMFILE ? "EMFILE" : "ENFILE";
	struct vss_list_record record = { };
	struct vss_list list = { .count = 1, .record_size = sizeof(record),
				 .records = ADDRESS(&record) };
	int error, half, count = open_until_error(0, &error);

	printf("# %d files, then errno %d\n", count, error);
	if (!ktap_ok(error == expected && count > 10 && count <= limit,
		     "as many files as there may be, then %s", name))
		return close_all(count);
	ktap_ok(all_work(count), "each of them works");
	ktap_ok(!RUN(files[0], VSS_LIST, &list) && list.done == 1 &&
		record.count == (uint64_t)count, "all have one collection");
	for (half = count; half > count / 2; half--)
		close(files[half - 1]);
	count = open_until_error(half, &error);
	ktap_ok(error == expected && count > half,
		"some are closed, and others opened, until %s", name);
	ktap_ok(nearest_row(files[0], 7, D) == 7, "the first of all goes on");
	close_all(count);
}

static void of_a_process(void)
{
	struct rlimit before, limit;

	getrlimit(RLIMIT_NOFILE, &before);
	limit = (struct rlimit) { MOST, before.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &limit))
		ktap_bail_out("cannot set a limit");
	reach(MOST, EMFILE);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* The system's limit does not hold for who may administer it. */
static void give_up_administration(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets))
		ktap_bail_out("cannot read capabilities");
	sets[0].effective &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, sets))
		ktap_bail_out("cannot give a capability up");
}

static void regain_administration(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	syscall(SYS_capget, &header, sets);
	sets[0].effective = sets[0].permitted;
	if (syscall(SYS_capset, &header, sets))
		ktap_bail_out("cannot take a capability back");
}

static void of_the_system(void)
{
	unsigned long long before = file_number(MAXIMUM);
	char text[32];

	/* What others hold is counted roughly, by processors. */
	snprintf(text, sizeof(text), "%llu", file_number("/proc/sys/fs/file-nr") +
					     MOST / 2);
	if (file_write(MAXIMUM, text))
		ktap_bail_out("cannot set the system's limit");
	give_up_administration();
	reach(MOST, ENFILE);
	regain_administration();
	snprintf(text, sizeof(text), "%llu", before);
	file_write(MAXIMUM, text);
}

int main(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	of_a_process();
	of_the_system();
	ktap_ok(file_number(FILES) == 0, "no file is left open");
	ktap_ok(nothing_is_left(), "nor any memory");
	ktap_ok(works(), "rows are put, found and deleted as before");
	return ktap_done();
}
