// SPDX-License-Identifier: MIT
/*
 * Every error of protocol 1 by name. After each one the store must hold the
 * same rows and answer the same query with the same hits.
 */
/* For strerrorname_np(). */
#define _GNU_SOURCE

#include <stddef.h>
#include <sys/mman.h>

#include "device.h"

#define DIMENSION 16
#define ROWS 5

static int device;
static struct vss_query_data answer;

/* Reports that a call ended with the errno it should, and changed nothing. */
static void expect(int wanted, int got, const char *call)
{
	struct vss_stats stats = device_stats(device);
	struct vss_query_data again;

	ktap_ok(got == wanted, "%s: %s", call,
		wanted ? strerrorname_np(wanted) : "no error");
	device_query(device, &again, ROWS, DIMENSION, 2.2f);
	ktap_ok(stats.count == ROWS && stats.adds == ROWS &&
		!memcmp(&again, &answer, sizeof(again)),
		"%s: the store answers as before", call);
}

static struct vss_vector_data row_with(uint32_t position, float value)
{
	struct vss_vector_data row = { .id = 99, .dimension = DIMENSION };

	row.data[position] = value;
	return row;
}

static struct vss_query_data query_with(uint32_t position, float value)
{
	struct vss_query_data query = { .k = 1, .dimension = DIMENSION };

	query.query_vector[position] = value;
	return query;
}

static void bad_fields(void)
{
	static const struct {
		const char *name;
		float value;
	} bad[] = {
		{ "NaN", NAN }, { "a negative NaN", -NAN },
		{ "+infinity", INFINITY }, { "-infinity", -INFINITY },
	};
	static const uint32_t dimensions[] = {
		0, 1, DIMENSION - 1, DIMENSION + 1, 128, 129, UINT32_MAX,
	};
	static const uint32_t ks[] = { 0, 33, UINT32_MAX };
	struct vss_query_data query;
	char call[80];
	size_t i;

	for (i = 0; i < sizeof(dimensions) / sizeof(*dimensions); i++) {
		snprintf(call, sizeof(call), "add with dimension %u", dimensions[i]);
		expect(EINVAL, device_add(device, 99, dimensions[i], 1), call);
		snprintf(call, sizeof(call), "query with dimension %u", dimensions[i]);
		expect(EINVAL, device_query(device, &query, 1, dimensions[i], 1), call);
	}
	for (i = 0; i < sizeof(ks) / sizeof(*ks); i++) {
		snprintf(call, sizeof(call), "query with k %u", ks[i]);
		expect(EINVAL, device_query(device, &query, ks[i], DIMENSION, 1), call);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct vss_vector_data row = row_with(DIMENSION - 1, bad[i].value);

		snprintf(call, sizeof(call), "add with %s in the last component",
			 bad[i].name);
		expect(EINVAL, device_call(device, VSS_ADD_VECTOR, &row), call);
		query = query_with(0, bad[i].value);
		snprintf(call, sizeof(call), "query with %s in the first component",
			 bad[i].name);
		expect(EINVAL, device_call(device, VSS_QUERY_TOP_K, &query), call);
	}
	query = query_with(DIMENSION, NAN);
	expect(0, device_call(device, VSS_QUERY_TOP_K, &query),
	       "query with NaN beyond the last component");
}

static void bad_pointers(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vss_query_data *query = (struct vss_query_data *)memory;
	/* The last byte of the struct lies in the page that is not there. */
	struct vss_query_data *across = (struct vss_query_data *)
		(memory + page - sizeof(*across) + 1);

	if (memory == MAP_FAILED || munmap(memory + page, page))
		ktap_bail_out("cannot map memory");
	expect(EFAULT, device_call(device, VSS_ADD_VECTOR, NULL), "add from NULL");
	expect(EFAULT, device_call(device, VSS_ADD_VECTOR, memory + page),
	       "add from unmapped memory");
	expect(EFAULT, device_call(device, VSS_QUERY_TOP_K, memory + page),
	       "query from unmapped memory");
	expect(EFAULT, device_call(device, VSS_GET_STATS, memory + page),
	       "stats to unmapped memory");
	expect(EFAULT, device_call(device, VSS_QUERY_TOP_K, across),
	       "query from memory that ends too early");
	expect(EFAULT, device_call(device, VSS_ADD_VECTOR, (void *)-4096L),
	       "add from an address of the kernel's");
	expect(EFAULT, device_call(device, VSS_GET_STATS, (void *)-4096L),
	       "stats to an address of the kernel's");

	*query = query_with(0, 1);
	if (mprotect(memory, page, PROT_READ))
		ktap_bail_out("cannot protect memory");
	expect(EFAULT, device_call(device, VSS_QUERY_TOP_K, query),
	       "query to read-only memory");
	expect(EFAULT, device_call(device, VSS_GET_STATS, query),
	       "stats to read-only memory");
	munmap(memory, page);
}

static void bad_commands(void)
{
	static const struct {
		const char *name;
		unsigned long command;
	} bad[] = {
		{ "command 0", 0 },
		{ "_IO('v', 0)", _IO('v', 0) },
		{ "_IO('v', 1)", _IO('v', 1) },
		{ "_IO('v', 4)", _IO('v', 4) },
		{ "_IO('v', 255)", _IO('v', 255) },
		{ "add with size - 1", _IOC(_IOC_WRITE, 'v', 1, 519) },
		{ "add with size + 1", _IOC(_IOC_WRITE, 'v', 1, 521) },
		{ "add with the largest size", _IOC(_IOC_WRITE, 'v', 1, 16383) },
		{ "add with read direction", _IOC(_IOC_READ, 'v', 1, 520) },
		{ "query with size - 1", _IOC(_IOC_READ | _IOC_WRITE, 'v', 2, 775) },
		{ "query with size + 1", _IOC(_IOC_READ | _IOC_WRITE, 'v', 2, 777) },
		{ "query without write direction", _IOC(_IOC_READ, 'v', 2, 776) },
		{ "stats with size 0", _IOC(_IOC_READ, 'v', 3, 0) },
		{ "stats with size + 1", _IOC(_IOC_READ, 'v', 3, 65) },
		{ "add of another magic", _IOC(_IOC_WRITE, 'w', 1, 520) },
	};
	char buffer[16384] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect(ENOTTY, device_call(device, bad[i].command, buffer),
		       bad[i].name);
}

static void bad_modes(void)
{
	int reader = device_open(O_RDONLY);
	int writer = device_open(O_WRONLY);
	struct vss_query_data query;
	struct vss_stats stats;

	expect(EBADF, device_add(reader, 99, DIMENSION, 1),
	       "add to a file open for reading only");
	expect(EBADF, device_query(writer, &query, 1, DIMENSION, 1),
	       "query to a file open for writing only");
	expect(EBADF, device_call(writer, VSS_GET_STATS, &stats),
	       "stats of a file open for writing only");
	expect(0, device_query(reader, &query, 1, DIMENSION, 1),
	       "query to a file open for reading only");
	close(reader);
	close(writer);
}

static void full(void)
{
	unsigned long long before = file_number(PARAMETERS "max_vectors");

	expect(EEXIST, device_add(device, 1, DIMENSION, 9), "add of a stored id");

	set_parameter("max_vectors", ROWS);
	expect(ENOSPC, device_add(device, 99, DIMENSION, 1), "add to a full collection");
	expect(EEXIST, device_add(device, 1, DIMENSION, 9),
	       "add of a stored id to a full collection");
	ktap_ok(device_stats(device).capacity == ROWS, "the stats tell the capacity");
	ktap_ok(file_write(PARAMETERS "max_vectors", "0") &&
		file_write(PARAMETERS "max_vectors", "67108865") &&
		file_write(PARAMETERS "max_vectors", "many") &&
		file_number(PARAMETERS "max_vectors") == ROWS,
		"max_vectors refuses 0, 67108865 and words");
	set_parameter("max_vectors", before);
	ktap_ok(device_stats(device).capacity == before, "max_vectors can be raised");
}

/* A store without rows: nothing to be found, and nothing left by a failure. */
static void empty(void)
{
	struct vss_query_data query;
	struct vss_stats stats = device_stats(device);
	uint32_t i, clean = 0;

	ktap_ok(!stats.count && !stats.bytes && !stats.adds && !stats.dimension &&
		!stats.metric && !stats.evictions && !stats.reserved && stats.capacity,
		"an empty store's stats are zeros and a capacity");
	ktap_ok(!device_query(device, &query, 32, 128, 1) && query.k == 0,
		"an empty store answers a query with k = 0");
	for (i = 0; i < VSS_V1_MAX_K; i++)
		clean += !query.result_ids[i] && query.distances[i] == INFINITY;
	ktap_ok(clean == VSS_V1_MAX_K, "the entries without a hit are id 0, +infinity");
	ktap_ok(device_query(device, &query, 1, 129, 1) == EINVAL,
		"an empty store refuses dimension 129");

	set_parameter("max_bytes", 1);
	ktap_ok(device_add(device, 1, 128, 1) == EDQUOT,
		"add past max_bytes: EDQUOT");
	set_parameter("max_bytes", 0);
	ktap_ok(!device_stats(device).dimension,
		"a first row that could not be stored fixes no dimension");
}

int main(void)
{
	uint32_t id;

	device = device_open(O_RDWR);
	if (device_stats(device).count)
		ktap_bail_out("the store is not empty");
	empty();
	for (id = 1; id <= ROWS; id++)
		if (device_add(device, id, DIMENSION, id))
			ktap_bail_out("cannot add row %u", id);
	if (device_query(device, &answer, ROWS, DIMENSION, 2.2f))
		ktap_bail_out("cannot query");
	ktap_ok(answer.k == ROWS && answer.result_ids[0] == 2,
		"the store answers before the first error");
	bad_fields();
	bad_pointers();
	bad_commands();
	bad_modes();
	full();
	return ktap_done();
}
