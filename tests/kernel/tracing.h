/* SPDX-License-Identifier: MIT */
/*
 * The driver's tracepoints, through tracefs.
 */
#ifndef TRACING_H
#define TRACING_H

#include <sys/mount.h>

#include "device.h"

#define TRACING "/sys/kernel/tracing/"

/*
 * Mounts tracefs. Tasks' names are not recorded: for them the kernel would change
 * the scheduler's code while all processors run it, which an emulated machine
 * does not always survive.
 */
static void tracing_prepare(void)
{
	if (access(TRACING "trace", F_OK) &&
	    mount("tracefs", TRACING, "tracefs", 0, NULL))
		ktap_bail_out("cannot mount tracefs");
	if (file_write(TRACING "options/record-cmd", "0"))
		ktap_bail_out("cannot leave out names");
}

/* Turns all of the driver's tracepoints on or off. */
static void tracing_switch(bool on)
{
	if (file_write(TRACING "events/vss/enable", on ? "1" : "0"))
		ktap_bail_out("cannot turn the tracepoints on or off");
}

#endif /* TRACING_H */
