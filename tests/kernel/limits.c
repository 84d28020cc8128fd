// SPDX-License-Identifier: MIT
/*
 * As many collections as there may be: what counts, what is refused, and that
 * callers who make the same one do not take each other's place.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "collections.h"

#define THREADS 4
#define ROUNDS 500

static atomic_uint refused;

static void counts(int file)
{
	int other = device_open(O_RDWR), third = device_open(O_RDWR);
	struct vss_drop drop = { .name = "a" };

	set_parameter("max_collections", 2);
	ktap_ok(!bind_named(file, "a", VSS_OPEN_CREATE, 1, 0600) &&
		!bind_private(other, 1, VSS_METRIC_L2SQ) &&
		driver_info(file).collections == 2,
		"named and private collections count");
	ktap_ok(bind_named(third, "b", VSS_OPEN_CREATE, 1, 0600) == ENOSPC &&
		bind_private(third, 1, VSS_METRIC_L2SQ) == ENOSPC &&
		device_add(third, 1, 1, 1) == ENOSPC,
		"a third one, of any kind: ENOSPC");
	ktap_ok(!bind_named(third, "a", VSS_OPEN_CREATE, 1, 0600),
		"one that is there is opened all the same");
	ktap_ok(!RUN(file, VSS_DROP, &drop) &&
		bind_named(other, "b", VSS_OPEN_CREATE, 1, 0600) == ENOSPC,
		"a dropped one counts while files are bound to it");
	close(third);
	close(file);
	ktap_ok(driver_info(other).collections == 1 &&
		!bind_named(other, "b", VSS_OPEN_CREATE, 1, 0600),
		"and no longer, once they are closed");
	drop.name[0] = 'b';
	RUN(other, VSS_DROP, &drop);
	close(other);
}

/* Makes the one collection that there may be, unless another was faster. */
static void *make_default(void *argument)
{
	uint32_t id = (uintptr_t)argument, round;
	struct vss_drop drop = { .name = "default" };
	int file;

	for (round = 0; round < ROUNDS; round++) {
		file = device_open(O_RDWR);
		refused += device_add(file, id, 1, 1) == ENOSPC;
		refused += bind_named(file, "default", VSS_OPEN_CREATE, 1, 0666)
			   == ENOSPC;
		if (id == 1)
			RUN(file, VSS_DROP, &drop);
		close(file);
	}
	return NULL;
}

/*
 * Three threads open what the fourth drops now and then: a dropped one counts
 * until it is closed, so one place for each is room enough.
 */
static void race(void)
{
	pthread_t threads[THREADS];
	uintptr_t i;

	set_parameter("max_collections", THREADS + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, make_default, (void *)(i + 1)))
			ktap_bail_out("cannot start a thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ktap_ok(!refused, "threads that make the same collection are never refused");
}

int main(void)
{
	int file = device_open(O_RDWR);

	counts(file);
	race();
	file = device_open(O_RDWR);
	ktap_ok(driver_info(file).collections <= 1, "none is left but the last");
	ktap_ok(file_write(PARAMETERS "max_collections", "0") &&
		file_write(PARAMETERS "max_collections", "many"),
		"max_collections refuses 0 and words");
	return ktap_done();
}
