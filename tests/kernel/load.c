// SPDX-License-Identifier: MIT
/*
 * Everything at once, and killed: processes of several threads mix all commands
 * on collections that they share and on ones of their own, while one after the
 * other is killed, anywhere, and another takes its place, and while the module
 * is told to go. Every answer is judged: each part of a row follows from its id
 * and one of few generations, so that a row of two shows, as does a distance
 * that no row of this id can have. What the processes count lies in memory that
 * they share, in atomic words: so it survives them.
 *
 * `load [SECONDS [PROCESSES [THREADS [SEED]]]]`
 *
 * arguments: 5 4 2
 * arguments on uml: 8 16 4
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "aftermath.h"
#include "caches.h"
#include "draw.h"
#include "fork.h"
#include "versions.h"

#define MIB (1ULL << 20)
#define LASTING 64		/* rows that are always there */
#define BATCH 32
#define QUERIES 3
#define MOST_HITS 80
#define MOST_DIMENSION 512
#define OWN 3			/* files of a thread */
#define SHARED 3		/* files of a process */
#define MOST_COMPLAINTS 20

enum which {
	INFO, OPEN, DROP, LIST, PUT, GET, DELETE, SEARCH, SCAN, STAT, CLEAR,
	CONFIGURE, ADD_VECTOR, QUERY_TOP_K, GET_STATS, COMMANDS,
};

/* A command: what its collection must be bound for, and how it may fail. */
static const struct command {
	const char *name;
	bool reads, writes;
	int errors[6];
} commands[COMMANDS] = {
	[INFO] = { "INFO", false, false, { } },
	[OPEN] = { "OPEN", false, false, { ENOENT, EEXIST, ENOSPC, ENOMEM } },
	[DROP] = { "DROP", false, false, { ENOENT } },
	[LIST] = { "LIST", false, false, { ENOMEM } },
	[PUT] = { "PUT", false, true, { ENOENT, EEXIST, ENOSPC, EDQUOT, ENOMEM } },
	[GET] = { "GET", true, false, { ENOENT, ENOMEM } },
	[DELETE] = { "DELETE", false, true, { ENOENT, ENOMEM } },
	[SEARCH] = { "SEARCH", true, false, { ENOENT, ENOMEM } },
	[SCAN] = { "SCAN", true, false, { ENOENT, ENOMEM } },
	[STAT] = { "STAT", true, false, { ENOENT } },
	[CLEAR] = { "CLEAR", false, true, { ENOENT } },
	[CONFIGURE] = { "CONFIGURE", false, true, { ENOENT } },
	[ADD_VECTOR] = { "ADD_VECTOR", false, true, { EEXIST, ENOSPC, EDQUOT, ENOMEM } },
	[QUERY_TOP_K] = { "QUERY_TOP_K", true, false, { ENOMEM } },
	[GET_STATS] = { "GET_STATS", true, false, { } },
};

/* A collection, and the ids that its rows may have. */
struct kind {
	const char *name;
	uint32_t flags, dimension, metric, eviction;
	uint64_t capacity, max_bytes, ttl, first, ids;
};

enum { DEFAULT, LASTS, PRIVATE };

static const struct kind kinds[] = {
	[DEFAULT] = { "default", 0, 16, VSS_METRIC_L2SQ, VSS_EVICTION_NONE,
		      0, 0, 0, 0, 512 },
	/* Its rows are replaced, and never go. */
	[LASTS] = { "lasts", 0, MOST_DIMENSION, VSS_METRIC_L2SQ, VSS_EVICTION_NONE,
		    0, 0, 0, 0, LASTING },
	[PRIVATE] = { "", VSS_OPEN_PRIVATE, 36, VSS_METRIC_L2SQ, VSS_EVICTION_NONE,
		      0, 0, 0, 1ULL << 40, 512 },
	{ "store", 0, 40, VSS_METRIC_COS, VSS_EVICTION_NONE, 400, 0, 0, 0, 512 },
	{ "ring", VSS_OPEN_NO_CODES, 64, VSS_METRIC_IP, VSS_EVICTION_FIFO,
	  300, 0, 0, 0, 512 },
	{ "cache", 0, 48, VSS_METRIC_COS, VSS_EVICTION_LRU, 300, 0, 0, 0, 512 },
	/* Of some blocks, each of which comes and goes. */
	{ "wide", VSS_OPEN_NO_CODES, MOST_DIMENSION, VSS_METRIC_L2SQ,
	  VSS_EVICTION_FIFO, 0, 7 * MIB, 0, 1ULL << 40, 5000 },
	{ "brief", 0, 8, VSS_METRIC_L2SQ, VSS_EVICTION_LRU,
	  0, 0, 300 * MS, 0, 512 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A file, and what it is bound to; one that is not has the default one. */
struct bound {
	int file;
	const struct kind *kind;
	bool bound, reads, writes;
};

/* Counted by all processes. */
static struct tally {
	atomic_bool over;
	atomic_ulong calls[COMMANDS], succeeded[COMMANDS];
	atomic_ulong full, over_quota, out_of_memory;
	atomic_ulong polls, mistakes, lives;
	atomic_ulong torn, wrong, strange, complaints;
	atomic_ulong refused_unloads, other_unloads;
} *tally;

/* A thread's memory for rows. */
struct memory {
	struct bound own[OWN];
	uint64_t ids[BATCH], tags[BATCH], ttls[BATCH];
	uint32_t sizes[BATCH];
	uint8_t found[BATCH / 8];
	float vectors[BATCH * MOST_DIMENSION];
	uint8_t payloads[VSS_MAX_PAYLOAD];
	float queries[QUERIES * MOST_DIMENSION];
	uint32_t values[QUERIES], counts[QUERIES];
	uint64_t hit_ids[QUERIES * MOST_HITS];
	float distances[QUERIES * MOST_HITS];
};

static __thread struct memory *my;
static struct bound shared_files[SHARED];
static int processes, threads;
static uint64_t seed;

/* Counts what must not be, and says the first of it, in one write. */
__attribute__((format(printf, 2, 3)))
static void complain(atomic_ulong *count, const char *format, ...)
{
	char line[200] = "# ";
	va_list arguments;
	size_t length;

	atomic_fetch_add(count, 1);
	if (atomic_fetch_add(&tally->complaints, 1) >= MOST_COMPLAINTS)
		return;
	va_start(arguments, format);
	vsnprintf(line + 2, sizeof(line) - 3, format, arguments);
	va_end(arguments);
	length = strlen(line);
	line[length++] = '\n';
	if (write(STDOUT_FILENO, line, length) < 0)
		_exit(1);
}

static bool forgets(const struct kind *kind)
{
	return kind->eviction != VSS_EVICTION_NONE;
}

static bool may_fail(enum which which, const struct bound *at, int error)
{
	const int *listed = commands[which].errors;

	/* What it is bound to is there, and one that forgets is never full. */
	if (error == ENOENT && at && at->bound && which != OPEN && which != DROP)
		return false;
	if (error == ENOSPC && at && at->bound && forgets(at->kind))
		return false;
	while (*listed && *listed != error)
		listed++;
	return *listed == error;
}

/* Counts a call, and whether it may end so. */
static int judge(enum which which, const struct bound *at, int error)
{
	const struct command *command = &commands[which];
	bool allowed = !at || ((at->reads || !command->reads) &&
			       (at->writes || !command->writes));

	atomic_fetch_add(&tally->calls[which], 1);
	if (!error)
		atomic_fetch_add(&tally->succeeded[which], 1);
	tally->full += error == ENOSPC;
	tally->over_quota += error == EDQUOT;
	tally->out_of_memory += error == ENOMEM;
	if (allowed ? error && !may_fail(which, at, error) : error != EBADF)
		complain(&tally->strange, "%s on %s gave %d", command->name,
			 at ? at->kind->name : "nothing", error);
	return error;
}

#define CALL(_name, _at, _struct) \
	judge(_name, _at, RUN((_at)->file, VSS_##_name, _struct))

/* Protocol 1, whose structs have no header. */
#define CALL1(_name, _at, _struct) \
	judge(_name, _at, device_call((_at)->file, VSS_##_name, _struct))

/* Counts an answer that is not right. */
#define EXPECT(_right, _at, _what) \
	do { \
		if (!(_right)) \
			complain(&tally->wrong, "%s: %s", (_at)->kind->name, _what); \
	} while (0)

static bool is_id(const struct kind *kind, uint64_t id)
{
	return id >= kind->first && id < kind->first + kind->ids;
}

static struct filter some_filter(void)
{
	switch (below(6)) {
	case 0:
		return (struct filter) { 7, below(GENERATIONS) << 1 | 1 };
	case 1:
		return (struct filter) { 0x39, below(GROUPS) << 3 | 1 };
	case 2:
		return (struct filter) { 1, 0 };
	}
	return (struct filter) { };
}

static void judge_row(const struct bound *at, uint64_t id, struct filter filter,
		      struct parts parts)
{
	uint32_t i;

	for (i = 0; is_id(at->kind, id) && i < VERSIONS; i++) {
		struct version row = version_of(id, i);

		if (matches(filter, row) && is_version(at->kind->dimension, row, &parts))
			return;
	}
	complain(&tally->torn, "%s: row %llu is none that was put", at->kind->name,
		 (unsigned long long)id);
}

static void judge_hit(const struct bound *at, uint64_t id, float distance,
		      uint32_t query, struct filter filter)
{
	uint32_t i;

	for (i = 0; is_id(at->kind, id) && i < VERSIONS; i++) {
		struct version row = version_of(id, i);

		if (matches(filter, row) &&
		    has_distance(at->kind->metric, at->kind->dimension, row,
				 query, distance))
			return;
	}
	complain(&tally->torn, "%s: row %llu cannot be at %g from %u",
		 at->kind->name, (unsigned long long)id, distance, query);
}

/* Rows of following ids into this thread's memory; fewer where payloads fill it. */
static uint32_t make_rows(const struct kind *kind, uint64_t from, uint32_t count,
			  __u64 *bytes)
{
	uint32_t i;

	*bytes = 0;
	for (i = 0; i < count; i++) {
		uint64_t id = kind->first + (from + i) % kind->ids;
		struct version row = version_of(id, below(GENERATIONS) * 2);
		uint32_t size = size_of(row);

		if (size != VSS_NO_PAYLOAD && *bytes + size > VSS_MAX_PAYLOAD)
			break;
		my->ids[i] = id;
		my->tags[i] = tag_of(row);
		my->sizes[i] = size;
		my->ttls[i] = one_in(3) ? VSS_TTL_NEVER : below(2) * 50 * MS;
		fill_vector(&my->vectors[i * kind->dimension], kind->dimension,
			    value_of(row));
		if (size == VSS_NO_PAYLOAD)
			continue;
		fill_payload(&my->payloads[*bytes], row);
		*bytes += size;
	}
	return i;
}

static bool lasts(const struct bound *at)
{
	return at->kind == &kinds[LASTS];
}

static int put_some(const struct bound *at, uint64_t from, uint32_t count,
		    uint32_t flags)
{
	struct vss_put put = {
		.flags = flags, .dimension = at->kind->dimension,
		.ids = ADDRESS(my->ids), .vectors = ADDRESS(my->vectors),
		.tags = ADDRESS(my->tags), .payload_sizes = ADDRESS(my->sizes),
		.payloads = ADDRESS(my->payloads),
	};
	int error;

	put.count = make_rows(at->kind, from, count, &put.payload_bytes);
	if (!put.payload_bytes)
		put.payloads = 0;
	if (at->bound && forgets(at->kind) && one_in(4))
		put.ttls = ADDRESS(my->ttls);
	error = CALL(PUT, at, &put);
	EXPECT((error ? put.done < put.count : put.done == put.count) &&
	       put.inserted + put.updated == put.done, at, "PUT miscounts");
	EXPECT(forgets(at->kind) || !put.evicted, at, "PUT evicts");
	EXPECT(error != EEXIST || !(flags & VSS_PUT_UPSERT), at, "UPSERT: EEXIST");
	return error;
}

static void put(const struct bound *at)
{
	bool upsert = lasts(at) || !one_in(4);

	put_some(at, below(at->kind->ids), 1 + below(BATCH),
		 upsert ? VSS_PUT_UPSERT : 0);
}

static void judge_gotten(const struct bound *at, const struct vss_get *get)
{
	const uint8_t *payload = my->payloads;
	uint32_t i, size, hits = 0;

	for (i = 0; i < get->done; i++) {
		const float *vector = &my->vectors[i * at->kind->dimension];
		bool found = my->found[i / 8] >> i % 8 & 1;

		size = my->sizes[i];
		hits += found;
		if (found)
			judge_row(at, my->ids[i], (struct filter) { },
				  (struct parts) {
					get->vectors ? vector : NULL,
					get->tags ? &my->tags[i] : NULL,
					&my->sizes[i],
					get->payloads ? payload : NULL });
		else
			EXPECT(size == VSS_NO_PAYLOAD &&
			       (!get->tags || !my->tags[i]) &&
			       (!get->vectors || (!vector[0] && !vector[1])),
			       at, "GET tells of a row that is not there");
		if (get->payloads && size != VSS_NO_PAYLOAD)
			payload += size;
	}
	EXPECT(hits == get->hits && (!lasts(at) || hits == get->done), at,
	       "GET misses rows");
}

static void get_rows(const struct bound *at, uint64_t from, uint32_t count)
{
	struct vss_get get = {
		.count = count, .dimension = at->kind->dimension,
		.ids = ADDRESS(my->ids), .payload_sizes = ADDRESS(my->sizes),
		.found = ADDRESS(my->found),
	};
	uint32_t i;

	for (i = 0; i < count; i++)
		my->ids[i] = at->kind->first + (from + i) % at->kind->ids;
	if (!one_in(4))
		get.vectors = ADDRESS(my->vectors);
	if (!one_in(4))
		get.tags = ADDRESS(my->tags);
	if (!one_in(4)) {
		get.payloads = ADDRESS(my->payloads);
		get.payload_bytes = sizeof(my->payloads);
	}
	if (CALL(GET, at, &get))
		return;
	EXPECT(get.done == count || (get.payloads && get.done < count), at,
	       "GET ends early");
	judge_gotten(at, &get);
}

static void get(const struct bound *at)
{
	get_rows(at, below(at->kind->ids), 1 + below(BATCH));
}

static void delete(const struct bound *at)
{
	struct vss_delete delete = { .count = 1 + below(BATCH / 2),
				     .ids = ADDRESS(my->ids) };
	uint64_t from = below(at->kind->ids);
	bool matching = one_in(8);
	uint32_t i;

	if (lasts(at))
		return;
	for (i = 0; i < delete.count; i++)
		my->ids[i] = at->kind->first + (from + i) % at->kind->ids;
	if (matching)
		delete = (struct vss_delete) {
			.flags = VSS_DELETE_MATCHING, .tag_mask = 0x1ff,
			.tag_value = tag_of(version_of(from, 0)) & 0x1ff,
		};
	if (!CALL(DELETE, at, &delete))
		EXPECT(matching ? delete.done == delete.deleted :
		       delete.done == delete.count && delete.deleted <= delete.count,
		       at, "DELETE miscounts");
}

static void judge_hits(const struct bound *at, const struct vss_search *search,
		       uint32_t n)
{
	struct filter filter = { search->tag_mask, search->tag_value };
	const float *distances = &my->distances[n * search->k];
	const uint64_t *ids = &my->hit_ids[n * search->k];
	uint32_t i, j, count = my->counts[n];

	EXPECT(count <= search->k, at, "SEARCH finds too many");
	for (i = 0; i < count && count <= search->k; i++) {
		judge_hit(at, ids[i], distances[i], my->values[n], filter);
		EXPECT(!i || distances[i - 1] < distances[i] ||
		       (distances[i - 1] == distances[i] && ids[i - 1] < ids[i]),
		       at, "SEARCH does not sort");
		for (j = 0; j < i; j++)
			EXPECT(ids[j] != ids[i], at, "SEARCH finds a row twice");
		EXPECT(!(search->flags & VSS_SEARCH_RANGE) ||
		       distances[i] <= search->max_distance, at,
		       "SEARCH finds a row that is too far");
	}
	EXPECT(!lasts(at) || filter.mask || search->flags ||
	       count == (search->k < LASTING ? search->k : LASTING), at,
	       "SEARCH misses rows");
}

static int search_some(const struct bound *at, struct vss_search *search)
{
	uint32_t i, dimension = at->kind->dimension;
	int error;

	search->dimension = dimension;
	search->queries = ADDRESS(my->queries);
	search->ids = ADDRESS(my->hit_ids);
	search->distances = ADDRESS(my->distances);
	search->counts = ADDRESS(my->counts);
	for (i = 0; i < search->count; i++) {
		my->values[i] = below(9);
		fill_vector(&my->queries[i * dimension], dimension, my->values[i]);
	}
	error = CALL(SEARCH, at, search);
	EXPECT(error ? search->done < search->count :
	       search->done == search->count, at, "SEARCH miscounts");
	EXPECT(search->computed <= search->scanned, at, "SEARCH computes too much");
	for (i = 0; !error && i < search->count; i++)
		judge_hits(at, search, i);
	return error;
}

static void search(const struct bound *at)
{
	struct filter filter = some_filter();
	struct vss_search search = {
		.count = 1 + below(QUERIES), .k = 1 + below(MOST_HITS),
		.tag_mask = filter.mask, .tag_value = filter.value,
	};

	if (one_in(4)) {
		search.flags = VSS_SEARCH_RANGE;
		search.max_distance = at->kind->metric == VSS_METRIC_COS ?
			0.3f : at->kind->metric == VSS_METRIC_IP ? -500 : 2000;
	}
	search_some(at, &search);
}

static void judge_scanned(const struct bound *at, const struct vss_scan *scan,
			  uint8_t *seen)
{
	struct filter filter = { scan->tag_mask, scan->tag_value };
	const uint8_t *payload = my->payloads;
	uint32_t i;

	EXPECT(scan->done <= scan->count, at, "SCAN reads too many");
	for (i = 0; i < scan->done && scan->done <= scan->count; i++) {
		uint64_t id = my->ids[i];

		judge_row(at, id, filter, (struct parts) {
			&my->vectors[i * at->kind->dimension], &my->tags[i],
			&my->sizes[i], payload });
		if (my->sizes[i] != VSS_NO_PAYLOAD)
			payload += my->sizes[i];
		if (id < LASTING)
			seen[id]++;
	}
}

static void scan(const struct bound *at)
{
	struct filter filter = some_filter();
	struct vss_scan scan = {
		.count = 1 + below(BATCH), .dimension = at->kind->dimension,
		.tag_mask = filter.mask, .tag_value = filter.value,
		.ids = ADDRESS(my->ids), .vectors = ADDRESS(my->vectors),
		.tags = ADDRESS(my->tags), .payload_sizes = ADDRESS(my->sizes),
		.payloads = ADDRESS(my->payloads),
		.payload_bytes = sizeof(my->payloads),
	};
	uint8_t seen[LASTING] = { 0 };
	uint32_t i, pieces;

	for (pieces = 0; pieces < 100 && scan.cursor != VSS_CURSOR_END; pieces++) {
		if (CALL(SCAN, at, &scan))
			return;
		judge_scanned(at, &scan, seen);
	}
	if (!lasts(at) || filter.mask)
		return;
	for (i = 0; i < LASTING; i++)
		EXPECT(seen[i] == 1, at, "SCAN does not read each row once");
}

static void clear(const struct bound *at)
{
	struct vss_clear clear = { };

	if (!lasts(at))
		CALL(CLEAR, at, &clear);
}

static void tell(const struct bound *at)
{
	const struct kind *kind = at->kind;
	struct vss_stat stat;

	if (CALL(STAT, at, &stat))
		return;
	EXPECT(stat.dimension == kind->dimension && stat.metric == kind->metric &&
	       !strcmp(stat.name, kind->name) && forgets(kind) == !!stat.eviction,
	       at, "STAT tells of another");
	EXPECT(adds_up(&stat), at, "the counters do not add up");
	EXPECT(forgets(kind) || (!stat.evictions && !stat.pressure_evictions), at,
	       "rows were evicted");
	EXPECT(!lasts(at) || stat.count == LASTING, at, "STAT misses rows");
	EXPECT(stat.count <= kind->ids, at, "STAT tells of more rows than there are ids");
}

static void configure_some(const struct bound *at)
{
	struct vss_configure change = { .flags = 1 + below(31) };
	const struct kind *kind = at->kind;

	if (lasts(at))
		return;
	if (kind == &kinds[PRIVATE] || !at->bound)
		change.flags = VSS_CONFIGURE_CAPACITY;
	if (change.flags & VSS_CONFIGURE_CAPACITY)
		change.capacity = kind->ids / 4 + below(kind->ids);
	if (change.flags & VSS_CONFIGURE_EVICTION)
		change.eviction = forgets(kind) ? 1 + below(2) : 0;
	if (change.flags & VSS_CONFIGURE_TTL)
		change.ttl = one_in(2) ? 0 : 100 * MS + below(900 * MS);
	if (change.flags & VSS_CONFIGURE_MODE)
		change.mode = one_in(2) ? 0600 : 0666;
	if (change.flags & VSS_CONFIGURE_MAX_BYTES)
		change.max_bytes = one_in(2) ? 0 : (3 + below(6)) * MIB;
	CALL(CONFIGURE, at, &change);
}

static void info(const struct bound *at)
{
	struct vss_info info;

	if (CALL(INFO, at, &info))
		return;
	EXPECT(info.bytes <= info.max_bytes &&
	       info.collections <= info.max_collections &&
	       info.max_rows == VSS_MAX_ROWS && info.collections > 0, at,
	       "INFO is wrong");
}

static const struct kind *kind_named(const char *name)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (i != PRIVATE && !strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static void list(const struct bound *at)
{
	struct vss_list_record records[4];
	struct vss_list list = {
		.count = 1 + below(4), .record_size = sizeof(*records),
		.records = ADDRESS(records),
	};
	uint64_t serial = 0;
	bool lasting = false;
	uint32_t i;

	while (list.cursor != VSS_CURSOR_END) {
		if (CALL(LIST, at, &list))
			return;
		for (i = 0; i < list.done && i < list.count; i++) {
			const struct kind *kind = kind_named(records[i].name);

			EXPECT(kind && kind->dimension == records[i].dimension &&
			       kind->metric == records[i].metric &&
			       records[i].serial > serial, at, "LIST is wrong");
			serial = records[i].serial;
			lasting |= kind == &kinds[LASTS];
		}
	}
	EXPECT(lasting, at, "LIST misses one");
}

/* Binds a file to the collection of its kind, which may be made. */
static int bind_kind(struct bound *at, uint32_t flags)
{
	const struct kind *kind = at->kind;
	struct vss_open open = { .flags = flags };
	int error;

	strcpy(open.name, kind->name);
	if (flags & (VSS_OPEN_CREATE | VSS_OPEN_PRIVATE)) {
		open.flags |= kind->flags;
		open.dimension = kind->dimension;
		open.metric = kind->metric;
		open.eviction = kind->eviction;
		open.capacity = kind->capacity;
		open.max_bytes = kind->max_bytes;
		open.ttl = kind->ttl;
		open.mode = kind == &kinds[PRIVATE] ? 0 : 0666;
	}
	error = judge(OPEN, NULL, RUN(at->file, VSS_OPEN, &open));
	EXPECT(error || (open.dimension == kind->dimension &&
			 open.metric == kind->metric && open.serial),
	       at, "OPEN binds to another");
	EXPECT(kind != &kinds[LASTS] ||
	       error == (flags & VSS_OPEN_EXCLUSIVE ? EEXIST : 0), at, "is lost");
	return error;
}

static void open_own(struct bound *at)
{
	static const uint32_t ways[] = {
		VSS_OPEN_CREATE, VSS_OPEN_CREATE, VSS_OPEN_CREATE, 0,
		VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE, VSS_OPEN_READ_ONLY,
		VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY,
		VSS_OPEN_CREATE | VSS_OPEN_WRITE_ONLY,
	};
	struct bound new = { .file = at->file, .kind = &kinds[below(KINDS)] };
	uint32_t flags = ways[below(sizeof(ways) / sizeof(ways[0]))];

	if (new.kind == &kinds[PRIVATE])
		flags = VSS_OPEN_PRIVATE;
	if (bind_kind(&new, flags))
		return;
	new.bound = true;
	new.reads = !(flags & VSS_OPEN_WRITE_ONLY);
	new.writes = !(flags & VSS_OPEN_READ_ONLY);
	*at = new;
}

static void open_new(struct bound *at)
{
	*at = (struct bound) { device_open(O_RDWR), &kinds[DEFAULT], false, true,
			       true };
}

static void reopen_own(struct bound *at)
{
	close(at->file);
	open_new(at);
}

/* One of the process's files is bound anew, while other threads use it. */
static void open_shared(void)
{
	bind_kind(&shared_files[1 + below(SHARED - 1)], VSS_OPEN_CREATE);
}

static void drop(const struct bound *at)
{
	const struct kind *kind = &kinds[below(KINDS)];
	struct vss_drop drop = { };

	if (kind == &kinds[LASTS] || kind == &kinds[PRIVATE])
		return;
	strcpy(drop.name, kind->name);
	judge(DROP, NULL, RUN(at->file, VSS_DROP, &drop));
}

static bool fits_protocol1(const struct bound *at)
{
	return at->kind->dimension <= VSS_V1_MAX_DIMENSION;
}

static void add_vector(const struct bound *at)
{
	struct vss_vector_data row = { .dimension = at->kind->dimension };
	uint32_t id = at->kind->first + below(at->kind->ids);

	/* Its ids are short, so that some collections can have none of its rows. */
	if (!fits_protocol1(at) || at->kind->first)
		return;
	row.id = id;
	fill_vector(row.data, row.dimension,
		    value_of(version_of(id, below(VERSIONS))));
	CALL1(ADD_VECTOR, at, &row);
}

static void query_top_k(const struct bound *at)
{
	struct vss_query_data query = { .k = 1 + below(VSS_V1_MAX_K),
					.dimension = at->kind->dimension };
	uint32_t i, asked = query.k, value = below(9);

	if (!fits_protocol1(at))
		return;
	fill_vector(query.query_vector, query.dimension, value);
	if (CALL1(QUERY_TOP_K, at, &query))
		return;
	EXPECT(query.k <= asked && (!lasts(at) || query.k == asked), at,
	       "QUERY_TOP_K miscounts");
	for (i = 0; i < query.k && query.k <= asked; i++) {
		judge_hit(at, query.result_ids[i], query.distances[i], value,
			  (struct filter) { });
		EXPECT(!i || query.distances[i - 1] < query.distances[i] ||
		       (query.distances[i - 1] == query.distances[i] &&
			query.result_ids[i - 1] < query.result_ids[i]), at,
		       "QUERY_TOP_K does not sort");
	}
}

static void get_stats(const struct bound *at)
{
	struct vss_stats stats;

	if (!CALL1(GET_STATS, at, &stats))
		EXPECT(stats.count <= at->kind->ids && !stats.reserved &&
		       stats.metric == at->kind->metric, at, "GET_STATS is wrong");
}

static void poll_file(const struct bound *at)
{
	struct pollfd polled = { at->file, POLLIN | POLLOUT | POLLPRI, 0 };

	atomic_fetch_add(&tally->polls, 1);
	EXPECT(poll(&polled, 1, 0) == 1 &&
	       (polled.revents & ~POLLPRI) == (POLLIN | POLLOUT), at,
	       "poll() says that it would have to wait");
	polled.events = POLLPRI;
	polled.revents = 0;
	if (poll(&polled, 1, below(4)) > 0)
		EXPECT(polled.revents == POLLPRI && forgets(at->kind), at,
		       "poll() tells of rows that never go");
}

/* Calls that are wrong by one thing, each with its errno. */
static void mistake(const struct bound *at)
{
	uint32_t dimension = at->kind->dimension;
	struct vss_put put = { .count = 1, .dimension = dimension + 1 };
	struct vss_get get = { .count = 1, .dimension = dimension };
	struct vss_search search = { .count = 1, .dimension = dimension };
	struct vss_configure change = { };
	struct vss_drop nameless = { };

	if (!at->bound || !at->reads || !at->writes)
		return;
	atomic_fetch_add(&tally->mistakes, 1);
	EXPECT(RUN(at->file, VSS_PUT, &put) == EINVAL, at, "a longer row");
	put.dimension = dimension;
	EXPECT(RUN(at->file, VSS_PUT, &put) == EFAULT, at, "a row from nowhere");
	EXPECT(RUN(at->file, VSS_GET, &get) == EFAULT, at, "ids from nowhere");
	EXPECT(RUN(at->file, VSS_SEARCH, &search) == EINVAL, at, "no hits");
	EXPECT(RUN(at->file, VSS_CONFIGURE, &change) == EINVAL, at, "no change");
	EXPECT(RUN(at->file, VSS_DROP, &nameless) == EINVAL, at, "no name");
	EXPECT(device_call(at->file, _IO(VSS_IOC_MAGIC, 0x7f), &put) == ENOTTY, at,
	       "no command");
}

/* A collection that nobody else has: of that, all is known. */
static void live(void)
{
	struct bound at = { device_open(O_RDWR), &kinds[PRIVATE], true, true, true };
	struct vss_search all = { .count = 1, .k = MOST_HITS };
	uint64_t from = below(at.kind->ids);
	struct vss_delete delete = { .count = 4, .ids = ADDRESS(my->ids) };
	struct vss_stat stat = { };

	if (bind_kind(&at, VSS_OPEN_PRIVATE) || put_some(&at, from, 8, 0))
		goto close;
	EXPECT(search_some(&at, &all) || my->counts[0] == 8, &at, "misses its rows");
	get_rows(&at, from, 8);
	if (CALL(DELETE, &at, &delete))
		goto close;
	EXPECT(delete.deleted == 4, &at, "misses what is to be deleted");
	EXPECT(search_some(&at, &all) || my->counts[0] == 4, &at, "finds others");
	EXPECT(CALL(STAT, &at, &stat) || (stat.count == 4 && stat.inserts == 8 &&
					  stat.deletes == 4 && !stat.updates),
	       &at, "miscounts its rows");
	atomic_fetch_add(&tally->lives, 1);
close:
	close(at.file);
}

static void act_on_rows(const struct bound *at)
{
	switch (below(20)) {
	case 0 ... 5:
		return put(at);
	case 6 ... 8:
		return get(at);
	case 9 ... 12:
		return search(at);
	case 13:
		return scan(at);
	case 14 ... 15:
		return delete(at);
	case 16 ... 17:
		return add_vector(at);
	case 18:
		return query_top_k(at);
	}
	if (one_in(4))
		clear(at);
}

static void act(struct bound *own, const struct bound *at)
{
	/* As rarely as there are others, lest all be bound to what was dropped. */
	if (one_in(30 * processes * threads))
		drop(at);
	switch (below(40)) {
	case 0 ... 2:
		return open_own(own);
	case 3:
		return one_in(4) ? reopen_own(own) : open_shared();
	case 4 ... 5:
		return tell(at);
	case 6:
		return configure_some(at);
	case 7:
		return info(at);
	case 8:
		return list(at);
	case 9:
		return get_stats(at);
	case 10:
		return poll_file(at);
	case 11:
		return mistake(at);
	case 12:
		return live();
	}
	act_on_rows(at);
}

static void *thread(void *own_seed)
{
	int i;

	draw_seed((uintptr_t)own_seed);
	my = calloc(1, sizeof(*my));
	if (!my)
		ktap_bail_out("cannot get memory");
	for (i = 0; i < OWN; i++)
		open_new(&my->own[i]);
	while (!atomic_load(&tally->over)) {
		struct bound *own = &my->own[below(OWN)];

		act(own, one_in(3) ? &shared_files[below(SHARED)] : own);
	}
	return NULL;
}

/* Runs one process until all is over, or it is killed. */
static void run_process(int number)
{
	pthread_t others[threads];
	uintptr_t first;
	int i;

	draw_seed(seed + 1 + number);
	first = draw() >> 8;
	for (i = 0; i < SHARED; i++) {
		open_new(&shared_files[i]);
		if (!i)
			continue;
		shared_files[i].kind = i == 1 ? &kinds[LASTS] :
			&kinds[PRIVATE + 1 + below(KINDS - PRIVATE - 1)];
		if (bind_kind(&shared_files[i], VSS_OPEN_CREATE))
			ktap_bail_out("cannot open %s", shared_files[i].kind->name);
		shared_files[i].bound = true;
	}
	for (i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, thread, (void *)(first + i)))
			ktap_bail_out("cannot start a thread");
	thread((void *)first);
	for (i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
}

/* Tells the module to go, which files that are open forbid. */
static void unload(int number)
{
	(void)number;
	while (!atomic_load(&tally->over)) {
		if (syscall(SYS_delete_module, "vss", O_NONBLOCK) &&
		    (errno == EWOULDBLOCK || errno == EBUSY))
			atomic_fetch_add(&tally->refused_unloads, 1);
		else
			complain(&tally->other_unloads, "unloading gave %d", errno);
		usleep(50000);
	}
}

static bool ended_by(pid_t child, int signal)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return false;
	return signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal : !status;
}

/* Keeps the processes going; returns how many did not end as they were told to. */
static unsigned int supervise(unsigned int seconds, unsigned int *kills)
{
	uint64_t end = now_ns() + seconds * SECOND;
	pid_t children[processes], unloader;
	unsigned int strays = 0;
	int i, started = 0;

	for (i = 0; i < processes; i++)
		children[i] = start(run_process, started++);
	unloader = start(unload, 0);
	while (now_ns() < end) {
		usleep(20000 + below(300000));
		i = below(processes);
		kill(children[i], SIGKILL);
		strays += !ended_by(children[i], SIGKILL);
		++*kills;
		children[i] = start(run_process, started++);
	}
	atomic_store(&tally->over, true);
	for (i = 0; i < processes; i++)
		strays += !ended_by(children[i], 0);
	return strays + !ended_by(unloader, 0);
}

/* The collection whose rows last; and a cap that is reached at times. */
static struct bound prepare(void)
{
	struct bound at = { device_open(O_RDWR), &kinds[LASTS], true, true, true };
	uint32_t i;

	tally = shared_memory(sizeof(*tally));
	my = calloc(1, sizeof(*my));
	set_parameter("max_bytes", (36 + processes * threads / 8) * MIB);
	if (!my || bind_kind(&at, VSS_OPEN_CREATE))
		ktap_bail_out("cannot make the collection that lasts");
	for (i = 0; i < LASTING; i += 8)
		if (put_some(&at, i, 8, 0))
			ktap_bail_out("cannot put the rows that last");
	return at;
}

static void report(unsigned int kills)
{
	unsigned long calls = 0;
	int i;

	for (i = 0; i < COMMANDS; i++) {
		printf("# %s: %lu calls, %lu succeeded\n", commands[i].name,
		       tally->calls[i], tally->succeeded[i]);
		calls += tally->calls[i];
	}
	printf("# %lu calls, %u processes killed, %lu unloads refused\n", calls,
	       kills, tally->refused_unloads);
	printf("# %lu polls, %lu mistakes, %lu private collections\n",
	       tally->polls, tally->mistakes, tally->lives);
	printf("# ENOSPC %lu times, EDQUOT %lu times, ENOMEM %lu times\n",
	       tally->full, tally->over_quota, tally->out_of_memory);
	for (i = 0; i < COMMANDS; i++)
		ktap_ok(tally->succeeded[i], "%s succeeds at times",
			commands[i].name);
}

/* After all that was killed: the rows that nobody deletes. */
static bool still_there(const struct bound *at)
{
	unsigned long faults = tally->torn + tally->wrong;
	uint32_t from;

	for (from = 0; from < LASTING; from += BATCH / 4)
		get_rows(at, from, BATCH / 4);
	tell(at);
	return tally->torn + tally->wrong == faults;
}

static int word(int count, char **words, int which, int otherwise)
{
	return count > which ? atoi(words[which]) : otherwise;
}

int main(int count, char **words)
{
	unsigned int seconds = word(count, words, 1, 5), kills = 0, strays;
	struct bound lasting;

	processes = word(count, words, 2, 4);
	threads = word(count, words, 3, 2);
	seed = count > 4 ? strtoull(words[4], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %llu: %u s, %d processes of %d threads\n",
	       (unsigned long long)seed, seconds, processes, threads);
	fflush(stdout);
	draw_seed(seed);
	lasting = prepare();
	strays = supervise(seconds, &kills);
	report(kills);
	ktap_ok(!strays && kills, "all processes ended as they were told to");
	ktap_ok(!tally->torn, "no row was torn, and no distance that of another");
	ktap_ok(!tally->wrong, "every answer was right");
	ktap_ok(!tally->strange, "every call ended as the header says");
	ktap_ok(tally->refused_unloads && !tally->other_unloads,
		"the module stayed while files were open");
	ktap_ok(still_there(&lasting), "the rows that last are there");
	close(lasting.file);
	drop_all();
	ktap_ok(nothing_is_left(), "when all is dropped, no memory is left");
	ktap_ok(works(), "rows are put, found and deleted as before");
	ktap_ok(nothing_is_left(), "and again nothing is left");
	return ktap_done();
}
