/* SPDX-License-Identifier: MIT */
/*
 * Test programs of several processes, which count in memory that they share.
 */
#ifndef FORK_H
#define FORK_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define PROCESSES 8

/* Zeroed memory that this process shares with those it starts. */
__attribute__((unused))
static void *shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		ktap_bail_out("cannot map memory");
	return memory;
}

/* Starts a process that calls @run and ends. */
__attribute__((unused))
static pid_t start(void (*run)(int number), int number)
{
	pid_t child = fork();

	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child) {
		run(number);
		_exit(0);
	}
	return child;
}

/* Runs some processes to their ends; returns whether all ended well. */
__attribute__((unused))
static bool run_some(int count, void (*run)(int number))
{
	int i, status, clean = 0;

	for (i = 0; i < count; i++)
		start(run, i);
	for (i = 0; i < count; i++)
		clean += wait(&status) > 0 && !status;
	return clean == count;
}

/* Runs as many as most tests have. */
__attribute__((unused))
static bool run_all(void (*run)(int number))
{
	return run_some(PROCESSES, run);
}

#endif /* FORK_H */
