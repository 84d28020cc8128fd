// SPDX-License-Identifier: MIT
/*
 * Every field of protocol 2 with the values that its comment in the header does
 * not allow. After each one the collection must answer as before.
 */
/* For strerrorname_np(). */
#define _GNU_SOURCE

#include <stddef.h>

#include "collections.h"

#define DIMENSION 4
#define ROWS 3
#define NAME "fields"

static const uint64_t ids[ROWS] = { 1, 2, 3 };
static const float vectors[ROWS * DIMENSION] = {
	1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0,
};
static uint64_t out_ids[ROWS];
static float out_vectors[ROWS * DIMENSION];
static uint32_t sizes[ROWS] = { 4, VSS_NO_PAYLOAD, 0 };
static char payloads[VSS_MAX_PAYLOAD];
static uint32_t counts[ROWS];
static struct vss_list_record records[2];

static int device;
static struct vss_stat before;

/* Whether rows, counters of rows and settings are those of the beginning. */
static bool is_unharmed(void)
{
	struct vss_stat now = collection_stat(device);
	struct vss_search search = {
		.count = 1, .dimension = DIMENSION, .k = ROWS,
		.queries = ADDRESS(vectors), .ids = ADDRESS(out_ids),
		.distances = ADDRESS(out_vectors), .counts = ADDRESS(counts),
	};
	int error = RUN(device, VSS_SEARCH, &search);

	return !error && counts[0] == ROWS && out_ids[0] == 1 &&
	       now.count == before.count && now.inserts == before.inserts &&
	       now.updates == before.updates && now.deletes == before.deletes &&
	       now.bytes == before.bytes && now.serial == before.serial &&
	       now.capacity == before.capacity && now.mode == before.mode;
}

/* One bad value: a field of a command's struct, the value, and the errno. */
struct bad {
	const char *field;
	size_t offset;
	size_t bytes;
	uint64_t value;
	int error;
};

#define BAD(_struct, _field, _value, _error) \
	{ #_field " " #_value, offsetof(struct _struct, _field), \
	  MIN_SIZE(sizeof(((struct _struct *)0)->_field)), _value, _error }
/* Of a field longer than a value, its beginning. */
#define MIN_SIZE(_size) ((_size) < 8 ? (_size) : 8)

/* Runs a good command with one bad value after the other. */
static void refuses(const char *name, unsigned long command, const void *good,
		    uint32_t size, const struct bad *bad, size_t count)
{
	char arguments[4096];
	size_t i;
	int error;

	for (i = 0; i < count; i++) {
		memcpy(arguments, good, size);
		memcpy(arguments + bad[i].offset, &bad[i].value, bad[i].bytes);
		error = run_sized(device, command, name, arguments, size);
		ktap_ok(error == bad[i].error && is_unharmed(), "%s with %s: %s",
			name, bad[i].field, strerrorname_np(bad[i].error));
	}
}

#define REFUSES(_command, _good, _bad) \
	refuses(#_command, _command, &(_good), sizeof(_good), _bad, \
		sizeof(_bad) / sizeof(*(_bad)))

static void bad_open(void)
{
	const struct vss_open create = {
		.flags = VSS_OPEN_CREATE, .dimension = DIMENSION,
		.mode = 0600, .name = NAME,
	};
	const struct vss_open open = { .name = NAME };
	const struct vss_open private = {
		.flags = VSS_OPEN_PRIVATE, .dimension = DIMENSION,
	};
	static const struct bad bad_create[] = {
		BAD(vss_open, flags, VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE, EEXIST),
		BAD(vss_open, flags, VSS_OPEN_CREATE | VSS_OPEN_PRIVATE, EINVAL),
		BAD(vss_open, flags, 1U << 6 | VSS_OPEN_CREATE, EINVAL),
		BAD(vss_open, flags, 1U << 31 | VSS_OPEN_CREATE, EINVAL),
		BAD(vss_open, flags, VSS_OPEN_EXCLUSIVE, EINVAL),
		BAD(vss_open, flags, VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY |
				     VSS_OPEN_WRITE_ONLY, EINVAL),
		BAD(vss_open, dimension, 0, EINVAL),
		BAD(vss_open, dimension, DIMENSION + 1, EINVAL),
		BAD(vss_open, dimension, VSS_MAX_DIMENSION + 1, EINVAL),
		BAD(vss_open, dimension, UINT32_MAX, EINVAL),
		BAD(vss_open, metric, VSS_METRIC_IP, EINVAL),
		BAD(vss_open, metric, 3, EINVAL),
		BAD(vss_open, metric, UINT32_MAX, EINVAL),
		BAD(vss_open, element, VSS_ELEMENT_F16, EOPNOTSUPP),
		BAD(vss_open, element, VSS_ELEMENT_B1, EOPNOTSUPP),
		BAD(vss_open, element, 4, EINVAL),
		BAD(vss_open, capacity, UINT64_MAX, EINVAL),
		BAD(vss_open, eviction, 3, EINVAL),
		BAD(vss_open, mode, 0700, EINVAL),
		BAD(vss_open, mode, 01666, EINVAL),
		BAD(vss_open, mode, UINT32_MAX, EINVAL),
	};
	static const struct bad bad_open[] = {
		BAD(vss_open, flags, VSS_OPEN_NO_CODES, EINVAL),
		BAD(vss_open, flags, VSS_OPEN_NO_CODES | VSS_OPEN_READ_ONLY, EINVAL),
		BAD(vss_open, dimension, DIMENSION, EINVAL),
		BAD(vss_open, metric, VSS_METRIC_IP, EINVAL),
		BAD(vss_open, element, VSS_ELEMENT_F16, EINVAL),
		BAD(vss_open, capacity, 1, EINVAL),
		BAD(vss_open, ttl, 1, EINVAL),
		BAD(vss_open, eviction, VSS_EVICTION_FIFO, EINVAL),
		BAD(vss_open, mode, 0600, EINVAL),
		BAD(vss_open, max_bytes, 1, EINVAL),
	};
	static const struct bad bad_private[] = {
		BAD(vss_open, name, 'x', EINVAL),
		BAD(vss_open, mode, 0600, EINVAL),
		BAD(vss_open, dimension, 0, EINVAL),
		BAD(vss_open, flags, VSS_OPEN_PRIVATE | VSS_OPEN_EXCLUSIVE, EINVAL),
		BAD(vss_open, flags, VSS_OPEN_PRIVATE | VSS_OPEN_EXCLUSIVE |
				     VSS_OPEN_NO_CODES, EINVAL),
	};

	REFUSES(VSS_OPEN, create, bad_create);
	REFUSES(VSS_OPEN, open, bad_open);
	REFUSES(VSS_OPEN, private, bad_private);
}

/* Searches for one vector; returns the errno. */
static int search_vector(int file, const float *vector)
{
	struct vss_search search = {
		.count = 1, .dimension = DIMENSION, .k = 1,
		.queries = ADDRESS(vector), .ids = ADDRESS(out_ids),
		.distances = ADDRESS(out_vectors), .counts = ADDRESS(counts),
	};

	return RUN(file, VSS_SEARCH, &search);
}

/* Whether a new private collection keeps codes of its rows. */
static bool keeps_codes(uint32_t flags, uint32_t dimension)
{
	struct vss_open open = {
		.flags = VSS_OPEN_PRIVATE | flags, .dimension = dimension,
	};
	int other = device_open(O_RDWR);
	struct vss_stat stat;

	if (RUN(other, VSS_OPEN, &open))
		ktap_bail_out("cannot make a private collection");
	stat = collection_stat(other);
	close(other);
	if (stat.codes > 1)
		ktap_bail_out("codes is %u", stat.codes);
	return stat.codes;
}

/* VSS_OPEN_NO_CODES decides on a new collection, and on no other. */
static void codes(void)
{
	const uint32_t least = VSS_MIN_CODES_DIMENSION;
	int other = device_open(O_RDWR);

	ktap_ok(keeps_codes(0, least) && keeps_codes(0, VSS_MAX_DIMENSION),
		"a collection keeps codes");
	ktap_ok(!keeps_codes(0, least - 1) && !keeps_codes(0, 1),
		"a collection of few components keeps no codes");
	ktap_ok(!keeps_codes(VSS_OPEN_NO_CODES, least) &&
		!keeps_codes(VSS_OPEN_NO_CODES, 1),
		"VSS_OPEN_NO_CODES makes a private one that keeps none");
	ktap_ok(!bind_named(other, "none", VSS_OPEN_CREATE | VSS_OPEN_NO_CODES,
			    least, 0600) && !collection_stat(other).codes,
		"VSS_OPEN_NO_CODES makes one with a name that keeps none");
	ktap_ok(!bind_named(other, "none", VSS_OPEN_CREATE, least, 0600) &&
		!collection_stat(other).codes,
		"it keeps none when it is opened without that flag");
	ktap_ok(!bind_named(other, "some", VSS_OPEN_CREATE, least, 0600) &&
		collection_stat(other).codes == 1 &&
		!bind_named(other, "some", VSS_OPEN_CREATE | VSS_OPEN_NO_CODES,
			    least, 0600) && collection_stat(other).codes == 1,
		"VSS_OPEN_NO_CODES is ignored on one that keeps codes");
	close(other);
}

/* What VSS_INFO and VSS_STAT tell since their structs have grown. */
static void grown_structs(void)
{
	int other = open_private(DIMENSION, VSS_METRIC_L2SQ);
	struct vss_info info = driver_info(other);
	struct vss_stat stat = collection_stat(other);

	ktap_ok(info.features == (VSS_FEATURE_COLLECTIONS | VSS_FEATURE_CODES |
				  VSS_FEATURE_EVICTION),
		"VSS_INFO tells of collections, codes and eviction");
	ktap_ok(info.search_cpus == file_number(PARAMETERS "search_cpus") &&
		!info.reserved2, "VSS_INFO tells the parameter search_cpus");
	ktap_ok(!stat.longest_section && !stat.reserved2,
		"VSS_STAT tells of no section before the first search");
	if (put_row(other, 1, DIMENSION, 1) || search_vector(other, vectors))
		ktap_bail_out("cannot search a row");
	stat = collection_stat(other);
	ktap_ok(stat.longest_section && stat.longest_section < 10000000000ULL,
		"VSS_STAT tells the longest section, %llu ns",
		(unsigned long long)stat.longest_section);
	close(other);
}

/* Names that no collection may have, and some that it may. */
static void names(void)
{
	static const struct {
		const char *what;
		const char *name;
		int error;
	} cases[] = {
		{ "an empty name", "", EINVAL },
		{ "a slash", "a/b", EINVAL },
		{ "a newline", "a\nb", EINVAL },
		{ "U+001F", "\x1f", EINVAL },
		{ "U+007F", "\x7f", EINVAL },
		{ "U+0085", "\xc2\x85", EINVAL },
		{ "a continuation byte alone", "\x80", EINVAL },
		{ "a sequence cut short", "a\xe2\x82", EINVAL },
		{ "an overlong slash", "\xc0\xaf", EINVAL },
		{ "an overlong euro sign", "\xf0\x82\x82\xac", EINVAL },
		{ "a surrogate", "\xed\xa0\x80", EINVAL },
		{ "a character past U+10FFFF", "\xf4\x90\x80\x80", EINVAL },
		{ "byte 0xFF", "\xff", EINVAL },
		{ "64 bytes", "0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef", EINVAL },
		{ "63 bytes", "0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcde", 0 },
		{ "one byte", "a", 0 },
		{ "a blank", " ", 0 },
		{ "dots", "..", 0 },
		{ "U+00A0", "\xc2\xa0", 0 },
		{ "three scripts and a smile", "zwölf 二 \xf0\x9f\x98\x80", 0 },
	};
	int other = device_open(O_RDWR);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vss_open open = {
			.flags = VSS_OPEN_CREATE, .dimension = 1, .mode = 0600,
		};
		struct vss_drop drop = { 0 };

		memcpy(open.name, cases[i].name, strlen(cases[i].name));
		memcpy(drop.name, cases[i].name, strlen(cases[i].name));
		ktap_ok(RUN(other, VSS_OPEN, &open) == cases[i].error &&
			RUN(other, VSS_DROP, &drop) == cases[i].error,
			"a name with %s is %s by OPEN and DROP", cases[i].what,
			cases[i].error ? "refused" : "taken");
	}
	close(other);
}

static void bad_drop_and_list(void)
{
	const struct vss_drop drop = { .name = NAME };
	const struct vss_list list = {
		.count = 2, .record_size = sizeof(*records),
		.records = ADDRESS(records),
	};
	static const struct bad bad_drop[] = {
		BAD(vss_drop, flags, 1, EINVAL),
		BAD(vss_drop, reserved, 1, EINVAL),
	};
	static const struct bad bad_list[] = {
		BAD(vss_list, flags, 1, EINVAL),
		BAD(vss_list, count, 0, EINVAL),
		BAD(vss_list, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_list, record_size, 0, EINVAL),
		BAD(vss_list, record_size, 128, EINVAL),
		BAD(vss_list, record_size, 137, EINVAL),
		BAD(vss_list, record_size, 4104, EINVAL),
		BAD(vss_list, records, 0, EFAULT),
	};

	REFUSES(VSS_DROP, drop, bad_drop);
	REFUSES(VSS_LIST, list, bad_list);
}

/* What an earlier call left in an answer is not there after an error. */
static void stale_done(void)
{
	struct vss_list list = { .record_size = sizeof(*records), .done = 777 };

	ktap_ok(RUN(device, VSS_LIST, &list) == EINVAL && !list.done,
		"VSS_LIST with count 0 is done with none");
}

static void bad_put(void)
{
	const struct vss_put put = {
		.flags = VSS_PUT_UPSERT, .count = ROWS, .dimension = DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = 4,
	};
	static const struct bad bad[] = {
		BAD(vss_put, flags, 0, EEXIST),
		BAD(vss_put, flags, 2, EINVAL),
		BAD(vss_put, flags, 1U << 31, EINVAL),
		BAD(vss_put, count, 0, EINVAL),
		BAD(vss_put, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_put, count, UINT32_MAX, EINVAL),
		BAD(vss_put, dimension, 0, EINVAL),
		BAD(vss_put, dimension, DIMENSION - 1, EINVAL),
		BAD(vss_put, dimension, DIMENSION + 1, EINVAL),
		BAD(vss_put, dimension, UINT32_MAX, EINVAL),
		BAD(vss_put, reserved, 1, EINVAL),
		BAD(vss_put, ids, 0, EFAULT),
		BAD(vss_put, ids, UINT64_MAX - 4095, EFAULT),
		BAD(vss_put, vectors, 0, EFAULT),
		BAD(vss_put, vectors, 1ULL << 63, EFAULT),
		BAD(vss_put, tags, 8, EFAULT),
		BAD(vss_put, ttls, 8, EFAULT),
		BAD(vss_put, payload_sizes, 0, EINVAL),
		BAD(vss_put, payload_sizes, 8, EFAULT),
		BAD(vss_put, payloads, 0, EINVAL),
		BAD(vss_put, payloads, 8, EFAULT),
		BAD(vss_put, payload_bytes, 3, EINVAL),
		BAD(vss_put, payload_bytes, VSS_MAX_CALL_BYTES + 1ULL, EINVAL),
		BAD(vss_put, payload_bytes, UINT64_MAX, EINVAL),
	};

	REFUSES(VSS_PUT, put, bad);
}

static void bad_get(void)
{
	const struct vss_get get = {
		.count = ROWS, .dimension = DIMENSION, .ids = ADDRESS(ids),
		.vectors = ADDRESS(out_vectors), .payload_sizes = ADDRESS(sizes),
		.payloads = ADDRESS(payloads), .payload_bytes = sizeof(payloads),
	};
	static const struct bad bad[] = {
		BAD(vss_get, flags, 1, EINVAL),
		BAD(vss_get, count, 0, EINVAL),
		BAD(vss_get, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_get, dimension, DIMENSION + 1, EINVAL),
		BAD(vss_get, reserved, 1, EINVAL),
		BAD(vss_get, ids, 0, EFAULT),
		BAD(vss_get, vectors, 8, EFAULT),
		BAD(vss_get, tags, 8, EFAULT),
		BAD(vss_get, payload_sizes, 0, EINVAL),
		BAD(vss_get, payload_sizes, 8, EFAULT),
		BAD(vss_get, payloads, 0, EINVAL),
		BAD(vss_get, payloads, 8, EFAULT),
		BAD(vss_get, payload_bytes, VSS_MAX_PAYLOAD - 1, EINVAL),
		BAD(vss_get, payload_bytes, VSS_MAX_CALL_BYTES + 1ULL, EINVAL),
		BAD(vss_get, found, 8, EFAULT),
	};

	REFUSES(VSS_GET, get, bad);
}

static void bad_delete_and_clear(void)
{
	const struct vss_delete delete = { .count = 1, .ids = ADDRESS(ids) };
	const struct vss_delete matching = { .flags = VSS_DELETE_MATCHING };
	const struct vss_clear clear = { 0 };
	static const struct bad bad_delete[] = {
		BAD(vss_delete, flags, 2, EINVAL),
		BAD(vss_delete, flags, VSS_DELETE_MATCHING, EINVAL),
		BAD(vss_delete, count, 0, EINVAL),
		BAD(vss_delete, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_delete, ids, 0, EFAULT),
		BAD(vss_delete, tag_mask, 1, EINVAL),
		BAD(vss_delete, tag_value, 1, EINVAL),
	};
	static const struct bad bad_matching[] = {
		BAD(vss_delete, count, 1, EINVAL),
		BAD(vss_delete, ids, 4096, EINVAL),
	};
	static const struct bad bad_clear[] = {
		BAD(vss_clear, flags, 1, EINVAL),
	};

	REFUSES(VSS_DELETE, delete, bad_delete);
	REFUSES(VSS_DELETE, matching, bad_matching);
	REFUSES(VSS_CLEAR, clear, bad_clear);
}

static void bad_search(void)
{
	const struct vss_search search = {
		.count = 1, .dimension = DIMENSION, .k = ROWS,
		.queries = ADDRESS(vectors), .ids = ADDRESS(out_ids),
		.distances = ADDRESS(out_vectors), .counts = ADDRESS(counts),
	};
	static const struct bad bad[] = {
		BAD(vss_search, flags, 2, EINVAL),
		BAD(vss_search, count, 0, EINVAL),
		BAD(vss_search, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_search, dimension, DIMENSION - 1, EINVAL),
		BAD(vss_search, k, 0, EINVAL),
		BAD(vss_search, k, VSS_MAX_K + 1, EINVAL),
		BAD(vss_search, k, UINT32_MAX, EINVAL),
		BAD(vss_search, queries, 0, EFAULT),
		BAD(vss_search, ids, 0, EFAULT),
		BAD(vss_search, distances, 0, EFAULT),
		BAD(vss_search, counts, 0, EFAULT),
		BAD(vss_search, max_distance, 0x3f800000, EINVAL),
		BAD(vss_search, max_distance, 0x80000000, EINVAL),
	};
	struct vss_search range = search;
	static const struct bad bad_range[] = {
		BAD(vss_search, max_distance, 0x7fc00000, EINVAL),
		BAD(vss_search, max_distance, 0xff800001, EINVAL),
	};

	range.flags = VSS_SEARCH_RANGE;
	REFUSES(VSS_SEARCH, search, bad);
	REFUSES(VSS_SEARCH, range, bad_range);
}

static void bad_scan(void)
{
	const struct vss_scan scan = {
		.count = ROWS, .dimension = DIMENSION, .ids = ADDRESS(out_ids),
	};
	static const struct bad bad[] = {
		BAD(vss_scan, flags, 1, EINVAL),
		BAD(vss_scan, count, 0, EINVAL),
		BAD(vss_scan, count, VSS_MAX_ROWS + 1, EINVAL),
		BAD(vss_scan, dimension, 0, EINVAL),
		BAD(vss_scan, ids, 0, EFAULT),
		BAD(vss_scan, ids, 8, EFAULT),
		BAD(vss_scan, vectors, 8, EFAULT),
		BAD(vss_scan, tags, 8, EFAULT),
		BAD(vss_scan, payload_sizes, 8, EFAULT),
		BAD(vss_scan, payloads, 4096, EINVAL),
		BAD(vss_scan, payload_bytes, VSS_MAX_PAYLOAD, EINVAL),
	};
	struct vss_scan past = scan;

	REFUSES(VSS_SCAN, scan, bad);
	past.cursor = 1ULL << 40;
	ktap_ok(!RUN(device, VSS_SCAN, &past) && !past.done &&
		past.cursor == VSS_CURSOR_END,
		"VSS_SCAN from a cursor past all rows finds none");
}

static void bad_configure(void)
{
	const struct vss_configure configure = {
		.flags = VSS_CONFIGURE_CAPACITY | VSS_CONFIGURE_MODE |
			 VSS_CONFIGURE_EVICTION | VSS_CONFIGURE_TTL,
		.capacity = 5, .mode = 0666,
	};
	static const struct bad bad[] = {
		BAD(vss_configure, flags, 0, EINVAL),
		BAD(vss_configure, flags, 1U << 5, EINVAL),
		BAD(vss_configure, flags, VSS_CONFIGURE_CAPACITY, EINVAL),
		BAD(vss_configure, flags, VSS_CONFIGURE_MODE, EINVAL),
		BAD(vss_configure, capacity, UINT64_MAX, EINVAL),
		BAD(vss_configure, eviction, 3, EINVAL),
		BAD(vss_configure, max_bytes, 1, EINVAL),
		BAD(vss_configure, mode, 0777, EINVAL),
		BAD(vss_configure, reserved, 1, EINVAL),
	};

	REFUSES(VSS_CONFIGURE, configure, bad);
}

/* Puts a vector of one metric; returns the errno. */
static int put_vector(int file, const float *vector)
{
	uint64_t id = 99;
	struct vss_put put = {
		.count = 1, .dimension = DIMENSION,
		.ids = ADDRESS(&id), .vectors = ADDRESS(vector),
	};

	return RUN(file, VSS_PUT, &put);
}

/* Vectors that a metric has no distance for. */
static void bad_vectors(void)
{
	static const struct {
		const char *what;
		float vector[DIMENSION];
		int l2sq, cos;
	} cases[] = {
		{ "NaN", { 0, 0, 0, NAN }, EINVAL, EINVAL },
		{ "+infinity", { INFINITY, 1, 1, 1 }, EINVAL, EINVAL },
		{ "-infinity", { 1, -INFINITY, 1, 1 }, EINVAL, EINVAL },
		{ "all zeros", { 0, -0.0f, 0, 0 }, 0, EINVAL },
		{ "a norm below all normal floats", { 1e-40f, 0, 0, 0 }, 0, EINVAL },
		{ "a norm past the range of floats",
		  { 3e38f, 3e38f, 3e38f, 3e38f }, 0, EINVAL },
		{ "a tiny norm", { 1e-30f, 0, 0, 0 }, 0, 0 },
		{ "a great norm", { 1e38f, 1e38f, 0, 0 }, 0, 0 },
	};
	int l2sq = open_private(DIMENSION, VSS_METRIC_L2SQ);
	int cos = open_private(DIMENSION, VSS_METRIC_COS);
	struct vss_clear clear = { 0 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const float *vector = cases[i].vector;

		ktap_ok(put_vector(l2sq, vector) == cases[i].l2sq &&
			search_vector(l2sq, vector) == cases[i].l2sq,
			"l2sq %s a vector with %s",
			cases[i].l2sq ? "refuses" : "takes", cases[i].what);
		ktap_ok(put_vector(cos, vector) == cases[i].cos &&
			search_vector(cos, vector) == cases[i].cos,
			"cos %s a vector with %s",
			cases[i].cos ? "refuses" : "takes", cases[i].what);
		RUN(l2sq, VSS_CLEAR, &clear);
		RUN(cos, VSS_CLEAR, &clear);
	}
	close(l2sq);
	close(cos);
}

int main(void)
{
	struct vss_put put = {
		.count = ROWS, .dimension = DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(vectors),
		.payload_sizes = ADDRESS(sizes), .payloads = ADDRESS(payloads),
		.payload_bytes = 4,
	};

	device = device_open(O_RDWR);
	if (bind_named(device, NAME, VSS_OPEN_CREATE, DIMENSION, 0600) ||
	    RUN(device, VSS_PUT, &put))
		ktap_bail_out("cannot make the collection");
	before = collection_stat(device);
	bad_open();
	codes();
	grown_structs();
	names();
	bad_drop_and_list();
	stale_done();
	bad_put();
	bad_get();
	bad_delete_and_clear();
	bad_search();
	bad_scan();
	bad_configure();
	bad_vectors();
	return ktap_done();
}
