// SPDX-License-Identifier: MIT
/*
 * What the driver writes to user memory, and what it does not: every struct and
 * every buffer holds a pattern before the call. What the header calls out is
 * written, the rest keeps the pattern; a call that fails writes its status and
 * nothing else; and nothing that comes out looks like an address of the
 * kernel's.
 */
#include <ctype.h>
#include <dirent.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "collections.h"
#include "tracing.h"

#define DIMENSION 40
#define ROWS 20
#define ROOM 64
#define NAME "leaks"

/* Output buffers of one call, each with a pattern behind what may be written. */
struct buffers {
	uint64_t ids[ROOM];
	float vectors[ROOM * DIMENSION];
	uint64_t tags[ROOM];
	uint32_t sizes[ROOM];
	uint8_t payloads[VSS_MAX_PAYLOAD + 64];
	uint8_t found[ROOM];
	float distances[ROOM];
	uint32_t counts[ROOM];
	struct vss_list_record records[ROOM];
};

static struct buffers out, before;
static bool addresses_differ;
static unsigned int addresses_seen;

/*
 * Whether a word is in the half of the kernel: its memory and what it maps, or
 * its code. Between these lies what is none, such as two sizes of which the
 * second is VSS_NO_PAYLOAD; above them VSS_CURSOR_END and the like.
 */
static bool is_address(uint64_t word)
{
	return (word >= 0xffff800000000000ULL && word < 0xffffff0000000000ULL) ||
	       (word >= 0xffffffff80000000ULL && word < 0xffffffffff000000ULL);
}

/* An address that leaks from a struct or an array lies on a multiple of 8. */
static void look_for_addresses(const void *memory, size_t bytes)
{
	uint64_t word;
	size_t i;

	if (!addresses_differ)
		return;
	for (i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		memcpy(&word, (const char *)memory + i, sizeof(word));
		if (is_address(word)) {
			printf("# %#llx at byte %zu of %zu\n",
			       (unsigned long long)word, i, bytes);
			addresses_seen++;
		}
	}
}

static bool untouched(const void *memory, size_t bytes)
{
	const uint8_t *at = memory;

	while (bytes--)
		if (*at++ != UNTOUCHED)
			return false;
	return true;
}

static bool zero(const void *memory, size_t bytes)
{
	const uint8_t *at = memory;

	while (bytes--)
		if (*at++)
			return false;
	return true;
}

static void fill(void)
{
	memset(&out, UNTOUCHED, sizeof(out));
}

/* Whether all of a buffer beyond its first bytes keeps the pattern. */
#define REST_UNTOUCHED(_buffer, _bytes) \
	untouched((char *)(_buffer) + (_bytes), sizeof(_buffer) - (_bytes))

static void put_rows(int file)
{
	static uint64_t ids[ROWS], tags[ROWS];
	static float vectors[ROWS * DIMENSION];
	static uint32_t sizes[ROWS];
	static uint8_t payloads[ROWS * 3];
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT, .count = ROWS, .dimension = DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.tags = ADDRESS(tags), .payload_sizes = ADDRESS(sizes),
		.payloads = ADDRESS(payloads), .payload_bytes = sizeof(payloads),
	};
	uint32_t i;

	memset(payloads, 'p', sizeof(payloads));
	for (i = 0; i < ROWS; i++) {
		ids[i] = i;
		tags[i] = i;
		sizes[i] = i % 2 ? VSS_NO_PAYLOAD : 3;
		vectors[i * DIMENSION + i] = 1;
	}
	if (RUN(file, VSS_PUT, &put) || put.done != ROWS)
		ktap_bail_out("cannot put rows");
	look_for_addresses(&put.done, sizeof(put) - offsetof(struct vss_put, done));
}

/* Structs whose every field is out, all of them preset with the pattern. */
static void structs_are_written(int file)
{
	struct { struct vss_info info; uint8_t behind[64]; } info;
	struct { struct vss_stat stat; uint8_t behind[64]; } stat;
	struct { struct vss_stats stats; uint8_t behind[64]; } stats;

	memset(&info, UNTOUCHED, sizeof(info));
	ktap_ok(!RUN(file, VSS_INFO, &info.info), "INFO succeeds");
	ktap_ok(untouched(info.behind, sizeof(info.behind)),
		"INFO writes nothing behind its struct");
	ktap_ok(!info.info.reserved && !info.info.reserved2 &&
		zero(info.info.simd + strlen(info.info.simd),
		     VSS_SIMD_BYTES - strlen(info.info.simd)) &&
		zero(info.info.release + strlen(info.info.release),
		     VSS_RELEASE_BYTES - strlen(info.info.release)),
		"INFO's strings end in NULs, and what is reserved is 0");
	look_for_addresses(&info.info, sizeof(info.info));

	memset(&stat, UNTOUCHED, sizeof(stat));
	ktap_ok(!RUN(file, VSS_STAT, &stat.stat), "STAT succeeds");
	ktap_ok(untouched(stat.behind, sizeof(stat.behind)),
		"STAT writes nothing behind its struct");
	ktap_ok(stat.stat.count == ROWS && stat.stat.dimension == DIMENSION &&
		!stat.stat.reserved && !stat.stat.reserved2 &&
		!strcmp(stat.stat.name, NAME) &&
		zero(stat.stat.name + strlen(NAME), VSS_NAME_BYTES - strlen(NAME)),
		"STAT's name ends in NULs, and what is reserved is 0");
	look_for_addresses(&stat.stat, sizeof(stat.stat));

	memset(&stats, UNTOUCHED, sizeof(stats));
	ktap_ok(!device_call(file, VSS_GET_STATS, &stats.stats),
		"GET_STATS succeeds");
	ktap_ok(untouched(stats.behind, sizeof(stats.behind)) &&
		!stats.stats.reserved && stats.stats.count == ROWS,
		"GET_STATS writes its struct, and nothing behind it");
	look_for_addresses(&stats.stats, sizeof(stats.stats));
}

/* A struct that the caller knows a part of is written as far as that. */
static void short_structs(int file)
{
	struct vss_stat stat;
	const uint32_t known = offsetof(struct vss_stat, longest_section);

	memset(&stat, UNTOUCHED, sizeof(stat));
	ktap_ok(!run_sized(file, VSS_STAT, "VSS_STAT", &stat, known) &&
		stat.count == ROWS &&
		untouched((char *)&stat + known, sizeof(stat) - known),
		"STAT writes no more than the caller knows");
}

static void protocol1(void)
{
	struct { struct vss_query_data query; uint8_t behind[64]; } asked;
	struct vss_query_data *query = &asked.query;
	int file = device_open(O_RDWR);
	uint32_t i;
	bool rest = true;

	if (bind_private(file, 4, VSS_METRIC_L2SQ) || device_add(file, 1, 4, 1) ||
	    device_add(file, 2, 4, 2))
		ktap_bail_out("cannot add rows");
	memset(&asked, UNTOUCHED, sizeof(asked));
	ktap_ok(!device_query(file, query, 5, 4, 1) && query->k == 2,
		"QUERY_TOP_K finds two rows");
	for (i = 2; i < VSS_V1_MAX_K; i++)
		rest = rest && !query->result_ids[i] && isinf(query->distances[i]);
	ktap_ok(rest && untouched(asked.behind, sizeof(asked.behind)),
		"QUERY_TOP_K's other hits are id 0 at infinity");
	look_for_addresses(query, sizeof(*query));
	close(file);
}

static void get(int file)
{
	uint64_t ids[4] = { 2, 1000, 3, 4 };
	struct vss_get get = {
		.count = 4, .dimension = DIMENSION, .ids = ADDRESS(ids),
		.vectors = ADDRESS(out.vectors), .tags = ADDRESS(out.tags),
		.payload_sizes = ADDRESS(out.sizes),
		.payloads = ADDRESS(out.payloads),
		.payload_bytes = VSS_MAX_PAYLOAD, .found = ADDRESS(out.found),
	};

	fill();
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == 4 && get.hits == 3,
		"GET finds three of four rows");
	ktap_ok(zero(out.vectors + DIMENSION, sizeof(float) * DIMENSION) &&
		!out.tags[1] && out.sizes[1] == VSS_NO_PAYLOAD &&
		out.found[0] == 0xd,
		"GET writes zeros for a row that is not there");
	ktap_ok(REST_UNTOUCHED(out.vectors, 4 * DIMENSION * sizeof(float)) &&
		REST_UNTOUCHED(out.tags, 4 * sizeof(uint64_t)) &&
		REST_UNTOUCHED(out.sizes, 4 * sizeof(uint32_t)) &&
		REST_UNTOUCHED(out.payloads, 6) && REST_UNTOUCHED(out.found, 1),
		"GET writes nothing behind its rows");
	look_for_addresses(&out, sizeof(out));
}

static void search(int file)
{
	static float queries[2 * DIMENSION] = { 1 };
	struct vss_search search = {
		.flags = VSS_SEARCH_RANGE, .count = 2, .dimension = DIMENSION, .k = 5,
		.queries = ADDRESS(queries), .ids = ADDRESS(out.ids),
		.distances = ADDRESS(out.distances), .counts = ADDRESS(out.counts),
		.tag_mask = ~0ULL, .tag_value = 0, .max_distance = 1,
	};

	fill();
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && search.done == 2 &&
		out.counts[0] == 1 && out.counts[1] == 1,
		"SEARCH finds one row a query");
	ktap_ok(untouched(out.ids + 1, 4 * sizeof(uint64_t)) &&
		untouched(out.distances + 1, 4 * sizeof(float)) &&
		REST_UNTOUCHED(out.ids, 6 * sizeof(uint64_t)) &&
		REST_UNTOUCHED(out.distances, 6 * sizeof(float)) &&
		REST_UNTOUCHED(out.counts, 2 * sizeof(uint32_t)),
		"SEARCH leaves alone what is beyond a query's hits");
	look_for_addresses(&out, sizeof(out));
	look_for_addresses(&search.done,
			   sizeof(search) - offsetof(struct vss_search, done));
}

static void scan(int file)
{
	struct vss_scan scan = {
		.count = 7, .dimension = DIMENSION, .ids = ADDRESS(out.ids),
		.vectors = ADDRESS(out.vectors), .tags = ADDRESS(out.tags),
		.payload_sizes = ADDRESS(out.sizes),
		.payloads = ADDRESS(out.payloads),
		.payload_bytes = VSS_MAX_PAYLOAD,
	};

	fill();
	ktap_ok(!RUN(file, VSS_SCAN, &scan) && scan.done == 7,
		"SCAN reads seven rows");
	ktap_ok(REST_UNTOUCHED(out.ids, 7 * sizeof(uint64_t)) &&
		REST_UNTOUCHED(out.vectors, 7 * DIMENSION * sizeof(float)) &&
		REST_UNTOUCHED(out.tags, 7 * sizeof(uint64_t)) &&
		REST_UNTOUCHED(out.sizes, 7 * sizeof(uint32_t)) &&
		REST_UNTOUCHED(out.payloads, 4 * 3),
		"SCAN writes nothing behind its rows");
	look_for_addresses(&out, sizeof(out));
	look_for_addresses(&scan.cursor, sizeof(scan.cursor));
}

static void list(int file)
{
	/* Larger than what the driver knows: the rest of a record is zeros. */
	const uint32_t record = sizeof(struct vss_list_record) + 32;
	struct vss_list list = {
		.count = 4, .record_size = record, .records = ADDRESS(out.records),
	};
	const struct vss_list_record *first = out.records;

	fill();
	ktap_ok(!RUN(file, VSS_LIST, &list) && list.done == 1 &&
		!strcmp(first->name, NAME),
		"LIST tells of one collection");
	ktap_ok(zero(first->name + strlen(NAME), VSS_NAME_BYTES - strlen(NAME)) &&
		!first->reserved && zero(first + 1, 32) &&
		REST_UNTOUCHED(out.records, record),
		"LIST's record ends in zeros, and nothing is written behind it");
	look_for_addresses(&out, sizeof(out));
}

/* What OPEN tells of a collection, and PUT, DELETE and CLEAR of themselves. */
static void bound(int file)
{
	struct { struct vss_open open; uint8_t behind[64]; } args;

	memset(&args, UNTOUCHED, sizeof(args));
	memset(&args.open, 0, sizeof(args.open));
	strcpy(args.open.name, NAME);
	ktap_ok(!RUN(file, VSS_OPEN, &args.open) && args.open.serial &&
		args.open.dimension == DIMENSION &&
		untouched(args.behind, sizeof(args.behind)),
		"OPEN writes its struct, and nothing behind it");
	look_for_addresses(&args.open, sizeof(args.open));
}

/* Runs a call that must fail; returns whether all but the status is as it was. */
static bool fails_quietly(int file, unsigned long command, void *argument,
			  uint32_t size, int wanted)
{
	struct { uint32_t size; int32_t status; } *header = argument;
	static uint8_t copy[1024];
	int error;

	header->size = size;
	header->status = 0;
	memcpy(copy, argument, size);
	fill();
	memcpy(&before, &out, sizeof(out));
	error = device_call(file, command, argument);
	if (header->status != -error)
		return false;
	return error == wanted && !memcmp(copy, argument, 4) &&
	       !memcmp(copy + 8, (char *)argument + 8, size - 8) &&
	       !memcmp(&before, &out, sizeof(out));
}

#define FAILS(_file, _command, _struct, _error) \
	ktap_ok(fails_quietly(_file, _command, _struct, sizeof(*(_struct)), _error), \
		#_command " that fails by " #_error " writes its status alone")

static void failures(int file)
{
	int unbound = device_open(O_RDWR);
	static uint64_t ids[4];
	static float vectors[4 * DIMENSION];
	struct vss_get get = {
		.count = 4, .dimension = DIMENSION + 1, .ids = ADDRESS(ids),
		.vectors = ADDRESS(out.vectors), .tags = ADDRESS(out.tags),
	};
	struct vss_search search = {
		.count = 1, .dimension = DIMENSION, .k = VSS_MAX_K + 1,
		.queries = ADDRESS(vectors), .ids = ADDRESS(out.ids),
		.distances = ADDRESS(out.distances), .counts = ADDRESS(out.counts),
	};
	struct vss_scan scan = {
		.flags = 1, .count = 4, .dimension = DIMENSION, .ids = ADDRESS(out.ids),
	};
	struct vss_list list = {
		.count = 0, .record_size = sizeof(struct vss_list_record),
		.records = ADDRESS(out.records),
	};
	struct vss_open open = { .name = "nobody's" };
	struct vss_configure configure = { .flags = 0 };
	struct vss_drop drop = { .name = "nobody's" };
	struct vss_delete delete = { .count = 0 };
	struct vss_query_data query;

	FAILS(file, VSS_GET, &get, EINVAL);
	FAILS(file, VSS_SEARCH, &search, EINVAL);
	FAILS(file, VSS_SCAN, &scan, EINVAL);
	FAILS(file, VSS_LIST, &list, EINVAL);
	FAILS(file, VSS_OPEN, &open, ENOENT);
	FAILS(file, VSS_CONFIGURE, &configure, EINVAL);
	FAILS(file, VSS_DROP, &drop, ENOENT);
	FAILS(file, VSS_DELETE, &delete, EINVAL);
	memset(&query, UNTOUCHED, sizeof(query));
	ktap_ok(device_call(unbound, VSS_QUERY_TOP_K, &query) == EINVAL &&
		untouched(&query, sizeof(query)),
		"QUERY_TOP_K that fails writes nothing");
	close(unbound);
}

/* Reads a file of the kernel's as far as it goes, and looks through its text. */
static bool text_tells_addresses(const char *path)
{
	static char text[1 << 18];
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = 0, part, i;
	int digits = 0;

	if (file < 0)
		return false;
	while (length < (ssize_t)sizeof(text) - 1 &&
	       (part = read(file, text + length, sizeof(text) - 1 - length)) > 0)
		length += part;
	close(file);
	text[length] = 0;
	/* "ffff888…": 16 digits of which the first four are f. */
	for (i = 0; i < length; i++) {
		if (!isxdigit((unsigned char)text[i])) {
			digits = 0;
			continue;
		}
		if (++digits == 16 && !strncasecmp(text + i - 15, "ffff", 4) &&
		    strncasecmp(text + i - 15, "ffffffffffffffff", 16))
			return true;
	}
	return false;
}

static bool folder_tells_addresses(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool told = false;
	char name[512];

	if (!folder)
		return false;
	while ((entry = readdir(folder))) {
		struct stat info;

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || lstat(name, &info))
			continue;
		if (S_ISDIR(info.st_mode) && strcmp(entry->d_name, "sections"))
			told = folder_tells_addresses(name) || told;
		if (S_ISREG(info.st_mode))
			told = text_tells_addresses(name) || told;
	}
	closedir(folder);
	return told;
}

/* All that is text: sysfs, and what the tracepoints print. */
static void texts(int file)
{
	ktap_ok(!folder_tells_addresses("/sys/module/vss/parameters") &&
		!folder_tells_addresses("/sys/class/misc/vss/"),
		"sysfs tells no address");
	tracing_prepare();
	tracing_switch(true);
	put_rows(file);
	get(file);
	search(file);
	tracing_switch(false);
	ktap_ok(!text_tells_addresses(TRACING "trace"),
		"tracepoints tell no address");
}

/* User-mode Linux lies in the host's user memory: its addresses are like any. */
static bool is_user_mode(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "uml");
}

int main(void)
{
	const char *statement = "no output holds an address of the kernel's";
	uint64_t planted[3] = { 1, 0xffff888012345678ULL, 2 };
	int file = device_open(O_RDWR);

	addresses_differ = true;
	look_for_addresses(planted, sizeof(planted));
	ktap_ok(addresses_seen == 1, "an address that is there is found");
	addresses_seen = 0;
	addresses_differ = !is_user_mode();

	if (bind_named(file, NAME, VSS_OPEN_CREATE, DIMENSION, 0600))
		ktap_bail_out("cannot make a collection");
	put_rows(file);
	bound(file);
	structs_are_written(file);
	short_structs(file);
	protocol1();
	get(file);
	search(file);
	scan(file);
	list(file);
	failures(file);
	texts(file);
	if (addresses_differ)
		ktap_ok(!addresses_seen, "%s", statement);
	else
		ktap_skip(statement, "in user mode they are as any program's");
	return ktap_done();
}
