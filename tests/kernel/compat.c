// SPDX-License-Identifier: MIT
/*
 * A 32-bit caller sees the same commands and layouts. Instead of a 32-bit
 * program, which would need a 32-bit libc, this one makes 32-bit system calls.
 */
#include <sys/mman.h>

#include "device.h"

/* ioctl() as a 32-bit program calls it; returns 0 or the errno. */
static int compat_call(int file, unsigned long command, void *argument)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(54L), "b"((long)file), "c"(command), "d"(argument)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)-result;
}

int main(void)
{
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct vss_vector_data *row = low;
	struct vss_query_data *query = low;
	struct vss_stats *stats = low;
	int device = device_open(O_RDWR);

	if (low == MAP_FAILED)
		ktap_bail_out("cannot map memory below 4 GiB");
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
	return ktap_done();
}
