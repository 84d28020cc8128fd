// SPDX-License-Identifier: MIT
/*
 * Failures, one after the other: each command is called again and again, and in
 * its n-th call the n-th point fails at which the kernel may lack memory or a page
 * of the caller's (fail-nth), until the call no longer comes to an n-th point.
 * Each failing call says so with an errno that the protocol has for it, and the
 * store is then that of a twin in which what is said to be done was done without
 * failures.
 *
 * machines: uml-debug
 */
#include <poll.h>

#include "caches.h"
#include "fail_nth.h"

#define NAME "sweep"

/* Rows of a call, components of all of them, and bytes of a payload, at most. */
#define ROWS 1000
#define FLOATS (1 << 20)

/* With the driver's 12 bytes it takes the same, whichever way it is allocated. */
#define PAYLOAD (32768 - 12)

#define UNUSED __attribute__((unused))

/* What a counter holds that the driver has not written. */
#define UNWRITTEN 0xccccccccU

/* Runs a command with the failure that is due; returns 0 or the errno. */
static int attempt(int file, unsigned long command, void *argument)
{
	int error;

	arm();
	error = device_call(file, command, argument);
	disarm();
	return error;
}

/* The same for protocol 2, whose structs tell the outcome where they can. */
#define ATTEMPT(_file, _command, _struct) \
	attempt_sized(_file, _command, _struct, sizeof(*(_struct)))

static int attempt_sized(int file, unsigned long command, void *argument,
			 uint32_t size)
{
	struct { uint32_t size; int32_t status; } *header = argument;
	int error;

	header->size = size;
	header->status = 12345;
	error = attempt(file, command, argument);
	if (header->status != -error && error != EFAULT)
		ktap_bail_out("errno %d, but status %d", error, header->status);
	return error;
}

/*
 * A command to sweep. @begin makes what it finds, and returns a file for it.
 * @call runs it and returns its errno: its first @steps rows, where it takes
 * effect row by row, or all. @steps is 1 where it does all or nothing, and 0 where
 * it changes nothing. @least is how many points it must have come to, or nothing
 * was tested. @check, if any, looks at what is there instead of a twin.
 */
struct command {
	const char *name;
	int (*begin)(void);
	int (*call)(int file);
	uint32_t steps;
	uint32_t least;
	bool (*check)(int error);
};

/* How far the next call is to go, and how far it says that it went. */
static uint32_t steps, done;

static float vectors[FLOATS];
static uint64_t ids[ROWS], tags[ROWS], ttls[ROWS];
static uint32_t sizes[ROWS];
static char payloads[ROWS * 64 + 10 * PAYLOAD];

static uint32_t dimension;

/* A component of the row with this id and version. */
static float component(uint64_t id, uint64_t version, uint32_t j)
{
	return 1 + (id * 31 + version * 7 + j) % 97;
}

static uint32_t payload_size(uint64_t id, uint64_t version)
{
	uint32_t kind = (id + version) % 8;

	return kind == 0 ? VSS_NO_PAYLOAD : kind == 1 ? 0 :
	       id % 50 == 2 ? PAYLOAD : 1 + (id + version) % 60;
}

/* Fills the arrays with rows of following ids. */
static void make_rows(uint64_t first, uint32_t count, uint64_t version)
{
	uint32_t i, j;

	if (count > ROWS || count * dimension > FLOATS)
		ktap_bail_out("a test puts too much at once");
	for (i = 0; i < count; i++) {
		ids[i] = first + i;
		tags[i] = version;
		ttls[i] = i % 3 ? 3600 * SECOND : 0;
		for (j = 0; j < dimension; j++)
			vectors[i * dimension + j] = component(first + i, version, j);
	}
}

/* Likewise with their payloads; returns the bytes of these. */
static uint64_t make_payloads(uint64_t first, uint32_t count, uint64_t version)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		sizes[i] = payload_size(first + i, version);
		if (sizes[i] == VSS_NO_PAYLOAD)
			continue;
		if (bytes + sizes[i] > sizeof(payloads))
			ktap_bail_out("a test puts too many payloads at once");
		memset(payloads + bytes, (first + i) & 0xff, sizes[i]);
		bytes += sizes[i];
	}
	return bytes;
}

/* Puts rows with all that rows may have. */
static int put_full(int file, uint64_t first, uint32_t count, uint64_t version)
{
	uint64_t bytes = make_payloads(first, count, version);
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT, .count = count, .dimension = dimension,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.tags = ADDRESS(tags), .payload_sizes = ADDRESS(sizes),
		.payloads = ADDRESS(payloads), .payload_bytes = bytes,
		.ttls = ADDRESS(ttls), .done = UNWRITTEN,
	};
	int error;

	make_rows(first, count, version);
	error = ATTEMPT(file, VSS_PUT, &put);
	done = put.done;
	return error;
}

/* Puts rows that are nothing but vectors. */
static int put_bare(int file, uint64_t first, uint32_t count, uint32_t flags)
{
	struct vss_put put = {
		.flags = flags, .count = count, .dimension = dimension,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.done = UNWRITTEN,
	};
	int error;

	make_rows(first, count, 0);
	error = ATTEMPT(file, VSS_PUT, &put);
	done = put.done;
	return error;
}

static int begin_with(const struct vss_open *form)
{
	struct vss_open open = *form;
	int file = device_open(O_RDWR);

	dimension = open.dimension;
	open.flags |= VSS_OPEN_PRIVATE;
	if (RUN(file, VSS_OPEN, &open))
		ktap_bail_out("cannot make a collection");
	return file;
}

static int fill(int file, uint64_t first, uint32_t count, bool full)
{
	if (full ? put_full(file, first, count, 1) :
		   put_bare(file, first, count, 0))
		ktap_bail_out("cannot fill a collection");
	return file;
}

static int unbound(void)
{
	return device_open(O_RDWR);
}

static int empty_wide(void)
{
	return begin_with(&(struct vss_open){ .dimension = 4096 });
}

static int empty_narrow(void)
{
	return begin_with(&(struct vss_open){ .dimension = 4 });
}

static int some_wide(void)
{
	return fill(empty_wide(), 1, 40, true);
}

static int some_narrow(void)
{
	return fill(empty_narrow(), 1, 900, false);
}

static int full_ring(void)
{
	return fill(begin_with(&(struct vss_open){
		.dimension = 1024, .eviction = VSS_EVICTION_FIFO, .capacity = 40,
	}), 1, 40, true);
}

/* Two blocks, and no room for a third. */
static int full_cache(void)
{
	return fill(begin_with(&(struct vss_open){
		.dimension = 4096, .eviction = VSS_EVICTION_LRU,
		.max_bytes = 3 * BLOCK_BYTES - 1,
	}), 1, 190, false);
}

static int some_coded(void)
{
	return fill(begin_with(&(struct vss_open){ .dimension = 64 }), 1, 200,
		    false);
}

/* What several processors may share. */
static int three_blocks(void)
{
	return fill(fill(begin_with(&(struct vss_open){
		.dimension = 1024, .flags = VSS_OPEN_NO_CODES,
	}), 1, 1000, false), 1001, 400, true);
}

static int call_put_full(int file)
{
	return put_full(file, 21, steps, 2);
}

static int call_put_narrow(int file)
{
	return put_bare(file, 1, steps, 0);
}

static int call_put_further(int file)
{
	return put_bare(file, 1001, steps, 0);
}

static int call_get(int file)
{
	static unsigned char found[8];
	struct vss_get get = {
		.count = 40, .dimension = dimension, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads), .found = ADDRESS(found),
	};
	uint32_t i;
	int error;

	for (i = 0; i < get.count; i++)
		ids[i] = i + 1;
	error = ATTEMPT(file, VSS_GET, &get);
	if (!error && (get.done != 40 || get.hits != 40))
		ktap_bail_out("%u of 40 rows got", get.hits);
	return error;
}

static int call_scan(int file)
{
	struct vss_scan scan = {
		.count = 100, .dimension = dimension, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads),
	};
	int error = ATTEMPT(file, VSS_SCAN, &scan);

	if (!error && scan.done != 40)
		ktap_bail_out("%u of 40 rows scanned", scan.done);
	return error;
}

/* Queries of which each is row 1 to @count, whose nearest row must be itself. */
static int search(int file, struct vss_search *search, uint32_t count)
{
	static float distances[70 * 40];
	static uint64_t found[70 * 40];
	static uint32_t counts[70];
	uint32_t i;
	int error;

	make_rows(1, count, 0);
	search->count = count;
	search->dimension = dimension;
	search->queries = ADDRESS(vectors);
	search->ids = ADDRESS(found);
	search->distances = ADDRESS(distances);
	search->counts = ADDRESS(counts);
	memset(counts, 0, sizeof(counts));
	error = ATTEMPT(file, VSS_SEARCH, search);
	for (i = 0; !error && i < count; i++) {
		if (!counts[i] || distances[i * search->k] != 0)
			ktap_bail_out("query %u did not find its row", i);
	}
	return error;
}

static int call_search(int file)
{
	return search(file, &(struct vss_search){ .k = 40 }, 1);
}

/* More than a pass takes; k rows that are near, and have tags 0. */
static int call_search_many(int file)
{
	return search(file, &(struct vss_search){
		.k = 3, .flags = VSS_SEARCH_RANGE, .max_distance = 1000,
		.tag_mask = 1,
	}, 70);
}

static int call_delete(int file)
{
	struct vss_delete delete = {
		.count = steps, .ids = ADDRESS(ids), .done = UNWRITTEN,
	};
	uint32_t i;
	int error;

	for (i = 0; i < steps; i++)
		ids[i] = i + 3;
	error = ATTEMPT(file, VSS_DELETE, &delete);
	done = delete.done;
	return error;
}

/* What is done all at once is done, or nothing is. */
static int at_once(int error)
{
	done = error == EFAULT ? UNWRITTEN : !error;
	return error;
}

static int call_delete_matching(int file)
{
	struct vss_delete delete = {
		.flags = VSS_DELETE_MATCHING, .tag_mask = 1, .tag_value = 1,
	};

	return at_once(ATTEMPT(file, VSS_DELETE, &delete));
}

static int call_clear(int file)
{
	struct vss_clear clear = { };

	return at_once(ATTEMPT(file, VSS_CLEAR, &clear));
}

static int call_configure(int file)
{
	struct vss_configure change = {
		.flags = VSS_CONFIGURE_CAPACITY | VSS_CONFIGURE_EVICTION |
			 VSS_CONFIGURE_TTL | VSS_CONFIGURE_MAX_BYTES,
		.capacity = 7, .eviction = VSS_EVICTION_FIFO,
		.ttl = 3600 * SECOND, .max_bytes = 2 * BLOCK_BYTES,
	};

	return at_once(ATTEMPT(file, VSS_CONFIGURE, &change));
}

static int call_stat(int file)
{
	struct vss_stat stat;

	return ATTEMPT(file, VSS_STAT, &stat);
}

static int call_info(int file)
{
	struct vss_info info;

	return ATTEMPT(file, VSS_INFO, &info);
}

static int call_poll(int file)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN | POLLPRI };
	int ready;

	arm();
	ready = poll(&poll_file, 1, 0);
	ready = ready < 0 ? -errno : ready;
	disarm();
	if (ready == 0 || (ready > 0 && poll_file.revents != POLLIN))
		ktap_bail_out("poll() says %d, %x", ready, poll_file.revents);
	return ready < 0 ? -ready : 0;
}

static int call_open_device(UNUSED int file)
{
	int another, error;

	arm();
	another = open(DEVICE, O_RDWR | O_CLOEXEC);
	error = another < 0 ? errno : 0;
	disarm();
	if (another >= 0)
		close(another);
	return error;
}

static int open_as(int file, uint32_t flags, uint32_t form, const char *name)
{
	struct vss_open open = { .flags = flags, .dimension = form };

	strcpy(open.name, name);
	return ATTEMPT(file, VSS_OPEN, &open);
}

static int call_open_private(int file)
{
	return open_as(file, VSS_OPEN_PRIVATE, 64, "");
}

static int call_create(int file)
{
	return open_as(file, VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE, 64, NAME);
}

static int call_open_named(int file)
{
	return open_as(file, 0, 0, NAME);
}

static int call_drop(int file)
{
	struct vss_drop drop = { .name = NAME };

	return ATTEMPT(file, VSS_DROP, &drop);
}

static int call_list(int file)
{
	struct vss_list_record records[4] = {};
	struct vss_list list = {
		.count = 4, .record_size = sizeof(records[0]),
		.records = ADDRESS(records),
	};
	int error = ATTEMPT(file, VSS_LIST, &list);

	if (!error && (list.done != 1 || strcmp(records[0].name, NAME)))
		ktap_bail_out("%u collections listed", list.done);
	return error;
}

/* Takes a name away, where it is one; returns the errno. */
static int drop_quietly(const char *name)
{
	struct vss_drop drop = { };
	int file = device_open(O_RDWR), error;

	strcpy(drop.name, name);
	error = RUN(file, VSS_DROP, &drop);
	close(file);
	return error;
}

static int one_named(void)
{
	int file = device_open(O_RDWR);

	if (open_as(file, VSS_OPEN_CREATE, 64, NAME))
		ktap_bail_out("cannot make a named collection");
	return file;
}

/* Made, or not; only whoever cannot be told may find it made. */
static bool check_create(int error)
{
	int left = drop_quietly(NAME);

	return error == EFAULT ? !left || left == ENOENT :
	       left == (error ? ENOENT : 0);
}

static bool check_drop(int error)
{
	int left = drop_quietly(NAME);

	return error == EFAULT ? !left || left == ENOENT :
	       left == (error ? 0 : ENOENT);
}

/* Protocol 1, whose first row makes the collection that it is in. */
static int call_add(int file)
{
	struct vss_vector_data row = { .id = 7, .dimension = 128, .data = { 1 } };

	return attempt(file, VSS_ADD_VECTOR, &row);
}

static uint64_t default_rows(void)
{
	int file = device_open(O_RDWR);
	uint64_t count = device_stats(file).count;

	close(file);
	return count;
}

static bool check_add(int error)
{
	uint64_t count = default_rows();

	return drop_quietly("default") == (error ? ENOENT : 0) && count == !error;
}

static int one_default(void)
{
	int file = device_open(O_RDWR);

	if (device_add(file, 1, 128, 1))
		ktap_bail_out("cannot add a row");
	return file;
}

static bool check_add_second(int error)
{
	uint64_t count = default_rows();

	return !drop_quietly("default") && count == (error ? 1 : 2);
}

static int call_query(int file)
{
	struct vss_query_data query = { .k = 8, .dimension = 128 };
	int error = attempt(file, VSS_QUERY_TOP_K, &query);

	if (!error && (query.k != 1 || query.result_ids[0] != 1))
		ktap_bail_out("%u rows found", query.k);
	return error;
}

static int call_stats(int file)
{
	struct vss_stats stats;

	return attempt(file, VSS_GET_STATS, &stats);
}

static bool check_named(UNUSED int error)
{
	return !drop_quietly(NAME);
}

static bool check_default(UNUSED int error)
{
	return !drop_quietly("default");
}

static bool check_nothing(UNUSED int error)
{
	return true;
}

static const struct command commands[] = {
	{ "open() of the device", unbound, call_open_device, 0, 5, check_nothing },
	{ "ADD_VECTOR of a first row", unbound, call_add, 0, 8, check_add },
	{ "ADD_VECTOR", one_default, call_add, 0, 3, check_add_second },
	{ "QUERY_TOP_K", one_default, call_query, 0, 3, check_default },
	{ "GET_STATS", one_default, call_stats, 0, 1, check_default },
	{ "INFO", unbound, call_info, 0, 3, check_nothing },
	{ "OPEN, private", unbound, call_open_private, 0, 4, check_nothing },
	{ "OPEN, made", unbound, call_create, 0, 4, check_create },
	{ "OPEN, by name", one_named, call_open_named, 0, 3, check_named },
	{ "LIST", one_named, call_list, 0, 5, check_named },
	{ "DROP", one_named, call_drop, 0, 3, check_drop },
	{ "PUT of rows with all they may have", empty_wide, call_put_full, 120, 300, NULL },
	{ "PUT over rows", some_wide, call_put_full, 40, 100, NULL },
	{ "PUT of many small rows", empty_narrow, call_put_narrow, 1000, 30, NULL },
	{ "PUT into a ring", full_ring, call_put_full, 40, 100, NULL },
	{ "PUT into a full cache", full_cache, call_put_further, 30, 15, NULL },
	{ "GET", some_wide, call_get, 0, 60, NULL },
	{ "SCAN", some_wide, call_scan, 0, 60, NULL },
	{ "SEARCH", three_blocks, call_search, 0, 6, NULL },
	{ "SEARCH of many in a range by tags", some_coded, call_search_many, 0, 200, NULL },
	{ "DELETE", some_narrow, call_delete, 890, 8, NULL },
	{ "DELETE of what matches", some_wide, call_delete_matching, 1, 3, NULL },
	{ "CLEAR", some_wide, call_clear, 1, 3, NULL },
	{ "CONFIGURE", some_wide, call_configure, 1, 3, NULL },
	{ "STAT", some_wide, call_stat, 0, 3, NULL },
	{ "poll()", some_wide, call_poll, 0, 1, NULL },
};

/* A row as it was read. */
struct row {
	uint64_t id;
	uint64_t tags;
	uint32_t size;
	bool whole;
};

/* The order in which rows are put here: by versions, and of each by ids. */
static int by_age(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->tags != right->tags)
		return left->tags < right->tags ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Reads all rows, of which each must be what its id and tags say, oldest first. */
static uint32_t read_rows(int file, struct row *rows)
{
	struct vss_scan scan = {
		.count = ROWS, .dimension = dimension, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = sizeof(payloads),
	};
	uint32_t i, j, count = 0;
	size_t at;

	if (scan.count > FLOATS / dimension)
		scan.count = FLOATS / dimension;
	while (scan.cursor != VSS_CURSOR_END) {
		if (RUN(file, VSS_SCAN, &scan))
			ktap_bail_out("cannot scan");
		for (at = i = 0; i < scan.done; i++) {
			struct row *row = &rows[count++];
			const float *vector = vectors + i * dimension;

			if (count > 2 * ROWS)
				ktap_bail_out("more rows than were put");
			*row = (struct row){ ids[i], tags[i], sizes[i], true };
			for (j = 0; j < dimension; j++)
				row->whole &= vector[j] == component(row->id, row->tags, j);
			if (row->size == VSS_NO_PAYLOAD)
				continue;
			row->whole &= row->size == payload_size(row->id, row->tags);
			for (j = 0; j < row->size; j++)
				row->whole &= payloads[at++] == (char)row->id;
		}
	}
	qsort(rows, count, sizeof(*rows), by_age);
	return count;
}

static bool are_same(const struct row *rows, const struct row *others,
		     uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!rows[i].whole || rows[i].id != others[i].id ||
		    rows[i].tags != others[i].tags || rows[i].size != others[i].size)
			return false;
	}
	return true;
}

/* How many blocks hold rows: the size of an index hangs on where its ids fall. */
static uint64_t blocks(const struct vss_stat *stat)
{
	return (stat->bytes - stat->payload_bytes) / BLOCK_BYTES;
}

/*
 * Whether two collections hold the same, in rows and in what STAT says. One that
 * lacks memory for a row of a ring gives way: it may have fewer of the oldest.
 */
static bool is_same(int file, int twin)
{
	static struct row rows[2 * ROWS], others[2 * ROWS];
	struct vss_stat stat = collection_stat(file);
	struct vss_stat other = collection_stat(twin);
	uint32_t count = read_rows(file, rows), more = read_rows(twin, others);

	if (count != stat.count || more != other.count || !adds_up(&stat))
		return false;
	if (stat.pressure_evictions)
		return stat.eviction == VSS_EVICTION_FIFO && count <= more &&
		       are_same(rows, others + more - count, count);
	return count == more && are_same(rows, others, count) &&
	       blocks(&stat) == blocks(&other) &&
	       stat.payload_bytes == other.payload_bytes &&
	       stat.capacity == other.capacity && stat.ttl == other.ttl &&
	       stat.eviction == other.eviction &&
	       stat.max_bytes == other.max_bytes &&
	       stat.inserts == other.inserts && stat.updates == other.updates &&
	       stat.deletes == other.deletes && stat.evictions == other.evictions;
}

/* Makes a collection as if @count steps had been done, and nothing failed. */
static int make_twin(const struct command *command, uint32_t count)
{
	int twin = command->begin();

	steps = count;
	if (count && command->call(twin))
		ktap_bail_out("%s fails where nothing does", command->name);
	return twin;
}

static bool is_as_after(const struct command *command, int file, uint32_t count)
{
	int twin = make_twin(command, count);
	bool same = is_same(file, twin);

	close(twin);
	return same;
}

/* Whether all is as it must be after a call that returned @error. */
static bool is_right(const struct command *command, int file, int error)
{
	uint32_t said = done;

	if (command->check)
		return command->check(error);
	if (!error)
		return is_as_after(command, file, command->steps);
	if (said != UNWRITTEN)
		return is_as_after(command, file, said);
	/* The answer did not arrive: of the whole, or of nothing. */
	return error == EFAULT && (is_as_after(command, file, 0) ||
				   is_as_after(command, file, command->steps));
}

/* What came of the points of a command. */
struct tally {
	unsigned int points, out_of_memory, faults, others;
	/* How often the store was wrong, and at which point first, after which errno. */
	unsigned int wrong, first;
	int error;
};

/* Runs a command whose point @n fails; returns whether it came to that. */
static bool sweep_point(const struct command *command, unsigned int n,
			struct tally *tally)
{
	int file = command->begin(), error;
	bool came;

	done = command->steps ? UNWRITTEN : 0;
	steps = command->steps;
	fail_at = n;
	error = command->call(file);
	fail_at = 0;
	came = reached;
	tally->points += came;
	tally->out_of_memory += error == ENOMEM;
	tally->faults += error == EFAULT;
	tally->others += error && error != ENOMEM && error != EFAULT;
	if (!is_right(command, file, error) && !tally->wrong++) {
		tally->first = n;
		tally->error = error;
	}
	close(file);
	return came;
}

/* Returns how many points there were. */
static unsigned int sweep(const struct command *command)
{
	struct tally tally = { };
	struct vss_info info;
	unsigned int n = 1;
	int file;

	while (n < POINTS && sweep_point(command, n, &tally))
		n++;
	ktap_ok(!tally.others && !tally.wrong && n < POINTS &&
		tally.points >= command->least,
		"%s: %u points: %u ENOMEM, %u EFAULT, %u passed over",
		command->name, tally.points, tally.out_of_memory, tally.faults,
		tally.points - tally.out_of_memory - tally.faults);
	if (tally.others || tally.wrong)
		printf("# %u times another errno; %u times not as it must be, first at point %u, errno %d\n",
		       tally.others, tally.wrong, tally.first, tally.error);
	file = device_open(O_RDWR);
	info = driver_info(file);
	close(file);
	ktap_ok(!info.bytes && !info.collections,
		"%s: nothing is left: %llu bytes, %u collections", command->name,
		(unsigned long long)info.bytes, info.collections);
	return tally.points;
}

int main(void)
{
	size_t i, count = sizeof(commands) / sizeof(*commands);
	unsigned int points = 0;

	prepare_faults();
	for (i = 0; i < count; i++)
		points += sweep(&commands[i]);
	printf("# %u points of %zu sequences\n", points, count);
	return ktap_done();
}
