// SPDX-License-Identifier: MIT
/*
 * As many collections as there may be: what counts, what is refused, and that
 * callers who make the same one do not take each other's place. And as many
 * bytes: of one collection, of all, and of a control group. At each limit, all
 * that needs no more goes on; and once there is room, the call that was refused
 * succeeds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "caches.h"
#include "fork.h"

#define THREADS 4
#define ROUNDS 500
#define WIDE 128
#define STEP 500
#define GROUP "/sys/fs/cgroup/vss-limits/"

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

static int make_named(int file, uint32_t number)
{
	char name[VSS_NAME_BYTES];

	snprintf(name, sizeof(name), "many%u", number);
	return bind_named(file, name, VSS_OPEN_CREATE, 4, 0600);
}

static int drop_named(int file, uint32_t number)
{
	struct vss_drop drop = { };

	snprintf(drop.name, sizeof(drop.name), "many%u", number);
	return RUN(file, VSS_DROP, &drop);
}

/* As many as there may be when nobody has set anything. */
static void as_many_as_there_may_be(void)
{
	int file = device_open(O_RDWR), first = device_open(O_RDWR);
	uint32_t most = driver_info(file).max_collections, made = 0, dropped = 1;
	uint32_t others = driver_info(file).collections;
	int error;

	make_named(first, 0);
	while (!(error = make_named(file, made)))
		made++;
	ktap_ok(error == ENOSPC && made + others == most &&
		driver_info(file).collections == most,
		"%u collections, and no more: ENOSPC", most);
	ktap_ok(!put_rows(first, 1, 10, 4) && nearest_row(first, 7, 4) == 7,
		"those that are there go on");
	ktap_ok(!drop_named(file, 1) && !make_named(file, made),
		"one less, and the next is made");
	ktap_ok(make_named(file, 1) == ENOSPC, "and that was the last");
	while (dropped++ < made)
		error = drop_named(file, dropped);
	ktap_ok(!error && !drop_named(file, 0), "all of them are dropped");
	close(file);
	close(first);
	file = device_open(O_RDWR);
	ktap_ok(driver_info(file).collections == others, "and count no longer");
	close(file);
}

/* Puts rows of following ids until one call fails; returns its errno. */
static int put_until_error(int file, uint64_t *id)
{
	int error;

	while (!(error = put_rows(file, *id, STEP, WIDE)))
		*id += STEP;
	return error;
}

/* Memory that was given back may wait for its readers: the same call, again. */
static bool succeeds_soon(int file, uint64_t id)
{
	int i, error = EDQUOT;

	for (i = 0; i < 100 && error; i++) {
		error = put_rows(file, id, STEP, WIDE);
		if (error)
			usleep(100000);
	}
	return !error;
}

/* Whether rows are found, and replaced where they are. */
static bool goes_on(int file, uint64_t id)
{
	return nearest_row(file, id, WIDE) == id && !put_rows(file, id, 1, WIDE) &&
	       has_row(file, id, WIDE);
}

static void collection_bytes(void)
{
	int file = open_cache(WIDE, VSS_EVICTION_NONE, 0,
			      2 * BLOCK_BYTES + INDEX_ROOM, 0);
	int other = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	struct vss_delete delete = { .count = STEP };
	static uint64_t ids[STEP];
	uint64_t id = 1, i;

	ktap_ok(put_until_error(file, &id) == EDQUOT &&
		collection_stat(file).count == 2 * BLOCK_ROWS,
		"a collection as great as it may be: EDQUOT");
	ktap_ok(goes_on(file, 1) && !put_rows(other, 1, STEP, WIDE),
		"it goes on with what it has, and another one takes more");
	for (i = 0; i < STEP; i++)
		ids[i] = 1 + i;
	delete.ids = ADDRESS(ids);
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && delete.deleted == STEP &&
		succeeds_soon(file, id), "with rows deleted, as many are put");
	ktap_ok(put_rows(file, 1000000, STEP, WIDE) == EDQUOT &&
		collection_stat(file).count == 2 * BLOCK_ROWS,
		"and then no more again");
	close(file);
	close(other);
}

static void driver_bytes(void)
{
	int file = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	int small = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	int third = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	struct vss_clear clear = { };
	uint64_t id = 1;

	put_rows(small, 1, STEP, WIDE);
	set_parameter("max_bytes", driver_info(file).bytes + 2 * BLOCK_BYTES +
				   INDEX_ROOM);
	ktap_ok(put_until_error(file, &id) == EDQUOT &&
		put_rows(third, 1, STEP, WIDE) == EDQUOT,
		"the driver holds as much as it may: EDQUOT, for a first row, too");
	ktap_ok(goes_on(file, 1) && goes_on(small, 1) &&
		!put_rows(small, 1000, STEP, WIDE),
		"others go on, and take what room their blocks have");
	ktap_ok(!RUN(file, VSS_CLEAR, &clear) && succeeds_soon(third, 1) &&
		succeeds_soon(file, id), "once one is cleared, both calls succeed");
	ktap_ok(goes_on(third, 1) && goes_on(file, id), "and their rows are there");
	set_parameter("max_bytes", 0);
	close(file);
	close(small);
	close(third);
}

/* In a control group of its own: fills it, makes room and goes on. */
static void fill_group(int file)
{
	struct vss_clear clear = { };
	uint64_t id = 1;

	if (file_write(GROUP "cgroup.procs", "0"))
		_exit(1);
	if (put_until_error(file, &id) != ENOMEM)
		_exit(2);
	if (!goes_on(file, 1))
		_exit(3);
	if (RUN(file, VSS_CLEAR, &clear) || !succeeds_soon(file, id))
		_exit(4);
}

static void group_bytes(void)
{
	int file = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	int other = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	int status = 0;

	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) || file_write(GROUP "memory.max", "33554432"))
		ktap_bail_out("cannot make a control group");
	/* The memory that calls are made from is this process's. */
	put_rows(other, 1, STEP, WIDE);
	start(fill_group, file);
	wait(&status);
	ktap_ok(!status,
		"a group that is full: ENOMEM; once its rows are cleared, the call succeeds");
	if (status)
		printf("# status %#x\n", status);
	ktap_ok(!put_rows(other, 1000, 4000, WIDE) && goes_on(other, 1000),
		"who is not in it goes on");
	close(file);
	close(other);
	rmdir(GROUP);
}

int main(void)
{
	int file = device_open(O_RDWR);

	as_many_as_there_may_be();
	collection_bytes();
	driver_bytes();
	group_bytes();
	counts(file);
	race();
	file = device_open(O_RDWR);
	ktap_ok(driver_info(file).collections <= 1, "none is left but the last");
	ktap_ok(file_write(PARAMETERS "max_collections", "0") &&
		file_write(PARAMETERS "max_collections", "many"),
		"max_collections refuses 0 and words");
	return ktap_done();
}
