// SPDX-License-Identifier: MIT
/*
 * The header's numbers are those of protocol 1, which never change: each size,
 * offset and command number beside the one that the protocol fixes.
 */
#include <stddef.h>

#include <linux/vss.h>

#include "ktap.h"

struct fact {
	const char *name;
	unsigned long value;
	unsigned long fixed;
};

#define SIZE(_struct, _fixed) \
	{ "sizeof(" #_struct ")", sizeof(struct _struct), _fixed }
#define OFFSET(_struct, _field, _fixed) \
	{ "offsetof(" #_struct ", " #_field ")", \
	  offsetof(struct _struct, _field), _fixed }
#define NUMBER(_macro, _fixed) { #_macro, _macro, _fixed }

static const struct fact facts[] = {
	SIZE(vss_vector_data, 520),
	OFFSET(vss_vector_data, id, 0),
	OFFSET(vss_vector_data, dimension, 4),
	OFFSET(vss_vector_data, data, 8),
	SIZE(vss_query_data, 776),
	OFFSET(vss_query_data, k, 0),
	OFFSET(vss_query_data, dimension, 4),
	OFFSET(vss_query_data, query_vector, 8),
	OFFSET(vss_query_data, result_ids, 520),
	OFFSET(vss_query_data, distances, 648),
	SIZE(vss_stats, 64),
	OFFSET(vss_stats, count, 0),
	OFFSET(vss_stats, capacity, 8),
	OFFSET(vss_stats, bytes, 16),
	OFFSET(vss_stats, adds, 24),
	OFFSET(vss_stats, queries, 32),
	OFFSET(vss_stats, evictions, 40),
	OFFSET(vss_stats, dimension, 48),
	OFFSET(vss_stats, metric, 52),
	OFFSET(vss_stats, reserved, 56),
	NUMBER(VSS_ADD_VECTOR, 0x42087601),
	NUMBER(VSS_QUERY_TOP_K, 0xc3087602),
	NUMBER(VSS_GET_STATS, 0x80407603),
	NUMBER(VSS_V1_MAX_DIMENSION, 128),
	NUMBER(VSS_V1_MAX_K, 32),
	NUMBER(VSS_METRIC_L2SQ, 0),
};

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		ktap_ok(facts[i].value == facts[i].fixed, "%s is %#lx",
			facts[i].name, facts[i].value);
	return ktap_done();
}
