// SPDX-License-Identifier: MIT
/*
 * The tracepoints, as perf and bpftrace read them: through tracefs.
 */
#include <sys/stat.h>

#include "caches.h"
#include "tracing.h"

#define NAME "traced"

static char trace[65536];

static void read_trace(void)
{
	int file = open(TRACING "trace", O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t bytes;

	while (file >= 0 && length < sizeof(trace) - 1 &&
	       (bytes = read(file, trace + length, sizeof(trace) - 1 - length)) > 0)
		length += bytes;
	trace[length] = 0;
	close(file);
}

/* Whether a line of the trace has the event and all it should say. */
static bool is_traced(const char *event, const char *fields)
{
	char *line, *rest, text[sizeof(trace)];

	memcpy(text, trace, sizeof(text));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned long long ns;
		char *duration = strstr(line, " ns=");

		if (strstr(line, event) && strstr(line, fields) && duration &&
		    sscanf(duration, " ns=%llu", &ns) == 1 &&
		    ns > 0 && ns < 60000000000ULL)
			return true;
	}
	return false;
}

/* How many rows of a collection went, as the trace tells it. */
static unsigned long long rows_traced(uint64_t serial, const char *why)
{
	char *line, *rest, text[sizeof(trace)], fields[40], reason[20];
	unsigned long long rows, sum = 0;

	snprintf(fields, sizeof(fields), "serial=%llu ", (unsigned long long)serial);
	memcpy(text, trace, sizeof(text));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *counted = strstr(line, " rows=");

		if (strstr(line, "vss_evict:") && strstr(line, fields) && counted &&
		    sscanf(counted, " rows=%llu why=%19s", &rows, reason) == 2 &&
		    !strcmp(reason, why))
			sum += rows;
	}
	return sum;
}

/* Rows that go for all reasons, some of them in one step. */
static struct vss_stat forget(void)
{
	int file = open_cache(1, VSS_EVICTION_FIFO, 100, 0, 0);
	struct vss_stat stat;
	int round;

	for (round = 0; round < 4; round++) {
		uint64_t first = 1 + round * 1000, last = first + 99;
		struct vss_delete delete = { .count = 1, .ids = ADDRESS(&last) };

		/* Over at once; a put looks for some rows only. */
		put_rows_for(file, first, 100, 1, 1);
		put_rows(file, last - 1, 1, 1);
		RUN(file, VSS_DELETE, &delete);
		put_rows(file, first + 200, 60, 1);
		put_rows_for(file, first + 300, 40, 1, 1);
		configure(file, (struct vss_configure) {
			.flags = VSS_CONFIGURE_CAPACITY,
			.capacity = round % 2 ? 100 : 30 });
	}
	put_rows(file, 1, 10, 1);
	put_rows_for(file, 11, 10, 1, 1);
	file_write("/proc/sys/vm/drop_caches", "2");
	stat = collection_stat(file);
	close(file);
	return stat;
}

static void work(int file)
{
	uint64_t ids[] = { 1, 2, 3 }, hits[3];
	float vectors[] = { 1, 2, 3 }, distances[3];
	uint32_t counts[1];
	struct vss_put put = {
		.count = 3, .dimension = 1, .ids = ADDRESS(ids),
		.vectors = ADDRESS(vectors),
	};
	struct vss_search search = {
		.count = 1, .dimension = 1, .k = 3, .queries = ADDRESS(vectors),
		.ids = ADDRESS(hits), .distances = ADDRESS(distances),
		.counts = ADDRESS(counts),
	};
	struct vss_delete delete = { .count = 2, .ids = ADDRESS(ids) };
	struct vss_open cache = {
		.flags = VSS_OPEN_PRIVATE, .dimension = 1,
		.eviction = VSS_EVICTION_FIFO, .capacity = 1,
	};

	if (bind_named(file, NAME, VSS_OPEN_CREATE, 1, 0600) ||
	    RUN(file, VSS_PUT, &put) || RUN(file, VSS_PUT, &put) != EEXIST ||
	    RUN(file, VSS_SEARCH, &search) || RUN(file, VSS_DELETE, &delete))
		ktap_bail_out("the device does not work");
	put.flags = VSS_PUT_UPSERT;
	if (RUN(file, VSS_OPEN, &cache) || RUN(file, VSS_PUT, &put))
		ktap_bail_out("a collection that evicts does not work");
}

/*
 * Whether perf can read an event's form: the text that it prints is between the
 * only two quotation marks.
 */
static bool is_readable(const char *event)
{
	char path[96];
	int c, quotes = 0;
	FILE *form;

	snprintf(path, sizeof(path), TRACING "events/vss/%s/format", event);
	form = fopen(path, "re");
	if (!form)
		ktap_bail_out("cannot read %s", path);
	while ((c = fgetc(form)) != EOF)
		quotes += c == '"';
	fclose(form);
	return quotes == 2;
}

int main(void)
{
	static const char *const events[] = {
		"open", "put", "search", "delete", "evict"
	};
	int file = device_open(O_RDWR);
	struct vss_stat stat;
	char path[100];
	size_t i;

	tracing_prepare();
	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		snprintf(path, sizeof(path), TRACING "events/vss/vss_%s/format",
			 events[i]);
		ktap_ok(!access(path, R_OK), "there is an event vss_%s", events[i]);
	}
	work(file);
	read_trace();
	ktap_ok(!strstr(trace, "vss_"), "nothing is traced unless it is asked for");
	tracing_switch(true);
	close(file);
	file = device_open(O_RDWR);
	{
		struct vss_drop drop = { .name = NAME };

		RUN(file, VSS_DROP, &drop);
	}
	work(file);
	stat = forget();
	tracing_switch(false);
	read_trace();
	ktap_ok(is_traced("vss_open:", "collection=" NAME), "open is traced");
	ktap_ok(is_traced("vss_put:", "inserted=3 updated=0"), "put is traced");
	ktap_ok(is_traced("vss_put:", "ret=-17"), "a put that fails is traced");
	ktap_ok(is_traced("vss_search:", "k=3"), "search is traced");
	ktap_ok(is_traced("vss_delete:", "deleted=2"), "delete is traced");
	ktap_ok(!!strstr(trace, "rows=2 why=evicted"),
		"rows that make room are traced");
	printf("# %llu evicted, %llu over, %llu by pressure; traced: %llu, %llu, %llu\n",
	       (unsigned long long)stat.evictions,
	       (unsigned long long)stat.expirations,
	       (unsigned long long)stat.pressure_evictions,
	       rows_traced(stat.serial, "evicted"),
	       rows_traced(stat.serial, "expired"),
	       rows_traced(stat.serial, "pressure"));
	ktap_ok(stat.evictions > 0 && stat.expirations > 0 &&
		stat.pressure_evictions > 0 && adds_up(&stat) &&
		rows_traced(stat.serial, "evicted") == stat.evictions &&
		rows_traced(stat.serial, "expired") == stat.expirations &&
		rows_traced(stat.serial, "pressure") == stat.pressure_evictions,
		"each is traced once, by why it went");
	ktap_ok(is_readable("vss_open") && is_readable("vss_put") &&
		is_readable("vss_search") && is_readable("vss_delete") &&
		is_readable("vss_evict"),
		"perf can read the events' forms");
	return ktap_done();
}
