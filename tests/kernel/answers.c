// SPDX-License-Identifier: MIT
/*
 * What a query answers at the edges: ties, extreme values, more hits wanted
 * than rows stored, and every byte of the struct written.
 */
#include <fenv.h>
#include <float.h>

#include "device.h"

#define DIMENSION 3

static int device;

static int add(uint32_t id, float x, float y, float z)
{
	struct vss_vector_data row = {
		.id = id, .dimension = DIMENSION, .data = { x, y, z },
	};

	return device_call(device, VSS_ADD_VECTOR, &row);
}

static struct vss_query_data query(uint32_t k, float x, float y, float z)
{
	struct vss_query_data data;

	memset(&data, 0xcc, sizeof(data));
	data.k = k;
	data.dimension = DIMENSION;
	data.query_vector[0] = x;
	data.query_vector[1] = y;
	data.query_vector[2] = z;
	if (device_call(device, VSS_QUERY_TOP_K, &data))
		ktap_bail_out("cannot query");
	return data;
}

static bool no_hits_from(const struct vss_query_data *data, uint32_t first)
{
	uint32_t i;

	for (i = first; i < VSS_V1_MAX_K; i++)
		if (data->result_ids[i] || data->distances[i] != INFINITY)
			return false;
	return true;
}

/* Whether a query is answered alike whatever way the caller rounds. */
static bool ignores_rounding(void)
{
	static const int directions[] = { FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	struct vss_query_data usual = query(6, 0.1f, 0.2f, 0.3f), other;
	bool same = true;
	uint32_t i;

	for (i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		if (fesetround(directions[i]))
			ktap_bail_out("cannot round in other ways");
		other = query(6, 0.1f, 0.2f, 0.3f);
		/* The call leaves the caller its own. */
		same &= fegetround() == directions[i] &&
			!memcmp(&usual, &other, sizeof(usual));
	}
	fesetround(FE_TONEAREST);
	return same;
}

int main(void)
{
	struct vss_query_data data;
	struct vss_stats stats;
	bool added = true;

	device = device_open(O_RDWR);
	if (device_stats(device).count)
		ktap_bail_out("the store is not empty");

	/* Three rows at one place, added with descending ids. */
	added &= !add(UINT32_MAX, 1, 0, 0);
	added &= !add(50, 1, 0, 0);
	added &= !add(0, 1, 0, 0);
	added &= !add(7, -0.0f, 0, 0);
	ktap_ok(added, "any id is allowed, 0 and 4294967295 among them");

	data = query(2, 1, 0, 0);
	ktap_ok(data.k == 2 && data.result_ids[0] == 0 && data.result_ids[1] == 50,
		"of equally near rows the smallest ids win");
	ktap_ok(no_hits_from(&data, 2), "entries beyond k are id 0, +infinity");
	data = query(32, 0, 0, 0);
	ktap_ok(data.k == 4 && data.result_ids[0] == 7 && data.distances[0] == 0 &&
		data.result_ids[1] == 0 && data.result_ids[2] == 50 &&
		data.result_ids[3] == UINT32_MAX,
		"k is lowered to the rows there are, sorted by distance, then id");
	ktap_ok(no_hits_from(&data, 4), "entries beyond the last hit are id 0, +infinity");

	ktap_ok(!add(8, FLT_MAX, -FLT_MAX, 0) && !add(9, FLT_TRUE_MIN, 0, 0),
		"the largest and the smallest numbers can be stored");
	data = query(6, -FLT_MAX, FLT_MAX, 0);
	ktap_ok(data.k == 6 && data.distances[5] == INFINITY &&
		!isnan(data.distances[5]),
		"a distance too large for a float is +infinity, and still a hit");
	data = query(1, 1e-20f, 0, 0);
	ktap_ok(data.k == 1 && data.distances[0] >= 0 && data.distances[0] < 1e-38f,
		"a tiny distance is tiny");

	stats = device_stats(device);
	ktap_ok(stats.count == 6 && stats.adds == 6 && stats.queries == 4 &&
		stats.dimension == DIMENSION && !stats.metric && !stats.evictions &&
		!stats.reserved && stats.bytes > 0 &&
		stats.capacity == file_number(PARAMETERS "max_vectors"),
		"the stats count all of it");
	ktap_ok(file_number("/sys/class/misc/vss/count") == 6 &&
		file_number("/sys/class/misc/vss/adds") == 6 &&
		file_number("/sys/class/misc/vss/queries") == 4 &&
		file_number("/sys/class/misc/vss/collections") == 1 &&
		file_number("/sys/class/misc/vss/files") == 1,
		"sysfs counts the same");
	ktap_ok(ignores_rounding(), "how the caller rounds changes no answer");
	return ktap_done();
}
