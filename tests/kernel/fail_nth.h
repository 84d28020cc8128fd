/* SPDX-License-Identifier: MIT */
/*
 * Failures on demand, in kernels that have them: the n-th point at which the
 * kernel may lack memory, or a page of the caller's, fails in what this thread does
 * between arm() and disarm().
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "device.h"
#include "ktap.h"

#define FAULTS "/sys/kernel/debug/"

/* No call comes to as many points. */
#define POINTS 20000

/*
 * The point that fails in the next call, 0 for none; whether it came to it, and how
 * many points it came to before it.
 */
static unsigned int fail_at, passed;
static bool reached;
static int fail_nth;

/* Makes all points fail that can, and silently. */
static void prepare_faults(void)
{
	static const char *const files[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/cache-filter", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[80];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), FAULTS "%s", files[i][0]);
		if (file_write(path, files[i][1]))
			ktap_bail_out("cannot write %s", path);
	}
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		ktap_bail_out("this kernel makes nothing fail");
}

static void arm(void)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", fail_at);

	reached = false;
	if (fail_at && pwrite(fail_nth, text, length, 0) != length)
		ktap_bail_out("cannot ask for a failure");
}

/* Where the point is still to come, it may come in here, too. */
static void disarm(void)
{
	char text[16] = "";

	if (!fail_at)
		return;
	passed = fail_at;
	reached = false;
	if (pread(fail_nth, text, sizeof(text) - 1, 0) > 0) {
		reached = atoi(text) == 0;
		passed -= atoi(text);
	}
	if (pwrite(fail_nth, "0", 1, 0) != 1 && pwrite(fail_nth, "0", 1, 0) != 1)
		ktap_bail_out("cannot end a failure");
}

#endif /* FAIL_NTH_H */
