// SPDX-License-Identifier: MIT
/*
 * A 32-bit caller sees the same commands and layouts. Instead of a 32-bit
 * program, which would need a 32-bit libc, this one makes 32-bit system calls,
 * where a processor lets a 64-bit program do that.
 */
#include "collections.h"

#define GETPID_32 20L
#define IOCTL_32 54L

#ifdef __x86_64__

static long system_call_32(long number, long b, unsigned long c, void *d)
{
	long result;

	/* A kernel that takes this for a 64-bit call finds a bad file in rdi. */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(b), "c"(c), "d"(d), "D"(-1L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

#else

#define MAP_32BIT 0

static long system_call_32(long number, long b, unsigned long c, void *d)
{
	(void)number, (void)b, (void)c, (void)d;
	return -ENOSYS;
}

#endif

/* ioctl() as a 32-bit program calls it; returns 0 or the errno. */
static int compat_call(int file, unsigned long command, void *argument)
{
	return (int)-system_call_32(IOCTL_32, file, command, argument);
}

static void protocol_1(int device, void *low)
{
	struct vss_vector_data *row = low;
	struct vss_query_data *query = low;
	struct vss_stats *stats = low;

	*row = (struct vss_vector_data){ .id = 7, .dimension = 2, .data = { 3, 4 } };
	ktap_ok(!compat_call(device, VSS_ADD_VECTOR, row), "a 32-bit caller adds a row");
	ktap_ok(compat_call(device, VSS_ADD_VECTOR, row) == EEXIST,
		"a 32-bit caller gets EEXIST");
	*query = (struct vss_query_data){ .k = 1, .dimension = 2 };
	ktap_ok(!compat_call(device, VSS_QUERY_TOP_K, query) && query->k == 1 &&
		query->result_ids[0] == 7 && query->distances[0] == 25,
		"a 32-bit caller finds it");
	ktap_ok(!compat_call(device, VSS_GET_STATS, stats) && stats->count == 1,
		"a 32-bit caller reads the stats");
	ktap_ok(compat_call(device, _IO('v', 99), low) == ENOTTY,
		"a 32-bit caller gets ENOTTY");
}

/* All that a 32-bit caller points to must lie below 4 GiB. */
struct low {
	struct vss_open open;
	struct vss_put put;
	struct vss_search search;
	uint64_t id;
	uint64_t hit;
	float vector[2];
	float distance;
	uint32_t count;
};

static void protocol_2(int device, struct low *low)
{
	*low = (struct low){
		.open = {
			.size = sizeof(low->open), .flags = VSS_OPEN_PRIVATE,
			.dimension = 2, .metric = VSS_METRIC_COS,
		},
		.put = {
			.size = sizeof(low->put), .count = 1, .dimension = 2,
			.ids = ADDRESS(&low->id), .vectors = ADDRESS(low->vector),
		},
		.search = {
			.size = sizeof(low->search), .count = 1, .dimension = 2,
			.k = 1, .queries = ADDRESS(low->vector),
			.ids = ADDRESS(&low->hit),
			.distances = ADDRESS(&low->distance),
			.counts = ADDRESS(&low->count),
		},
		.id = UINT64_MAX, .vector = { 3, 4 },
	};
	ktap_ok(!compat_call(device, VSS_OPEN, &low->open) && low->open.serial,
		"a 32-bit caller makes a collection");
	ktap_ok(!compat_call(device, VSS_PUT, &low->put) && low->put.done == 1,
		"a 32-bit caller puts a row");
	ktap_ok(!compat_call(device, VSS_SEARCH, &low->search) && low->count == 1 &&
		low->hit == UINT64_MAX && low->distance < 1e-6f,
		"a 32-bit caller finds it by its 64-bit id");
	ktap_ok(compat_call(device, VSS_PUT, &low->put) == EEXIST &&
		low->put.status == -EEXIST,
		"a 32-bit caller reads EEXIST from the status");
}

int main(void)
{
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int device = device_open(O_RDWR);

	if (system_call_32(GETPID_32, 0, 0, NULL) != getpid()) {
		ktap_skip("a 32-bit caller", "this kernel has no 32-bit system calls");
		return ktap_done();
	}
	if (low == MAP_FAILED)
		ktap_bail_out("cannot map memory below 4 GiB");
	protocol_1(device, low);
	protocol_2(device, low);
	return ktap_done();
}
