// SPDX-License-Identifier: MIT
/*
 * Structs that grow: every command of protocol 2 with every kind of size, and
 * what becomes of the memory around the struct. A failed call must leave the
 * driver as it was.
 */
/* For strerrorname_np(). */
#define _GNU_SOURCE

#include "collections.h"

#define DIMENSION 4
#define ROWS 3
#define NAME "sizes"

/* Arguments that make each command succeed, to be copied before use. */
static uint64_t ids[ROWS] = { 1, 2, 3 };
static uint64_t found_ids[ROWS];
static float vectors[ROWS * DIMENSION] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
static float distances[ROWS];
static uint32_t counts[ROWS];
static struct vss_list_record records[4];

static struct vss_info info;
static struct vss_open open_args = { .name = NAME };
static struct vss_drop drop = { .name = NAME };
static struct vss_list list = { .count = 4, .record_size = sizeof(*records) };
static struct vss_put put = {
	.flags = VSS_PUT_UPSERT, .count = ROWS, .dimension = DIMENSION,
};
static struct vss_get get = { .count = ROWS, .dimension = DIMENSION };
static struct vss_delete delete = { .count = ROWS };
static struct vss_search search = {
	.count = ROWS, .dimension = DIMENSION, .k = 1,
};
static struct vss_scan scan = { .count = ROWS, .dimension = DIMENSION };
static struct vss_stat stat;
static struct vss_clear clear;
static struct vss_configure configure = { .flags = VSS_CONFIGURE_CAPACITY };

/* In this order each finds what it needs: DROP takes the name, and is last. */
static const struct command {
	const char *name;
	unsigned long number;
	void *arguments;
	uint32_t size;
	/* Of the struct's first version, which never changes. */
	uint32_t first;
} commands[] = {
	{ "INFO", VSS_INFO, &info, sizeof(info), 120 },
	{ "OPEN", VSS_OPEN, &open_args, sizeof(open_args), 128 },
	{ "LIST", VSS_LIST, &list, sizeof(list), 40 },
	{ "PUT", VSS_PUT, &put, sizeof(put), 88 },
	{ "GET", VSS_GET, &get, sizeof(get), 88 },
	{ "SEARCH", VSS_SEARCH, &search, sizeof(search), 96 },
	{ "SCAN", VSS_SCAN, &scan, sizeof(scan), 96 },
	{ "STAT", VSS_STAT, &stat, sizeof(stat), 216 },
	{ "CONFIGURE", VSS_CONFIGURE, &configure, sizeof(configure), 40 },
	{ "DELETE", VSS_DELETE, &delete, sizeof(delete), 48 },
	{ "CLEAR", VSS_CLEAR, &clear, sizeof(clear), 16 },
	{ "DROP", VSS_DROP, &drop, sizeof(drop), 80 },
};

static int device;

/*
 * Runs a command on @bytes of memory that say @size and hold @fill beyond the
 * struct, and checks the status. Returns 0 or the errno.
 */
static int run_with(const struct command *command, char *memory, uint32_t bytes,
		    uint32_t size, char fill)
{
	uint32_t known = bytes < command->size ? bytes : command->size;
	int32_t status = 12345;
	int error;

	memset(memory, fill, bytes);
	memcpy(memory, command->arguments, known);
	memcpy(memory, &size, known < 4 ? known : 4);
	if (bytes >= 8)
		memcpy(memory + 4, &status, 4);
	error = device_call(device, command->number, memory);
	if (bytes < 8)
		return error;
	memcpy(&status, memory + 4, 4);
	/* Of a size that does not cover it, the status is not written. */
	if (status != (size < 8 ? 12345 : -error))
		ktap_ok(false, "%s, size %u: status %d beside errno %d",
			command->name, size, status, error);
	return error;
}

static void expect(const struct command *command, uint32_t size, char fill,
		   int wanted, const char *what)
{
	static char memory[8192];
	int error = run_with(command, memory, sizeof(memory), size, fill);

	ktap_ok(error == wanted, "%s with %s: %s", command->name, what,
		wanted ? strerrorname_np(wanted) : "no error");
}

static bool is_filled(const char *memory, size_t bytes, char fill)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (memory[i] != fill)
			return false;
	return true;
}

static void wrong_sizes(const struct command *command)
{
	static char memory[8192];
	uint32_t size = command->size, first = command->first;

	expect(command, 0, 0, EINVAL, "size 0");
	expect(command, 7, 0, EINVAL, "a size that ends before the status");
	expect(command, 8, 0, EINVAL, "the size of a header alone");
	expect(command, first - 1, 0, EINVAL, "a size below the first version's");
	expect(command, size + 1, 1, E2BIG, "size + 1 and not zero there");
	expect(command, 4096, 1, E2BIG, "size 4096 and not zero there");
	expect(command, 4097, 0, E2BIG, "size 4097");
	expect(command, UINT32_MAX, 0, E2BIG, "the largest size");
	ktap_ok(run_with(command, memory, sizeof(memory), first - 1, UNTOUCHED) ==
		EINVAL &&
		is_filled(memory + size, sizeof(memory) - size, UNTOUCHED),
		"%s that fails writes nothing beyond the struct", command->name);
}

/* A struct whose header can be written, and whose end cannot. */
static void read_only_end(const struct command *command)
{
	char *pages = guarded_memory(2);
	char *start = pages + 4096 - 8;

	memcpy(start, command->arguments, command->size);
	memcpy(start, &command->size, sizeof(command->size));
	mprotect(pages + 4096, 4096, PROT_READ);
	ktap_ok(device_call(device, command->number, start) == EFAULT,
		"%s whose end is read-only: EFAULT", command->name);
	munmap(pages, 2 * 4096);
}

/* Where memory ends: within the struct, and right behind it. */
static void ends_of_memory(const struct command *command)
{
	char *page = guarded_memory(1);
	uint32_t size = command->size;

	ktap_ok(run_with(command, page + 4096 - 4, 4, size, 0) == EFAULT,
		"%s whose status lies beyond memory: EFAULT", command->name);
	ktap_ok(run_with(command, page + 4096 - size + 8, size - 8, size, 0) == EFAULT,
		"%s that ends beyond memory: EFAULT", command->name);
	ktap_ok(device_call(device, command->number, NULL) == EFAULT,
		"%s at NULL: EFAULT", command->name);
	ktap_ok(device_call(device, command->number, (void *)-4096L) == EFAULT,
		"%s at an address of the kernel's: EFAULT", command->name);
	read_only_end(command);
	memcpy(page, command->arguments, size);
	memcpy(page, &size, sizeof(size));
	mprotect(page, 4096, PROT_READ);
	ktap_ok(device_call(device, command->number, page) == EFAULT,
		"%s in read-only memory: EFAULT", command->name);
	munmap(page, 4096);
}

/* Makes the collection if it is not there, binds the file and fills it. */
static void prepare(void)
{
	struct vss_put rows = put;

	bind_named(device, NAME, VSS_OPEN_CREATE, DIMENSION, 0600);
	if (RUN(device, VSS_PUT, &rows))
		ktap_bail_out("cannot fill the collection");
}

/*
 * The struct as it was at first, and as it is, right before the end of memory;
 * nothing is written behind it.
 */
static void right_sizes(const struct command *command)
{
	const uint32_t sizes[] = { command->first, command->size };
	char *page = guarded_memory(1);
	size_t i;

	for (i = 0; i < 2; i++) {
		prepare();
		ktap_ok(!run_with(command, page + 4096 - sizes[i], sizes[i],
				  sizes[i], UNTOUCHED),
			"%s with its %s size, at the end of memory",
			command->name, i ? "exact" : "first");
	}
	munmap(page, 4096);
}

/* A caller from the future: what it knows beyond this driver is zero. */
static void greater_sizes(const struct command *command)
{
	static char memory[8192];
	uint32_t size = command->size;

	prepare();
	ktap_ok(!run_with(command, memory, sizeof(memory), size + 1, 0) &&
		is_filled(memory + size, sizeof(memory) - size, 0),
		"%s with size + 1 and zero there", command->name);
	prepare();
	ktap_ok(!run_with(command, memory, sizeof(memory), 4096, 0),
		"%s with size 4096 and zeros there", command->name);
	prepare();
	ktap_ok(!run_with(command, memory, sizeof(memory), size, UNTOUCHED) &&
		is_filled(memory + size, sizeof(memory) - size, UNTOUCHED),
		"%s leaves what is behind the struct alone", command->name);
}

static bool is_unharmed(void)
{
	struct vss_stat now = collection_stat(device);

	return now.count == ROWS && now.dimension == DIMENSION &&
	       !strcmp(now.name, NAME);
}

int main(void)
{
	size_t i;

	put.ids = get.ids = delete.ids = ADDRESS(ids);
	put.vectors = search.queries = ADDRESS(vectors);
	search.ids = scan.ids = ADDRESS(found_ids);
	search.distances = ADDRESS(distances);
	search.counts = ADDRESS(counts);
	list.records = ADDRESS(records);
	device = device_open(O_RDWR);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *command = &commands[i];

		ktap_ok(command->size >= command->first,
			"%s: the struct has %u bytes, and %u at first",
			command->name, command->size, command->first);
		prepare();
		wrong_sizes(command);
		ends_of_memory(command);
		ktap_ok(is_unharmed(), "%s: none of that changed anything",
			command->name);
		right_sizes(command);
		greater_sizes(command);
	}
	return ktap_done();
}
