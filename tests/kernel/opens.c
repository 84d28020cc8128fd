// SPDX-License-Identifier: MIT
/*
 * Files that are opened and closed a great many times, by threads of several
 * processes: most of them for nothing, some for a collection of their own with a
 * row, for one that all share, or to be waited for. None of it is left.
 *
 * `opens [CYCLES]`
 *
 * arguments: 5000
 * arguments on uml: 100000
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

#include "aftermath.h"
#include "caches.h"
#include "fork.h"

#define FILES "/sys/class/misc/vss/files"
#define REFERENCES "/sys/module/vss/refcnt"
#define NAME "opens"

/* Is there where a kernel looks for memory that is lost. */
#define KMEMLEAK "/sys/kernel/debug/kmemleak"

#define D 16
#define THREADS 2

/* What the driver remembers of a file takes this much; files are more. */
#define BYTES_OF_A_FILE 64

/* Fewer would not show beside what else a machine does with its memory. */
#define CYCLES_THAT_SHOW 100000

/* Counted by all processes. */
static struct tally {
	atomic_ulong cycles, failed, own, shared, polled, watched, copied;
} *tally;

static unsigned long cycles;
static int processes = PROCESSES / 2;

static void own_collection(int file)
{
	if (bind_private(file, D, VSS_METRIC_L2SQ) || put_row(file, 1, D, 1) ||
	    nearest_row(file, 1, D) != 1)
		tally->failed++;
	tally->own++;
}

static void shared_collection(int file, uint64_t number)
{
	if (bind_named(file, NAME, VSS_OPEN_CREATE, D, 0600) ||
	    put_row(file, number % 100, D, 1))
		tally->failed++;
	tally->shared++;
}

static void polled_file(int file)
{
	struct pollfd polled = { file, POLLIN | POLLPRI, 0 };

	if (poll(&polled, 1, 0) != 1 || polled.revents != POLLIN)
		tally->failed++;
	tally->polled++;
}

/* A file that is closed while an epoll waits for it. */
static void watched_file(int file)
{
	struct epoll_event event = { .events = EPOLLPRI };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) ||
	    epoll_wait(epoll, &event, 1, 0))
		tally->failed++;
	close(file);
	close(epoll);
	tally->watched++;
}

/* The last of two descriptors that are closed is the file's end. */
static void copied_file(int file)
{
	int copy = fcntl(file, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || bind_private(file, D, VSS_METRIC_COS))
		tally->failed++;
	close(file);
	if (put_row(copy, 1, D, 1))
		tally->failed++;
	close(copy);
	tally->copied++;
}

static void cycle(uint64_t number)
{
	int file = device_open(number % 3 ? O_RDWR : O_RDWR | O_NONBLOCK);

	tally->cycles++;
	switch (number % 32) {
	case 1:
		own_collection(file);
		break;
	case 2:
		shared_collection(file, number);
		break;
	case 3:
		polled_file(file);
		break;
	case 4:
		return watched_file(file);
	case 5:
		return copied_file(file);
	}
	close(file);
}

static void *cycle_on(void *first)
{
	uint64_t number;

	for (number = (uintptr_t)first; number < cycles; number += processes * THREADS)
		cycle(number / (processes * THREADS));
	return NULL;
}

static void run_process(int number)
{
	uintptr_t first = number * THREADS;
	pthread_t other;

	if (pthread_create(&other, NULL, cycle_on, (void *)(first + 1)))
		ktap_bail_out("cannot start a thread");
	cycle_on((void *)first);
	pthread_join(other, NULL);
}

/* Memory of the kernel's own that it cannot just give back. */
static unsigned long long kernel_memory(void)
{
	return memory_number("SUnreclaim");
}

/* Whether a number of the kernel's comes down to what it was, in some time. */
static bool comes_down(unsigned long long (*number)(void), unsigned long long to)
{
	int i;

	for (i = 0; i < 100 && number() > to; i++)
		usleep(100000);
	return number() <= to;
}

/* Files of all processes, whoever opened them. */
static unsigned long long open_files(void)
{
	return file_number("/proc/sys/fs/file-nr");
}

static void nothing_remains(unsigned long long files, unsigned long long memory)
{
	ktap_ok(file_number(FILES) == 1, "the driver counts the one file that is open");
	ktap_ok(file_number(REFERENCES) == 1, "so does the module");
	ktap_ok(comes_down(open_files, files + cycles / 10),
		"the system has no more open files than before");
	if (cycles < CYCLES_THAT_SHOW)
		ktap_skip("the kernel holds no memory of them", "too few cycles");
	else if (!access(KMEMLEAK, F_OK))
		ktap_skip("the kernel holds no memory of them",
			  "it keeps for a while what is freed; kmemleak tells");
	else
		ktap_ok(comes_down(kernel_memory,
				   memory + cycles * BYTES_OF_A_FILE / 2),
			"the kernel holds no memory of them");
}

int main(int count, char **words)
{
	unsigned long long files, memory;
	uint64_t began;
	int device = device_open(O_RDWR);

	cycles = count > 1 ? strtoul(words[1], NULL, 0) : 5000;
	tally = shared_memory(sizeof(*tally));
	files = open_files();
	memory = kernel_memory();
	began = now_ns();
	ktap_ok(run_some(processes, run_process), "processes open and close files, and end");
	printf("# %lu cycles in %.1f s\n", tally->cycles, (now_ns() - began) * 1e-9);
	printf("# %lu with a collection of their own, %lu with a shared one, ",
	       tally->own, tally->shared);
	printf("%lu polled, %lu watched, %lu copied\n", tally->polled,
	       tally->watched, tally->copied);
	ktap_ok(tally->cycles == cycles && tally->watched && tally->copied,
		"all of them");
	ktap_ok(!tally->failed, "each file did what it was opened for");
	nothing_remains(files, memory);
	ktap_ok(driver_info(device).collections == 1,
		"no collection is left but the one with a name");
	drop_all();
	ktap_ok(nothing_is_left(), "when that is dropped, no memory is left");
	ktap_ok(driver_info(device).collections == 0, "and no collection");
	ktap_ok(works(), "rows are put, found and deleted as before");
	close(device);
	ktap_ok(file_number(FILES) == 0 && file_number(REFERENCES) == 0,
		"in the end no file is open, and the module may go");
	return ktap_done();
}
