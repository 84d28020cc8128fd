/* SPDX-License-Identifier: MIT */
/*
 * What the test programs of protocol 2 share: collections, and rows whose every
 * part follows from their id and version, so that a mixed one is found out.
 */
#ifndef COLLECTIONS_H
#define COLLECTIONS_H

#include <sys/mman.h>

#include "device.h"

/* What tests put into memory that must not change. */
#define UNTOUCHED 0xcc

/* A pointer as the device takes it. */
#define ADDRESS(_pointer) ((uint64_t)(uintptr_t)(_pointer))

/*
 * Runs a command of protocol 2; returns 0 or the errno, and ends the program
 * where the struct does not tell the same.
 */
#define RUN(_file, _command, _struct) \
	run_sized(_file, _command, #_command, _struct, sizeof(*(_struct)))

__attribute__((unused))
static int run_sized(int file, unsigned long command, const char *name,
		     void *argument, uint32_t size)
{
	struct { uint32_t size; int32_t status; } *header = argument;
	int error;

	header->size = size;
	header->status = 12345;
	error = device_call(file, command, argument);
	if (header->status != -error || header->size != size)
		ktap_bail_out("%s returned %d, but its status is %d", name,
			      error, header->status);
	return error;
}

/* Binds @file to a new private collection; returns 0 or the errno. */
__attribute__((unused))
static int bind_private(int file, uint32_t dimension, uint32_t metric)
{
	struct vss_open open = {
		.flags = VSS_OPEN_PRIVATE,
		.dimension = dimension,
		.metric = metric,
	};

	return RUN(file, VSS_OPEN, &open);
}

/* Opens the device, bound to a new private collection, or ends the program. */
__attribute__((unused))
static int open_private(uint32_t dimension, uint32_t metric)
{
	int file = device_open(O_RDWR);

	if (bind_private(file, dimension, metric))
		ktap_bail_out("cannot make a private collection");
	return file;
}

/* Binds @file to a collection by name; with a dimension, it may be made. */
__attribute__((unused))
static int bind_named(int file, const char *name, uint32_t flags,
		      uint32_t dimension, uint32_t mode)
{
	struct vss_open open = {
		.flags = flags,
		.dimension = dimension,
		.mode = mode,
	};

	snprintf(open.name, sizeof(open.name), "%s", name);
	return RUN(file, VSS_OPEN, &open);
}

/* Reads the collection's counters, or ends the program. */
__attribute__((unused))
static struct vss_stat collection_stat(int file)
{
	struct vss_stat stat;
	int error;

	memset(&stat, UNTOUCHED, sizeof(stat));
	error = RUN(file, VSS_STAT, &stat);
	if (error) {
		errno = error;
		ktap_bail_out("cannot read a collection's counters");
	}
	return stat;
}

/* Reads what the driver is and holds, or ends the program. */
__attribute__((unused))
static struct vss_info driver_info(int file)
{
	struct vss_info info;

	memset(&info, UNTOUCHED, sizeof(info));
	if (RUN(file, VSS_INFO, &info))
		ktap_bail_out("cannot read the driver's state");
	return info;
}

/* Puts one row whose components are all @value; returns 0 or the errno. */
__attribute__((unused))
static int put_row(int file, uint64_t id, uint32_t dimension, float value)
{
	static __thread float vector[VSS_MAX_DIMENSION];
	struct vss_put put = {
		.flags = VSS_PUT_UPSERT,
		.count = 1,
		.dimension = dimension,
		.ids = ADDRESS(&id),
		.vectors = ADDRESS(vector),
	};
	uint32_t i;

	for (i = 0; i < dimension; i++)
		vector[i] = value;
	return RUN(file, VSS_PUT, &put);
}

/* Memory of whole pages behind which nothing is mapped, or ends the program. */
__attribute__((unused))
static char *guarded_memory(size_t pages)
{
	size_t bytes = pages * 4096;
	char *memory = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || munmap(memory + bytes, 4096))
		ktap_bail_out("cannot map memory");
	return memory;
}

#endif /* COLLECTIONS_H */
