/* SPDX-License-Identifier: MIT */
/*
 * Test results in KTAP, the kernel's own form of TAP. A test program calls
 * ktap_ok() once for each statement that it checks, and ends with
 * `return ktap_done();`.
 */
#ifndef KTAP_H
#define KTAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ktap_count;
static int ktap_failed;

/* Reports one statement; returns whether it held. */
__attribute__((format(printf, 2, 3), unused))
static bool ktap_ok(bool held, const char *statement, ...)
{
	va_list arguments;

	if (!ktap_count)
		printf("KTAP version 1\n");
	printf("%s %d - ", held ? "ok" : "not ok", ++ktap_count);
	va_start(arguments, statement);
	vprintf(statement, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	if (!held)
		ktap_failed++;
	return held;
}

/* Reports one statement that this machine cannot show, and why. */
__attribute__((unused))
static void ktap_skip(const char *statement, const char *reason)
{
	if (!ktap_count)
		printf("KTAP version 1\n");
	printf("ok %d - %s # SKIP %s\n", ++ktap_count, statement, reason);
	fflush(stdout);
}

/* Ends the program where going on makes no sense. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void ktap_bail_out(const char *reason, ...)
{
	va_list arguments;
	int error = errno;

	printf("Bail out! ");
	va_start(arguments, reason);
	vprintf(reason, arguments);
	va_end(arguments);
	printf(" (errno %d, %s)\n", error, strerror(error));
	exit(1);
}

/* Prints the plan; returns the program's exit status. */
__attribute__((unused))
static int ktap_done(void)
{
	printf("1..%d\n", ktap_count);
	return ktap_failed ? 1 : 0;
}

#endif /* KTAP_H */
