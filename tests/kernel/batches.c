// SPDX-License-Identifier: MIT
/*
 * Many rows in one call: what is in when a row in the middle fails, what is
 * given back in which order, and where memory goes. Rows are one component
 * wide, so that 65,536 of them fit in a page or two of arrays.
 */
/* For strerrorname_np(). */
#define _GNU_SOURCE

#include <float.h>

#include "collections.h"

#define MOST VSS_MAX_ROWS
#define MIB 1048576ULL

static uint64_t ids[MOST + 1], tags[MOST + 1], out_ids[MOST + 1], out_tags[MOST + 1];
static float vectors[MOST + 1], out_vectors[MOST + 1];
static uint32_t sizes[MOST + 1], out_sizes[MOST + 1];
static unsigned char found[MOST / 8 + 1];

/* Row i has id i + 1, component i, and tags i. */
static void number_rows(void)
{
	uint32_t i;

	for (i = 0; i <= MOST; i++) {
		ids[i] = i + 1;
		vectors[i] = i;
		tags[i] = i;
		sizes[i] = VSS_NO_PAYLOAD;
	}
}

static struct vss_put put_of(uint32_t count)
{
	return (struct vss_put){
		.count = count, .dimension = 1, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors), .tags = ADDRESS(tags),
		.done = 77, .inserted = 77, .updated = 77, .evicted = 77,
	};
}

static struct vss_get get_of(uint32_t count)
{
	return (struct vss_get){
		.count = count, .dimension = 1, .ids = ADDRESS(ids),
		.vectors = ADDRESS(out_vectors), .tags = ADDRESS(out_tags),
		.found = ADDRESS(found), .done = 77, .hits = 77,
	};
}

/* Checks what a put reports. */
static void expect_put(const char *what, int file, struct vss_put *put, int wanted,
		       uint32_t inserted, uint32_t updated)
{
	int error = RUN(file, VSS_PUT, put);

	ktap_ok(error == wanted && put->done == inserted + updated &&
		put->inserted == inserted && put->updated == updated &&
		!put->evicted,
		"%s: %s, %u rows inserted, %u updated", what,
		wanted ? strerrorname_np(wanted) : "no error", inserted, updated);
}

static void stops_at_a_row(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(1000);

	vectors[700] = NAN;
	expect_put("row 700 of 1000 is NaN", file, &put, EINVAL, 700, 0);
	ktap_ok(collection_stat(file).count == 700, "those before it are stored");
	vectors[700] = 700;
	put = put_of(1000);
	expect_put("the same batch again", file, &put, EEXIST, 0, 0);
	put.flags = VSS_PUT_UPSERT;
	expect_put("the same batch as upserts", file, &put, 0, 300, 700);
	ids[1500] = ids[1200];
	put = put_of(1000);
	put.ids = ADDRESS(ids + 1000);
	expect_put("an id twice in a batch", file, &put, EEXIST, 500, 0);
	put = put_of(1000);
	put.ids = ADDRESS(ids + 1000);
	put.flags = VSS_PUT_UPSERT;
	expect_put("an id twice in a batch of upserts", file, &put, 0, 499, 501);
	ids[1500] = 1501;
	close(file);
}

/* How many of the first components, made @bad in turn, do not stop a put at their row. */
static uint32_t unstopped(int file, uint32_t count, uint32_t dimension, float bad)
{
	uint32_t i, wrong = 0;

	for (i = 0; i < count * dimension; i++) {
		struct vss_put put = put_of(count);

		put.dimension = dimension;
		put.flags = VSS_PUT_UPSERT;
		vectors[i] = bad;
		if (RUN(file, VSS_PUT, &put) != EINVAL || put.done != i / dimension)
			wrong++;
		vectors[i] = i;
	}
	return wrong;
}

static void stops_at_any_component(void)
{
	static const float bad[] = { NAN, -NAN, INFINITY, -INFINITY };
	static const uint32_t dimensions[] = { 3, 16 };
	size_t i, j;

	for (i = 0; i < sizeof(dimensions) / sizeof(*dimensions); i++) {
		uint32_t dimension = dimensions[i];
		int file = open_private(dimension, VSS_METRIC_L2SQ);
		struct vss_put put = put_of(9);

		for (j = 0; j < sizeof(bad) / sizeof(*bad); j++)
			ktap_ok(!unstopped(file, 9, dimension, bad[j]),
				"%f in any component of 9 rows of %u stops at its row",
				bad[j], dimension);
		put.dimension = dimension;
		put.flags = VSS_PUT_UPSERT;
		for (j = 0; j < 9 * dimension; j++)
			vectors[j] = j % 2 ? FLT_MAX : -FLT_MAX;
		ktap_ok(!RUN(file, VSS_PUT, &put) && put.done == 9,
			"rows of %u of the greatest numbers are stored", dimension);
		number_rows();
		close(file);
	}
}

static void stops_at_a_limit(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_configure configure = {
		.flags = VSS_CONFIGURE_CAPACITY, .capacity = 600,
	};
	unsigned long long used = driver_info(file).bytes;
	struct vss_put put = put_of(1000);

	RUN(file, VSS_CONFIGURE, &configure);
	expect_put("a batch past the capacity", file, &put, ENOSPC, 600, 0);
	put = put_of(600);
	put.flags = VSS_PUT_UPSERT;
	expect_put("upserts of a full collection", file, &put, 0, 0, 600);
	configure.capacity = 100;
	RUN(file, VSS_CONFIGURE, &configure);
	ktap_ok(collection_stat(file).count == 600 &&
		collection_stat(file).capacity == 100,
		"rows stay where the capacity is lowered below them");
	close(file);
	ktap_ok(driver_info(file = device_open(O_RDWR)).bytes == used,
		"a private collection's memory goes with its file");
	close(file);
}

static void stops_at_the_quota(void)
{
	int file = open_private(VSS_MAX_DIMENSION, VSS_METRIC_L2SQ);
	static float rows[300][VSS_MAX_DIMENSION];
	struct vss_put put = {
		.count = 300, .dimension = VSS_MAX_DIMENSION,
		.ids = ADDRESS(ids), .vectors = ADDRESS(rows),
	};
	struct vss_stat stat;
	int error;

	set_parameter("max_bytes", driver_info(file).bytes + 5 * MIB);
	error = RUN(file, VSS_PUT, &put);
	stat = collection_stat(file);
	ktap_ok(error == EDQUOT && put.done == stat.count && put.done > 60 &&
		put.done < 160,
		"a batch past max_bytes: EDQUOT, and done says how many are in");
	set_parameter("max_bytes", 0);
	close(file);
}

static void stops_at_a_fault(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	char *memory = guarded_memory(1);
	struct vss_put put = put_of(1000);
	struct vss_delete delete = { .count = 1000 };

	/* 300 floats, 200 tags and 100 ids before the end of memory. */
	memcpy(memory + 4096 - 1200, vectors, 1200);
	put.vectors = ADDRESS(memory + 4096 - 1200);
	expect_put("vectors that end after 300", file, &put, EFAULT, 300, 0);
	put = put_of(1000);
	put.flags = VSS_PUT_UPSERT;
	memcpy(memory + 4096 - 1600, tags, 1600);
	put.tags = ADDRESS(memory + 4096 - 1600);
	expect_put("tags that end after 200", file, &put, EFAULT, 0, 200);
	put = put_of(1000);
	put.flags = VSS_PUT_UPSERT;
	memcpy(memory + 4096 - 801, ids, 800);
	put.ids = ADDRESS(memory + 4096 - 801);
	expect_put("ids that end within the 101st", file, &put, EFAULT, 0, 100);
	memcpy(memory + 4096 - 800, ids, 800);
	delete.ids = ADDRESS(memory + 4096 - 800);
	ktap_ok(RUN(file, VSS_DELETE, &delete) == EFAULT && delete.done == 100 &&
		delete.deleted == 100 && collection_stat(file).count == 200,
		"ids to delete that end after 100: EFAULT, 100 deleted");
	munmap(memory, 4096);
	close(file);
}

static void greatest_batches(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(MOST);
	struct vss_get get = get_of(MOST);
	uint32_t i, same = 0;

	expect_put("65,536 rows in one call", file, &put, 0, MOST, 0);
	put = put_of(1);
	put.ids = ADDRESS(ids + MOST);
	expect_put("one more", file, &put, 0, 1, 0);
	memset(out_vectors, UNTOUCHED, sizeof(out_vectors));
	memset(out_tags, UNTOUCHED, sizeof(out_tags));
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == MOST && get.hits == MOST,
		"65,536 rows are read in one call");
	for (i = 0; i < MOST; i++)
		same += out_vectors[i] == i && out_tags[i] == i &&
			found[i / 8] >> i % 8 & 1;
	ktap_ok(same == MOST, "all of them are what was put");
	ktap_ok(((unsigned char *)&out_vectors[MOST])[0] == UNTOUCHED &&
		((unsigned char *)&out_tags[MOST])[0] == UNTOUCHED,
		"nothing is written behind the last one");
	close(file);
}

static void get_marks(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(3);
	struct vss_get get = get_of(11);
	uint32_t i, right = 0;

	/* Ids 3, 6 and 9 of ids 1 to 11. */
	for (i = 0; i < 3; i++)
		ids[i] = 3 * (i + 1);
	RUN(file, VSS_PUT, &put);
	number_rows();
	memset(found, UNTOUCHED, sizeof(found));
	memset(out_vectors, UNTOUCHED, sizeof(out_vectors));
	get.payload_sizes = ADDRESS(out_sizes);
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == 11 && get.hits == 3,
		"three of eleven ids are stored");
	ktap_ok(found[0] == 0x24 && found[1] == 0x01 && found[2] == UNTOUCHED,
		"the bitmap marks them, and its last byte is padded with zeros");
	for (i = 0; i < 11; i++)
		right += (i + 1) % 3 || i > 8 ?
			 !out_vectors[i] && !out_tags[i] :
			 out_vectors[i] == i / 3 && out_tags[i] == i / 3;
	get.found = 8;
	ktap_ok(RUN(file, VSS_GET, &get) == EFAULT && !get.done && !get.hits,
		"a bitmap that cannot be written: EFAULT, and no row is done");
	ktap_ok(right == 11 && out_sizes[0] == VSS_NO_PAYLOAD,
		"the others' vectors and tags are zeros, and they have no payload");
	close(file);
}

static void extreme_ids(void)
{
	static const uint64_t extremes[] = {
		0, 1, UINT32_MAX, 1ULL << 32, 1ULL << 53, (1ULL << 53) + 1,
		1ULL << 63, UINT64_MAX - 1, UINT64_MAX,
	};
	const uint32_t count = sizeof(extremes) / sizeof(*extremes);
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(count);
	struct vss_search search = {
		.count = 1, .dimension = 1, .k = count,
		.queries = ADDRESS(vectors), .ids = ADDRESS(out_ids),
		.distances = ADDRESS(out_vectors), .counts = ADDRESS(out_sizes),
	};

	put.ids = ADDRESS(extremes);
	expect_put("ids from 0 to 2^64 - 1", file, &put, 0, count, 0);
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && out_sizes[0] == count &&
		!memcmp(out_ids, extremes, sizeof(extremes)),
		"a search gives them all back");
	close(file);
}

/* A payload's bytes follow from its row. */
static void fill_payload(char *bytes, uint32_t row, uint32_t size)
{
	memset(bytes, 'a' + row % 26, size);
}

static bool payload_is(const char *bytes, uint32_t row, uint32_t size)
{
	static char wanted[VSS_MAX_PAYLOAD];

	fill_payload(wanted, row, size);
	return !memcmp(bytes, wanted, size);
}

static void payloads(void)
{
	static const uint32_t edges[] = {
		0, 1, VSS_NO_PAYLOAD, 4095, 4096, 4097, VSS_MAX_PAYLOAD,
	};
	const uint32_t count = sizeof(edges) / sizeof(*edges);
	static char bytes[2 * VSS_MAX_PAYLOAD], room[2 * VSS_MAX_PAYLOAD];
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(count);
	struct vss_get get = get_of(count);
	uint32_t i, right = 0, total = 0, at = 0;

	for (i = 0; i < count; i++) {
		if (edges[i] == VSS_NO_PAYLOAD)
			continue;
		fill_payload(bytes + total, i, edges[i]);
		total += edges[i];
	}
	put.payload_sizes = ADDRESS(edges);
	put.payloads = ADDRESS(bytes);
	put.payload_bytes = total;
	expect_put("payloads of 0 to 65,536 bytes, and none", file, &put, 0, count, 0);
	ktap_ok(collection_stat(file).payload_bytes >= total,
		"the counters tell their memory");

	memset(room, UNTOUCHED, sizeof(room));
	get.payload_sizes = ADDRESS(out_sizes);
	get.payloads = ADDRESS(room);
	get.payload_bytes = sizeof(room);
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == count, "they are read");
	for (i = 0; i < count; i++) {
		uint32_t size = edges[i] == VSS_NO_PAYLOAD ? 0 : edges[i];

		right += out_sizes[i] == edges[i] && payload_is(room + at, i, size);
		at += size;
	}
	ktap_ok(right == count && (unsigned char)room[at] == UNTOUCHED,
		"they are what was put, and nothing is written behind them");

	get = get_of(count);
	get.payload_sizes = ADDRESS(out_sizes);
	get.payloads = ADDRESS(room);
	get.payload_bytes = VSS_MAX_PAYLOAD;
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == count - 1,
		"a get whose room ends stops before the row that does not fit");
	get.ids = ADDRESS(ids + get.done);
	get.count = count - get.done;
	ktap_ok(!RUN(file, VSS_GET, &get) && get.done == 1 &&
		payload_is(room, count - 1, VSS_MAX_PAYLOAD),
		"and goes on from there");
	close(file);
}

static void bad_payloads(void)
{
	static char bytes[100];
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(4);

	sizes[0] = sizes[1] = sizes[2] = 25;
	sizes[3] = VSS_MAX_PAYLOAD + 1;
	put.payload_sizes = ADDRESS(sizes);
	put.payloads = ADDRESS(bytes);
	put.payload_bytes = 100;
	expect_put("the fourth payload is too long", file, &put, EINVAL, 3, 0);
	sizes[3] = 26;
	put.ids = ADDRESS(ids + 10);
	expect_put("the fourth payload ends beyond the bytes", file, &put, EINVAL, 3, 0);
	number_rows();
	close(file);
}

/* Payloads are replaced and freed with their rows. */
static void payload_memory(void)
{
	static char bytes[4 * 4096];
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(4);
	struct vss_delete delete = { .count = 2, .ids = ADDRESS(ids) };
	unsigned long long full;

	sizes[0] = sizes[1] = sizes[2] = sizes[3] = 4096;
	put.payload_sizes = ADDRESS(sizes);
	put.payloads = ADDRESS(bytes);
	put.payload_bytes = sizeof(bytes);
	RUN(file, VSS_PUT, &put);
	full = collection_stat(file).payload_bytes;
	put = put_of(1);
	put.flags = VSS_PUT_UPSERT;
	RUN(file, VSS_PUT, &put);
	ktap_ok(collection_stat(file).payload_bytes == full * 3 / 4,
		"an upsert without a payload frees the one that was there");
	RUN(file, VSS_DELETE, &delete);
	ktap_ok(collection_stat(file).payload_bytes == full / 2,
		"a deleted row's payload is freed at once");
	number_rows();
	close(file);
}

static uint32_t scan_all(int file, uint32_t piece, uint32_t *twice)
{
	struct vss_scan scan = {
		.count = piece, .dimension = 1, .ids = ADDRESS(out_ids),
		.vectors = ADDRESS(out_vectors), .tags = ADDRESS(out_tags),
	};
	uint32_t i, count = 0;

	memset(found, 0, sizeof(found));
	while (scan.cursor != VSS_CURSOR_END) {
		if (RUN(file, VSS_SCAN, &scan))
			ktap_bail_out("cannot scan");
		for (i = 0; i < scan.done; i++) {
			uint32_t row = out_ids[i] - 1;

			if (found[row / 8] >> row % 8 & 1 ||
			    out_vectors[i] != row || out_tags[i] != row)
				++*twice;
			found[row / 8] |= 1 << row % 8;
		}
		count += scan.done;
	}
	return count;
}

static void scans(void)
{
	static const uint32_t pieces[] = { 1, 7, 512, 513, 4096, MOST };
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_put put = put_of(5000);
	uint32_t twice = 0;
	size_t i;

	ktap_ok(scan_all(file, 10, &twice) == 0, "a scan of no rows finds none");
	RUN(file, VSS_PUT, &put);
	for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		ktap_ok(scan_all(file, pieces[i], &twice) == 5000 && !twice,
			"a scan by %u finds each of 5,000 rows once, and whole",
			pieces[i]);
	close(file);
}

/* What a search counts: rows that are there, and of those the ones that match. */
static void search_counts(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_search search = {
		.count = 2, .dimension = 1, .k = 5,
		.queries = ADDRESS(vectors), .ids = ADDRESS(out_ids),
		.distances = ADDRESS(out_vectors), .counts = ADDRESS(out_sizes),
	};
	struct vss_delete delete = { .count = 1, .ids = ADDRESS(ids + 5) };
	struct vss_put put = put_of(10);

	RUN(file, VSS_PUT, &put);
	RUN(file, VSS_DELETE, &delete);
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && search.done == 2 &&
		search.scanned == 18 && search.computed == 18,
		"two queries of nine rows look at 18, and compute 18");
	search.tag_mask = search.tag_value = 1;
	ktap_ok(!RUN(file, VSS_SEARCH, &search) && search.scanned == 18 &&
		search.computed == 8,
		"of those, with a filter, as many as match");
	ktap_ok(collection_stat(file).scanned == 36 &&
		collection_stat(file).computed == 26,
		"the collection's counters add up");
	close(file);
}

/* Deleting gives whole empty blocks back. */
static void deletes(void)
{
	int file = open_private(1, VSS_METRIC_L2SQ);
	struct vss_delete delete = {
		.flags = VSS_DELETE_MATCHING, .tag_mask = 1, .tag_value = 1,
	};
	struct vss_delete by_id = { .count = 10, .ids = ADDRESS(ids) };
	struct vss_clear clear = { .done = 77 };
	unsigned long long empty = collection_stat(file).bytes;
	struct vss_put put = put_of(MOST);

	RUN(file, VSS_PUT, &put);
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && delete.deleted == MOST / 2 &&
		delete.done == MOST / 2,
		"a filter deletes the rows that it matches");
	delete.tag_mask = 0;
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && !delete.deleted,
		"mask 0 with value 1 matches nothing");
	ktap_ok(!RUN(file, VSS_DELETE, &by_id) && by_id.done == 10 &&
		by_id.deleted == 5,
		"of ten ids, the five that are stored are deleted");
	delete.tag_value = 0;
	ktap_ok(!RUN(file, VSS_DELETE, &delete) && delete.deleted == MOST / 2 - 5,
		"mask 0 with value 0 matches all");
	ktap_ok(collection_stat(file).bytes == empty && !collection_stat(file).count,
		"all memory is back");
	put = put_of(MOST);
	RUN(file, VSS_PUT, &put);
	ktap_ok(!RUN(file, VSS_CLEAR, &clear) && clear.done == MOST &&
		collection_stat(file).bytes == empty,
		"CLEAR deletes all rows, and their memory is back");
	ktap_ok(collection_stat(file).deletes == 2 * MOST,
		"the counters tell all deletes");
	close(file);
}

/* 4,000 rows of 4 KiB fill eight blocks; the first half of them, three. */
static void blocks(void)
{
	enum { DIMENSION = 1024, ROWS = 4000 };
	int file = open_private(DIMENSION, VSS_METRIC_L2SQ);
	struct vss_delete delete = { .count = ROWS / 2, .ids = ADDRESS(ids) };
	unsigned long long full;
	uint32_t i;

	for (i = 0; i < ROWS; i++)
		if (put_row(file, ids[i], DIMENSION, i))
			ktap_bail_out("cannot put row %u", i);
	full = collection_stat(file).bytes;
	RUN(file, VSS_DELETE, &delete);
	ktap_ok(delete.deleted == ROWS / 2 &&
		collection_stat(file).bytes <= full - 6 * MIB,
		"half of the rows gone, the blocks that they filled are back");
	for (i = 0; i < ROWS / 2; i++)
		if (put_row(file, ids[i], DIMENSION, i))
			ktap_bail_out("cannot put row %u again", i);
	ktap_ok(collection_stat(file).bytes < full + MIB, "and are used again");
	close(file);
}

/* A file bound to nothing, before there is a default. */
static void default_collection(void)
{
	int file = device_open(O_RDWR);
	struct vss_put put = put_of(1);
	struct vss_stat stat = { 0 };

	ktap_ok(RUN(file, VSS_PUT, &put) == ENOENT && !put.done &&
		RUN(file, VSS_STAT, &stat) == ENOENT,
		"a file bound to none finds no default collection: ENOENT");
	device_add(file, 1, 1, 0);
	put.ids = ADDRESS(ids + 1);
	expect_put("protocol 1 makes it, protocol 2 puts into it", file, &put, 0, 1, 0);
	ktap_ok(device_stats(file).count == 2 &&
		!strcmp(collection_stat(file).name, "default"),
		"both protocols see the same rows");
	close(file);
}

int main(void)
{
	number_rows();
	default_collection();
	stops_at_a_row();
	stops_at_any_component();
	stops_at_a_limit();
	stops_at_the_quota();
	stops_at_a_fault();
	greatest_batches();
	get_marks();
	extreme_ids();
	payloads();
	bad_payloads();
	payload_memory();
	scans();
	search_counts();
	deletes();
	blocks();
	return ktap_done();
}
