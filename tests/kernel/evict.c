// SPDX-License-Identifier: MIT
/*
 * Collections that make room: which rows go, how many, and what the counters say;
 * limits that are changed; and what is refused.
 */
#include <poll.h>
#include <pthread.h>

#include "caches.h"
#include "fork.h"

#define D 8
#define WIDE 128

static void fifo_order(void)
{
	int file = open_cache(D, VSS_EVICTION_FIFO, 10, 0, 0);
	struct vss_put put = { };
	struct vss_stat stat;

	ktap_ok(!put_rows_with(file, &put, 1, 10, D, 0, 0) && !put.evicted &&
		put.inserted == 10, "fifo: rows up to the capacity evict none");
	ktap_ok(!put_rows_with(file, &put, 11, 1, D, 0, 0) && put.evicted == 1 &&
		!has_row(file, 1, D) && count_rows(file, 2, 10, D) == 10,
		"fifo: a row more evicts the first");
	put.flags = VSS_PUT_UPSERT;
	ktap_ok(!put_rows_with(file, &put, 2, 1, D, 0, 0) && !put.evicted &&
		put.updated == 1, "fifo: a row that replaces one evicts none");
	ktap_ok(!put_rows(file, 12, 1, D) && has_row(file, 2, D) &&
		!has_row(file, 3, D), "fifo: it counts as new");
	ktap_ok(!put_rows(file, 100, 35, D) && count_rows(file, 125, 10, D) == 10 &&
		!count_rows(file, 100, 25, D),
		"fifo: a batch three times the capacity leaves its last rows");
	stat = collection_stat(file);
	ktap_ok(stat.count == 10 && stat.inserts == 47 && stat.updates == 1 &&
		stat.evictions == 37 && adds_up(&stat),
		"fifo: the counters are exact");
	ktap_ok(nearest_row(file, 3, D) == 125 && nearest_row(file, 134, D) == 134,
		"fifo: searches find what is there, and only that");
	close(file);
}

static void fifo_holes(void)
{
	int file = open_cache(D, VSS_EVICTION_FIFO, 10, 0, 0);
	uint64_t ids[] = { 4, 1, 7 };
	struct vss_delete delete = { .count = 3, .ids = ADDRESS(ids) };

	put_rows(file, 1, 10, D);
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && delete.deleted == 3 &&
		!put_rows(file, 11, 3, D) && count_rows(file, 2, 2, D) == 2,
		"fifo: rows take what deleted ones left before any is evicted");
	put_rows(file, 14, 1, D);
	ktap_ok(!has_row(file, 2, D) && has_row(file, 3, D),
		"fifo: the order has no holes");
	put_rows(file, 15, 6, D);
	ktap_ok(count_rows(file, 11, 10, D) == 10, "fifo: reused slots are young");
	close(file);
}

/* The same id more than once, and ids that the same batch evicts. */
static void same_batch(void)
{
	static float vectors[6 * D];
	uint64_t ids[] = { 1, 2, 3, 1, 4, 2 };
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT, .count = 6, .dimension = D,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
	};
	int file = open_cache(D, VSS_EVICTION_FIFO, 2, 0, 0);
	struct vss_stat stat;

	/* 1, 2, 3 evicts 1, 1 evicts 2, 4 evicts 3, 2 evicts 1. */
	ktap_ok(!RUN(file, VSS_PUT, &put) && put.done == 6 && put.inserted == 6 &&
		!put.updated && put.evicted == 4,
		"a batch that evicts what it has put: every step counts");
	ktap_ok(has_row(file, 4, D) && has_row(file, 2, D) &&
		collection_stat(file).count == 2,
		"a batch that evicts what it has put leaves the last two");
	/* Upserts of ids that earlier rows of the batch have evicted. */
	ids[0] = 7;
	ids[1] = 4;
	put.count = 2;
	ktap_ok(!RUN(file, VSS_PUT, &put) && put.inserted == 2 && put.evicted == 2,
		"a row whose id was evicted by the one before it is new");
	put.flags = 0;
	ids[0] = 4;
	ktap_ok(RUN(file, VSS_PUT, &put) == EEXIST && !put.done && !put.evicted,
		"without upsert, an id that is there: EEXIST, and nothing evicted");
	stat = collection_stat(file);
	ktap_ok(stat.count == 2 && adds_up(&stat), "the counters add up");
	close(file);
}

static void lru_clock(void)
{
	int file = open_cache(D, VSS_EVICTION_LRU, 4, 0, 0);
	struct vss_put put = { };

	put_rows(file, 1, 4, D);
	ktap_ok(has_row(file, 1, D) && nearest_row(file, 3, D) == 3,
		"lru: a get and a search return rows");
	ktap_ok(!put_rows_with(file, &put, 5, 2, D, 0, 0) && put.evicted == 2 &&
		!collection_stat(file).expirations, "lru: two rows evict two");
	{
		/* Each look is a use: look at what must have gone first. */
		bool gone = !has_row(file, 2, D) && !has_row(file, 4, D);

		ktap_ok(gone, "lru: those that nobody had asked for");
	}
	ktap_ok(count_rows(file, 5, 2, D) == 2 && has_row(file, 1, D) &&
		has_row(file, 3, D), "lru: the others are there");
	/* Now all are used: one turn takes all bits, and any one goes. */
	ktap_ok(!put_rows(file, 7, 1, D) && collection_stat(file).count == 4,
		"lru: where all were used, one goes");
	ktap_ok(!put_rows(file, 100, 400, D) && collection_stat(file).count == 4 &&
		count_rows(file, 496, 4, D) == 4,
		"lru: without uses it is a ring");
	put_rows(file, 700, 4, D);
	put_rows(file, 701, 1, D);
	put_rows(file, 800, 3, D);
	ktap_ok(has_row(file, 701, D), "lru: replacing a row uses it");
	close(file);
}

static void limits_change(void)
{
	int file = open_cache(D, VSS_EVICTION_FIFO, 0, 0, 0);
	struct vss_stat stat;

	put_rows(file, 1, 3000, D);
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_CAPACITY, .capacity = 1000 }) &&
		collection_stat(file).count == 1000 &&
		count_rows(file, 2001, 1000, D) == 1000,
		"a lower capacity evicts the oldest rows at once");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_CAPACITY, .capacity = 2000 }) &&
		!put_rows(file, 4001, 1000, D) &&
		collection_stat(file).count == 2000,
		"a greater one makes room");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_EVICTION,
			.eviction = VSS_EVICTION_NONE }) &&
		put_rows(file, 6000, 1, D) == ENOSPC &&
		collection_stat(file).eviction == VSS_EVICTION_NONE,
		"without eviction a full collection: ENOSPC");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_CAPACITY, .capacity = 10 }) &&
		collection_stat(file).count == 2000,
		"without eviction, rows beyond a lower capacity stay");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_EVICTION,
			.eviction = VSS_EVICTION_LRU }) &&
		collection_stat(file).count == 10,
		"with eviction again, they go");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_EVICTION | VSS_CONFIGURE_TTL |
				 VSS_CONFIGURE_MAX_BYTES,
			.eviction = VSS_EVICTION_FIFO, .ttl = 5 * SECOND,
			.max_bytes = 1 << 30 }), "several fields at once");
	stat = collection_stat(file);
	ktap_ok(stat.eviction == VSS_EVICTION_FIFO && stat.ttl == 5 * SECOND &&
		stat.max_bytes == 1 << 30 && stat.capacity == 10 &&
		adds_up(&stat), "VSS_STAT tells all of them, and adds up");
	close(file);
}

/* none, then fifo: the order is that in which rows were put, all the same. */
static void order_is_kept(void)
{
	int file = open_cache(D, VSS_EVICTION_NONE, 0, 0, 0);

	put_rows(file, 1, 10, D);
	put_rows(file, 3, 1, D);
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_EVICTION | VSS_CONFIGURE_CAPACITY,
		.eviction = VSS_EVICTION_FIFO, .capacity = 7 });
	ktap_ok(collection_stat(file).count == 7 && count_rows(file, 5, 6, D) == 6 &&
		has_row(file, 3, D) && !has_row(file, 4, D),
		"from none to fifo: the order is that of the puts before");
	close(file);
}

static void byte_limits(void)
{
	uint64_t limit = 3 * BLOCK_BYTES + INDEX_ROOM;
	int file = open_cache(WIDE, VSS_EVICTION_FIFO, 0, limit, 0);
	uint64_t id = 1, most = 0;
	struct vss_stat stat;
	int error = 0;

	for (; !error && id < 30000; id += 1000) {
		error = put_rows(file, id, 1000, WIDE);
		stat = collection_stat(file);
		if (stat.bytes > most)
			most = stat.bytes;
	}
	ktap_ok(!error && most <= limit && stat.count == 3 * BLOCK_ROWS &&
		stat.evictions == 30000 - stat.count && adds_up(&stat),
		"fifo: max_bytes is kept, and filled");
	ktap_ok(count_rows(file, id - 4000, 4000, WIDE) == 4000,
		"fifo: what is left are the last rows");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_MAX_BYTES,
			.max_bytes = BLOCK_BYTES + INDEX_ROOM }) &&
		collection_stat(file).bytes <= BLOCK_BYTES + INDEX_ROOM,
		"a lower max_bytes gives blocks back at once");
	stat = collection_stat(file);
	ktap_ok(stat.count > 0 && stat.count <= BLOCK_ROWS &&
		count_rows(file, id - stat.count, stat.count, WIDE) == stat.count,
		"and the oldest rows with them");
	ktap_ok(!configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_MAX_BYTES, .max_bytes = 1000 }) &&
		!collection_stat(file).count &&
		put_rows(file, 1, 1, WIDE) == EDQUOT,
		"max_bytes below a block: empty, and EDQUOT");
	close(file);
	file = open_cache(WIDE, VSS_EVICTION_NONE, 0, 2 * BLOCK_BYTES + INDEX_ROOM,
			  0);
	for (error = 0, id = 1; !error; id++)
		error = put_rows(file, id, 1, WIDE);
	ktap_ok(error == EDQUOT && collection_stat(file).count == 2 * BLOCK_ROWS,
		"none: max_bytes: EDQUOT, and every row kept");
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_MAX_BYTES, .max_bytes = 1 });
	ktap_ok(collection_stat(file).count == 2 * BLOCK_ROWS &&
		!put_rows(file, 1, 10, WIDE),
		"none: below a lower one, rows stay and can be replaced");
	close(file);
}

static void payload_limits(void)
{
	uint64_t limit = 2 * BLOCK_BYTES;
	int file = open_cache(D, VSS_EVICTION_FIFO, 0, limit, 0);
	struct vss_put put = { };
	struct vss_stat stat;
	uint64_t evicted = 0;
	int i, error = 0;

	for (i = 0; i < 20 && !error; i++) {
		error = put_rows_with(file, &put, 1 + i * 16, 16, D, 0, 40000);
		evicted += put.evicted;
	}
	stat = collection_stat(file);
	ktap_ok(!error && stat.evictions == evicted && stat.bytes <= limit && stat.count > 20 &&
		stat.count < 40 && adds_up(&stat) &&
		has_row(file, 320, D) && !has_row(file, 1, D),
		"payloads count, and evict no more than they need");
	put.flags = VSS_PUT_UPSERT;
	ktap_ok(!put_rows_with(file, &put, 320, 1, D, 0, 65536) &&
		put.updated == 1 && collection_stat(file).bytes <= limit,
		"a longer payload of a row that is there makes room, too");
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_MAX_BYTES, .max_bytes = BLOCK_BYTES + 30000 });
	stat = collection_stat(file);
	put.flags = 0;
	ktap_ok(put_rows_with(file, &put, 1000, 1, D, 0, 40000) == EDQUOT &&
		collection_stat(file).count == stat.count,
		"a payload that can never fit: EDQUOT, and nothing evicted");
	close(file);
}

#define HOUR (3600 * SECOND)

/*
 * Rows that come with lifetimes of their own want an array of each of their blocks,
 * 8 bytes a row, which is within the limit, too.
 */
static void expiry_limits(const char *name, uint32_t eviction)
{
	int file = open_cache(D, eviction, 0, 0, 0);
	struct vss_put put = { };
	uint64_t id, limit, most = 0;
	struct vss_stat stat;
	int error = 0;

	for (id = 1; id < 60000; id += 1000)
		put_rows(file, id, 1000, D);
	limit = collection_stat(file).bytes + 50000;
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_MAX_BYTES, .max_bytes = limit });
	for (id = 100000; !error && id < 200000; id += 500) {
		error = put_rows_with(file, &put, id, 500, D, HOUR, 0);
		stat = collection_stat(file);
		if (stat.bytes > most)
			most = stat.bytes;
	}
	ktap_ok(most <= limit, "%s: lifetimes of their own count in max_bytes", name);
	if (eviction == VSS_EVICTION_NONE) {
		ktap_ok(error == EDQUOT && !stat.evictions && adds_up(&stat) &&
			!put_rows(file, 1, 1000, D),
			"%s: EDQUOT, and every row kept", name);
		close(file);
		return;
	}
	ktap_ok(!error && stat.evictions > 0 && adds_up(&stat) &&
		count_rows(file, id - 500, 500, D) == 500,
		"%s: they make room, as payloads do", name);
	/* All but some rows go, and the index that many wanted with them. */
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_MAX_BYTES,
		.max_bytes = BLOCK_BYTES + 200000 });
	for (id = 300000; !error && id < 310000; id += 500)
		error = put_rows_with(file, &put, id, 500, D, HOUR, 0);
	stat = collection_stat(file);
	ktap_ok(!error && stat.bytes <= BLOCK_BYTES + 200000 && adds_up(&stat) &&
		count_rows(file, id - 500, 500, D) == 500,
		"%s: in hardly more than a block, too", name);
	configure(file, (struct vss_configure) {
		.flags = VSS_CONFIGURE_MAX_BYTES,
		.max_bytes = BLOCK_BYTES + 50000 });
	put_rows(file, 400000, 500, D);
	stat = collection_stat(file);
	ktap_ok(put_rows_with(file, &put, 500000, 1, D, HOUR, 0) == EDQUOT &&
		collection_stat(file).count == stat.count && stat.count > 0,
		"%s: one that can never fit: EDQUOT, and nothing evicted", name);
	ktap_ok(!put_rows(file, 600000, 500, D), "%s: others go on", name);
	close(file);
}

/* The driver's own cap: who evicts makes room by itself, others do not. */
static void driver_cap(void)
{
	int cache = open_cache(WIDE, VSS_EVICTION_LRU, 0, 0, 0);
	int store = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	struct vss_put put = { };
	uint64_t id, held;
	int error = 0;

	put_rows(store, 1, 2000, WIDE);
	set_parameter("max_bytes", driver_info(cache).bytes + 2 * BLOCK_BYTES +
				   INDEX_ROOM / 2);
	for (id = 1; id < 20000 && !error; id += 1000)
		error = put_rows(cache, id, 1000, WIDE);
	ktap_ok(!error && collection_stat(cache).count >= BLOCK_ROWS &&
		collection_stat(cache).evictions > 0,
		"at the driver's max_bytes a collection that evicts goes on");
	for (error = 0, id = 2001; id < 10000 && !error; id++)
		error = put_rows(store, id, 1, WIDE);
	held = collection_stat(store).count;
	ktap_ok(error == EDQUOT && held >= 2000 && held == BLOCK_ROWS,
		"at the driver's max_bytes another gets EDQUOT");
	held = collection_stat(cache).evictions;
	for (error = 0, id = 50000; id < 50800 && !error; id += 16) {
		error = put_rows_with(cache, &put, id, 16, WIDE, 0, 30000);
		held += put.evicted;
	}
	ktap_ok(!error && held == collection_stat(cache).evictions,
		"payloads find room there, too, and puts say what went for them");
	set_parameter("max_bytes", 0);
	close(cache);
	close(store);
}

/* Threads that read without a pause; reclaim does not wait for them. */
static int read_file;
static atomic_bool read_ended;

static void *read_on(void *argument)
{
	long number = (long)argument;

	while (!read_ended) {
		static uint64_t ids[1000];
		struct vss_scan scan = {
			.count = 1000, .dimension = WIDE, .ids = ADDRESS(ids),
		};

		if (number % 3 == 0)
			count_rows(read_file, 1, 2000, WIDE);
		else if (number % 3 == 1)
			collection_stat(read_file);
		else if (RUN(read_file, VSS_SCAN, &scan))
			ktap_bail_out("cannot scan");
	}
	return NULL;
}

static void readers_let_pass(void)
{
	unsigned long long blocks, taken = 0;
	pthread_t threads[6];
	int tries = 0;
	long i;

	read_file = open_cache(WIDE, VSS_EVICTION_FIFO, 0, 0, 0);
	for (i = 0; i < 8; i++)
		put_rows(read_file, 1 + i * 3000, 3000, WIDE);
	blocks = collection_stat(read_file).bytes / BLOCK_BYTES;
	for (i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, read_on, (void *)i);
	for (; collection_stat(read_file).count && tries < 20; tries++)
		file_write("/proc/sys/vm/drop_caches", "2");
	taken = collection_stat(read_file).pressure_evictions;
	read_ended = true;
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	printf("# %llu blocks were taken in %d tries\n", blocks, tries);
	ktap_ok(taken == 24000,
		"gets, scans and stats without a pause keep no block from reclaim");
	close(read_file);
}

static bool has_event(int file, short event)
{
	struct pollfd entry = { .fd = file, .events = POLLIN | POLLOUT | POLLPRI };

	return poll(&entry, 1, 0) == 1 && entry.revents & event;
}

static void polling(void)
{
	int unbound = device_open(O_RDWR);
	int file = open_cache(WIDE, VSS_EVICTION_FIFO, 0, 0, 0);
	int kept = open_cache(WIDE, VSS_EVICTION_NONE, 0, 0, 0);
	struct pollfd entry = { .fd = file, .events = POLLPRI };
	int blind = device_open(O_WRONLY);
	struct vss_open write_only = {
		.flags = VSS_OPEN_PRIVATE | VSS_OPEN_WRITE_ONLY,
		.dimension = WIDE, .eviction = VSS_EVICTION_FIFO,
	};

	if (RUN(blind, VSS_OPEN, &write_only))
		ktap_bail_out("cannot make a collection for writing only");
	put_rows(blind, 1, 4000, WIDE);
	ktap_ok(has_event(file, POLLIN) && has_event(file, POLLOUT) &&
		has_event(unbound, POLLIN), "a file is always ready for calls");
	put_rows(file, 1, 4000, WIDE);
	put_rows(file, 4001, 4000, WIDE);
	put_rows(kept, 1, 4000, WIDE);
	ktap_ok(!has_event(file, POLLPRI) && !poll(&entry, 1, 10),
		"nothing was lost yet");
	if (!fork()) {
		usleep(100000);
		_exit(file_write("/proc/sys/vm/drop_caches", "2"));
	}
	ktap_ok(poll(&entry, 1, 120000) == 1 && entry.revents == POLLPRI,
		"poll() wakes up when the kernel takes memory back");
	wait(NULL);
	ktap_ok(collection_stat(file).pressure_evictions > 0 &&
		!has_event(file, POLLPRI),
		"once VSS_STAT has told, that is over");
	ktap_ok(has_event(blind, POLLIN) && has_event(blind, POLLOUT) &&
		!has_event(blind, POLLPRI) &&
		RUN(blind, VSS_STAT, &(struct vss_stat) { }) == EBADF,
		"a file for writing only is not told: it could not read VSS_STAT");
	ktap_ok(!has_event(unbound, POLLPRI) && !has_event(kept, POLLPRI) &&
		collection_stat(kept).count == 4000 &&
		!collection_stat(kept).pressure_evictions,
		"a collection that does not evict keeps its rows");
	ktap_ok(adds_up((struct vss_stat[]) { collection_stat(file) }),
		"the counters add up");
	put_rows(file, 1, 4000, WIDE);
	ktap_ok(!file_write("/proc/sys/vm/drop_caches", "2") &&
		has_event(file, POLLPRI) && !bind_private(file, D, 0) &&
		!has_event(file, POLLPRI), "a file that is bound anew begins anew");
	close(blind);
	close(unbound);
	close(file);
	close(kept);
}

/* Threads that put, read, configure and drop caches, all at once. */
static int crowd_file;
static atomic_int crowd_errors;

static void *crowd(void *argument)
{
	long number = (long)argument;
	uint64_t end = now_ns() + 2 * SECOND, id = 1 + number * 1000000;

	while (now_ns() < end) {
		struct vss_configure change = {
			.flags = VSS_CONFIGURE_EVICTION | VSS_CONFIGURE_CAPACITY,
			.eviction = VSS_EVICTION_FIFO + id % 2,
			.capacity = 500 + id % 7 * 900,
		};

		if (number < 3 && put_rows(crowd_file, id, 200, D))
			crowd_errors++;
		if (number == 3 && configure(crowd_file, change))
			crowd_errors++;
		if (number == 4 && id % 8 == 1)
			file_write("/proc/sys/vm/drop_caches", "2");
		if (number > 4 && nearest_row(crowd_file, id % 3 * 1000000 + 5, D) ==
				  UINT64_MAX)
			crowd_errors++;
		id += 200 - number % 2;
	}
	return NULL;
}

static void many_threads(void)
{
	pthread_t threads[8];
	struct vss_stat stat;
	long i;

	crowd_file = open_cache(D, VSS_EVICTION_LRU, 1000, 0, 20 * MS);
	for (i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, crowd, (void *)i);
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	stat = collection_stat(crowd_file);
	ktap_ok(!crowd_errors && adds_up(&stat) && stat.count <= stat.capacity,
		"eight threads that put, search, configure and take memory back");
	printf("# %llu in, %llu evicted, %llu by pressure, %llu over\n",
	       (unsigned long long)stat.inserts,
	       (unsigned long long)stat.evictions,
	       (unsigned long long)stat.pressure_evictions,
	       (unsigned long long)stat.expirations);
	close(crowd_file);
}

/* The sums over all collections that have names. */
static void totals(void)
{
	const char *const path = "/sys/class/misc/vss/evictions";
	unsigned long long before = file_number(path);
	struct vss_drop drop = { .name = "totals" };
	int file = device_open(O_RDWR);

	if (bind_named(file, drop.name, VSS_OPEN_CREATE, D, 0600) ||
	    configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_CAPACITY | VSS_CONFIGURE_EVICTION,
			.capacity = 3, .eviction = VSS_EVICTION_FIFO }))
		ktap_bail_out("cannot make a collection");
	put_rows(file, 1, 10, D);
	ktap_ok(file_number(path) == before + 7 &&
		!file_number("/sys/class/misc/vss/pressure_evictions") &&
		!file_number("/sys/class/misc/vss/expirations"),
		"sysfs tells the sums over named collections");
	RUN(file, VSS_DROP, &drop);
	close(file);
}

int main(void)
{
	uint64_t bytes;
	int device = device_open(O_RDWR);

	bytes = driver_info(device).bytes;
	fifo_order();
	fifo_holes();
	same_batch();
	lru_clock();
	limits_change();
	order_is_kept();
	totals();
	byte_limits();
	payload_limits();
	expiry_limits("none", VSS_EVICTION_NONE);
	expiry_limits("fifo", VSS_EVICTION_FIFO);
	expiry_limits("lru", VSS_EVICTION_LRU);
	driver_cap();
	readers_let_pass();
	polling();
	many_threads();
	ktap_ok(driver_info(device).bytes == bytes, "all memory is given back");
	return ktap_done();
}
