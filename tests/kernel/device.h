/* SPDX-License-Identifier: MIT */
/*
 * What the test programs share: the device, its commands with the errno they
 * end with, and the driver's files below /sys.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vss.h>

#include "ktap.h"

#define DEVICE "/dev/vss"
#define PARAMETERS "/sys/module/vss/parameters/"

/*
 * A block holds 2 MiB of rows. At dimension 128 each takes 512 bytes, its code
 * 160 in stripes of 16 rows, and what is kept beside it 32 and two bits. The index
 * takes 11 to 43 bytes a row besides, in tables of powers of two.
 */
#define BLOCK_BYTES 2097152ULL
#define BLOCK_ROWS block_rows()

/* More than the index of a few blocks takes, and less than another block. */
#define INDEX_ROOM 1048576ULL

/* Rows of 128 dimensions that fit a block: see vss_layout_place(). */
__attribute__((unused))
static unsigned long long block_rows(void)
{
	unsigned long long rows = BLOCK_BYTES / 512;

	while (64 + rows * (512 + 32) + (rows + 15) / 16 * 16 * 160 +
	       (rows + 63) / 64 * 16 > BLOCK_BYTES)
		rows--;
	return rows;
}

/* Opens the device, or ends the program. */
__attribute__((unused))
static int device_open(int flags)
{
	int file = open(DEVICE, flags | O_CLOEXEC);

	if (file < 0)
		ktap_bail_out("cannot open %s", DEVICE);
	return file;
}

/* Runs any command; returns 0 or the errno. */
__attribute__((unused))
static int device_call(int file, unsigned long command, void *argument)
{
	return ioctl(file, command, argument) ? errno : 0;
}

/* Adds a row whose components are all @value. */
__attribute__((unused))
static int device_add(int file, uint32_t id, uint32_t dimension, float value)
{
	struct vss_vector_data row = { .id = id, .dimension = dimension };
	uint32_t i;

	for (i = 0; i < dimension && i < VSS_V1_MAX_DIMENSION; i++)
		row.data[i] = value;
	return device_call(file, VSS_ADD_VECTOR, &row);
}

/* Asks for the nearest rows to a vector whose components are all @value. */
__attribute__((unused))
static int device_query(int file, struct vss_query_data *query, uint32_t k,
			uint32_t dimension, float value)
{
	uint32_t i;

	memset(query, 0xcc, sizeof(*query));
	query->k = k;
	query->dimension = dimension;
	for (i = 0; i < dimension && i < VSS_V1_MAX_DIMENSION; i++)
		query->query_vector[i] = value;
	return device_call(file, VSS_QUERY_TOP_K, query);
}

/* Reads the counters, or ends the program. */
__attribute__((unused))
static struct vss_stats device_stats(int file)
{
	struct vss_stats stats;

	memset(&stats, 0xcc, sizeof(stats));
	if (device_call(file, VSS_GET_STATS, &stats))
		ktap_bail_out("cannot read the stats");
	return stats;
}

/* Writes a file of the kernel's; returns 0 or the errno. */
__attribute__((unused))
static int file_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (file < 0)
		return errno;
	if (write(file, text, strlen(text)) < 0)
		error = errno;
	close(file);
	return error;
}

/* Writes a number to one of the driver's parameters, or ends the program. */
__attribute__((unused))
static void set_parameter(const char *name, unsigned long long value)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	snprintf(text, sizeof(text), "%llu", value);
	if (file_write(path, text))
		ktap_bail_out("cannot set %s to %s", name, text);
}

/* A field of /proc/meminfo, in bytes; 0 where there is none. */
__attribute__((unused))
static unsigned long long memory_number(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0, found;
	char line[100], name[40];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%39[^:]: %llu kB", name, &found) == 2 &&
		    !strcmp(name, field))
			kib = found;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* Reads the number in a file of the kernel's, or ends the program. */
__attribute__((unused))
static unsigned long long file_number(const char *path)
{
	unsigned long long number;
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "%llu", &number) != 1)
		ktap_bail_out("cannot read a number from %s", path);
	fclose(file);
	return number;
}

#endif /* DEVICE_H */
