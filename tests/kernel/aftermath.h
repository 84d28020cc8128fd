/* SPDX-License-Identifier: MIT */
/*
 * What is shown after the driver was put under strain: that it holds nothing
 * any more, and that it works.
 */
#ifndef AFTERMATH_H
#define AFTERMATH_H

#include "collections.h"

#define BYTES "/sys/class/misc/vss/bytes"
#define WORKS_DIMENSION 48

/* Drops every collection that has a name. */
__attribute__((unused))
static void drop_all(void)
{
	struct vss_list_record records[16] = {};
	int file = device_open(O_RDWR);
	struct vss_list list = {
		.count = 16, .record_size = sizeof(*records),
		.records = ADDRESS(records),
	};
	uint32_t i;

	do {
		list.cursor = 0;
		if (RUN(file, VSS_LIST, &list))
			ktap_bail_out("cannot list collections");
		for (i = 0; i < list.done; i++) {
			struct vss_drop drop = {};

			strcpy(drop.name, records[i].name);
			if (RUN(file, VSS_DROP, &drop))
				ktap_bail_out("cannot drop %s", drop.name);
		}
	} while (list.done);
	close(file);
}

/* Whether rows come, are found and go as ever. */
__attribute__((unused))
static bool works(void)
{
	int file = open_private(WORKS_DIMENSION, VSS_METRIC_L2SQ);
	static float query[WORKS_DIMENSION];
	uint64_t ids[3] = { 0 };
	float distances[3];
	uint32_t count = 0, i;
	struct vss_search search = {
		.count = 1, .dimension = WORKS_DIMENSION, .k = 3,
		.queries = ADDRESS(query), .ids = ADDRESS(ids),
		.distances = ADDRESS(distances), .counts = ADDRESS(&count),
	};
	struct vss_delete delete = { .count = 1, .ids = ADDRESS(ids) };
	bool right = true;

	for (i = 1; i <= 8; i++)
		right = right && !put_row(file, i, WORKS_DIMENSION, i);
	for (i = 0; i < WORKS_DIMENSION; i++)
		query[i] = 5;
	right = right && !RUN(file, VSS_SEARCH, &search) && count == 3 &&
		ids[0] == 5 && ids[1] == 4 && ids[2] == 6 && distances[0] == 0 &&
		distances[1] == WORKS_DIMENSION && distances[2] == WORKS_DIMENSION;
	right = right && !RUN(file, VSS_DELETE, &delete) && delete.deleted == 1 &&
		!RUN(file, VSS_SEARCH, &search) && ids[0] == 4 && ids[1] == 6;
	close(file);
	return right;
}

/* The memory of what is gone may wait for its readers; on a busy machine, long. */
__attribute__((unused))
static bool nothing_is_left(void)
{
	unsigned int i;

	for (i = 0; i < 600; i++) {
		if (!file_number(BYTES))
			return true;
		usleep(100000);
	}
	return false;
}

#endif /* AFTERMATH_H */
