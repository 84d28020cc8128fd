// SPDX-License-Identifier: MIT
/*
 * Hostile callers: for some seconds, threads make calls that are nearly right,
 * by a table of what each field may be, on files that they share and memory
 * that another thread takes away, protects, cuts short and writes over while
 * they are under way. Then the driver must work, and hold nothing.
 *
 * `fuzz [SECONDS [SEED]]`: a seed gives each thread the same calls again; how
 * they meet is up to the machine. `just fuzz` runs it for longer.
 *
 * machines: uml
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "aftermath.h"
#include "draw.h"

#define THREADS 4
#define FILES 6
#define DIMENSION 48
#define NAMES 3

/* Half of it is anonymous memory, the other half a file's that may be cut. */
#define ARENA_PAGES 512
#define PAGE 4096
#define HALF ((size_t)ARENA_PAGES / 2 * PAGE)

static char *arena;
static int backing;
static int files[FILES];
static atomic_bool stopped;
static atomic_ulong calls, strange;

/* What a field may be. */
enum kind {
	FLAGS,		/* bits of most */
	COUNT,		/* up to most rows */
	DIM,		/* the dimension */
	UP_TO,		/* 0 to most */
	POINTER,	/* memory; none, at times, where most is 0 */
	NAME,		/* a name */
	ANY,		/* any number */
	FLOAT,		/* any float */
	LATER,		/* 0, or nanoseconds */
};

struct field {
	uint16_t offset;
	uint8_t bytes;
	uint8_t kind;
	uint64_t most;
};

struct grammar {
	unsigned long command;
	uint32_t size;
	struct field fields[16];
};

#define FIELD(_struct, _field, _kind, _most) \
	{ offsetof(struct _struct, _field), \
	  sizeof(((struct _struct *)0)->_field), _kind, _most }

static const struct grammar grammars[] = {
	{ VSS_INFO, sizeof(struct vss_info), {} },
	{ VSS_STAT, sizeof(struct vss_stat), {} },
	{ VSS_OPEN, sizeof(struct vss_open), {
		FIELD(vss_open, flags, FLAGS, 63),
		FIELD(vss_open, dimension, DIM, 0),
		FIELD(vss_open, metric, UP_TO, 2),
		FIELD(vss_open, capacity, UP_TO, 5000),
		FIELD(vss_open, ttl, LATER, 0),
		FIELD(vss_open, eviction, UP_TO, 2),
		FIELD(vss_open, mode, FLAGS, 0666),
		FIELD(vss_open, name, NAME, 0),
		FIELD(vss_open, max_bytes, UP_TO, 16 << 20) } },
	{ VSS_DROP, sizeof(struct vss_drop), {
		FIELD(vss_drop, name, NAME, 0) } },
	{ VSS_LIST, sizeof(struct vss_list), {
		FIELD(vss_list, count, COUNT, 8),
		FIELD(vss_list, record_size, UP_TO, 512),
		FIELD(vss_list, cursor, UP_TO, 40),
		FIELD(vss_list, records, POINTER, 1) } },
	{ VSS_PUT, sizeof(struct vss_put), {
		FIELD(vss_put, flags, FLAGS, 1),
		FIELD(vss_put, count, COUNT, 400),
		FIELD(vss_put, dimension, DIM, 0),
		FIELD(vss_put, ids, POINTER, 1),
		FIELD(vss_put, vectors, POINTER, 1),
		FIELD(vss_put, tags, POINTER, 0),
		FIELD(vss_put, payload_sizes, POINTER, 0),
		FIELD(vss_put, payloads, POINTER, 0),
		FIELD(vss_put, payload_bytes, UP_TO, 1 << 20),
		FIELD(vss_put, ttls, POINTER, 0) } },
	{ VSS_GET, sizeof(struct vss_get), {
		FIELD(vss_get, count, COUNT, 400),
		FIELD(vss_get, dimension, DIM, 0),
		FIELD(vss_get, ids, POINTER, 1),
		FIELD(vss_get, vectors, POINTER, 0),
		FIELD(vss_get, tags, POINTER, 0),
		FIELD(vss_get, payload_sizes, POINTER, 0),
		FIELD(vss_get, payloads, POINTER, 0),
		FIELD(vss_get, payload_bytes, UP_TO, 1 << 18),
		FIELD(vss_get, found, POINTER, 0) } },
	{ VSS_DELETE, sizeof(struct vss_delete), {
		FIELD(vss_delete, flags, FLAGS, 1),
		FIELD(vss_delete, count, COUNT, 400),
		FIELD(vss_delete, ids, POINTER, 1),
		FIELD(vss_delete, tag_mask, UP_TO, 15),
		FIELD(vss_delete, tag_value, UP_TO, 15) } },
	{ VSS_SEARCH, sizeof(struct vss_search), {
		FIELD(vss_search, flags, FLAGS, 1),
		FIELD(vss_search, count, COUNT, 20),
		FIELD(vss_search, dimension, DIM, 0),
		FIELD(vss_search, k, COUNT, 100),
		FIELD(vss_search, queries, POINTER, 1),
		FIELD(vss_search, tag_mask, UP_TO, 3),
		FIELD(vss_search, tag_value, UP_TO, 3),
		FIELD(vss_search, ids, POINTER, 1),
		FIELD(vss_search, distances, POINTER, 1),
		FIELD(vss_search, counts, POINTER, 1),
		FIELD(vss_search, max_distance, FLOAT, 0) } },
	{ VSS_SCAN, sizeof(struct vss_scan), {
		FIELD(vss_scan, count, COUNT, 400),
		FIELD(vss_scan, dimension, DIM, 0),
		FIELD(vss_scan, cursor, UP_TO, 5000),
		FIELD(vss_scan, tag_mask, UP_TO, 3),
		FIELD(vss_scan, tag_value, UP_TO, 3),
		FIELD(vss_scan, ids, POINTER, 1),
		FIELD(vss_scan, vectors, POINTER, 0),
		FIELD(vss_scan, tags, POINTER, 0),
		FIELD(vss_scan, payload_sizes, POINTER, 0),
		FIELD(vss_scan, payloads, POINTER, 0),
		FIELD(vss_scan, payload_bytes, UP_TO, 1 << 18) } },
	{ VSS_CLEAR, sizeof(struct vss_clear), {} },
	{ VSS_CONFIGURE, sizeof(struct vss_configure), {
		FIELD(vss_configure, flags, FLAGS, 31),
		FIELD(vss_configure, eviction, UP_TO, 2),
		FIELD(vss_configure, capacity, UP_TO, 5000),
		FIELD(vss_configure, ttl, LATER, 0),
		FIELD(vss_configure, mode, FLAGS, 0666),
		FIELD(vss_configure, max_bytes, UP_TO, 16 << 20) } },
	/* Protocol 1 has no header. */
	{ VSS_ADD_VECTOR, sizeof(struct vss_vector_data), {
		FIELD(vss_vector_data, id, COUNT, 4000),
		FIELD(vss_vector_data, dimension, DIM, 0) } },
	{ VSS_QUERY_TOP_K, sizeof(struct vss_query_data), {
		FIELD(vss_query_data, k, COUNT, VSS_V1_MAX_K),
		FIELD(vss_query_data, dimension, DIM, 0) } },
	{ VSS_GET_STATS, sizeof(struct vss_stats), {} },
};

#define NR_GRAMMARS (sizeof(grammars) / sizeof(grammars[0]))

static atomic_ulong succeeded[NR_GRAMMARS];

/* What integers are likely not to expect. */
static uint64_t odd_number(void)
{
	static const uint64_t odd[] = {
		0, 1, 63, 64, 127, 128, 4095, 4096, 4097, 8192, 8193, 65535,
		65536, 65537, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32,
		INT64_MAX, 1ULL << 63, UINT64_MAX, 0xffff888000000000ULL,
	};

	return one_in(3) ? draw() : odd[below(sizeof(odd) / sizeof(odd[0]))];
}

/* An address in the arena: often a page's, or so that less than a call needs is left. */
static uint64_t address(void)
{
	uint64_t at = below(ARENA_PAGES) * PAGE;

	switch (below(6)) {
	case 0:
		at += PAGE - 1 - below(64);
		break;
	case 1:
		at += 8 * below(PAGE / 8);
		break;
	}
	return ADDRESS(arena + at);
}

static uint64_t field_value(const struct field *field)
{
	if (one_in(40))
		return odd_number();
	switch (field->kind) {
	case FLAGS:
		return one_in(4) ? 0 : draw() & field->most & draw();
	case COUNT:
		return 1 + below(field->most);
	case DIM:
		return DIMENSION;
	case UP_TO:
		return one_in(2) ? 0 : below(field->most + 1);
	case POINTER:
		return !field->most && one_in(2) ? 0 : address();
	case LATER:
		return one_in(2) ? 0 : below(2000000000);
	case FLOAT:
		return one_in(3) ? 0x7f800000 : draw() & UINT32_MAX;
	default:
		return draw();
	}
}

static void fill_struct(const struct grammar *grammar, uint8_t *bytes)
{
	bool has_header = !_IOC_SIZE(grammar->command);
	const struct field *field = grammar->fields;
	uint32_t size = grammar->size;
	size_t i;

	memset(bytes, 0, size);
	for (i = 0; i < 16 && field->bytes; i++, field++) {
		uint64_t value = field_value(field);

		if (field->kind == NAME)
			sprintf((char *)bytes + field->offset, "fuzz%llu",
				(unsigned long long)below(NAMES));
		else
			memcpy(bytes + field->offset, &value, field->bytes);
	}
	/* An OPEN that may succeed more often: one that binds, and one that makes. */
	if (grammar->command == VSS_OPEN && one_in(2)) {
		struct vss_open *open = (struct vss_open *)bytes;

		open->flags = one_in(2) ? VSS_OPEN_CREATE : VSS_OPEN_PRIVATE;
		if (open->flags == VSS_OPEN_PRIVATE)
			memset(open->name, 0, sizeof(open->name));
		open->dimension = DIMENSION;
		open->mode = 0666;
	}
	if (has_header) {
		size = one_in(30) ? odd_number() : size;
		memcpy(bytes, &size, sizeof(size));
	}
	while (one_in(8))
		bytes[below(grammar->size)] = draw();
}

static bool listed(int error)
{
	switch (error) {
	case 0: case ENOTTY: case E2BIG: case EOPNOTSUPP: case EINVAL:
	case EFAULT: case ENOMEM: case ENOSPC: case EDQUOT: case EEXIST:
	case ENOENT: case EACCES: case EINTR: case EBADF:
		return true;
	}
	return false;
}

/* The arena may go while a thread looks at it: then it goes on elsewhere. */
static __thread sigjmp_buf elsewhere;

static void lost(int signal)
{
	(void)signal;
	siglongjmp(elsewhere, 1);
}

/* Writes to the arena, unless what is written to goes. */
static void give(void *to, const void *from, size_t bytes)
{
	if (!sigsetjmp(elsewhere, 1))
		memcpy(to, from, bytes);
}

/* Writes vectors, ids and sizes that calls may take, or noise. */
static void fill_arena(void)
{
	uint64_t words[PAGE / 8];
	int how = below(4);
	uint32_t i;

	for (i = 0; i < PAGE / 8; i++) {
		float pair[2] = { below(100), -(float)below(100) };

		if (how == 0)
			words[i] = below(4000);
		else if (how == 1)
			words[i] = one_in(50) ? draw() : below(64) << 32 | below(64);
		else
			memcpy(&words[i], pair, sizeof(pair));
	}
	give(arena + below(ARENA_PAGES) * PAGE, words, sizeof(words));
}

static void call_once(void)
{
	size_t which = below(NR_GRAMMARS);
	const struct grammar *grammar = &grammars[which];
	unsigned long command = grammar->command;
	int file = files[below(FILES)];
	uint8_t bytes[1024], *argument = bytes;
	struct { uint32_t size; int32_t status; } header;
	int error;

	fill_struct(grammar, bytes);
	if (one_in(50))
		command = command ^ 1UL << below(32);
	/* A struct that others may write to, or take away. */
	if (one_in(8)) {
		argument = (uint8_t *)(uintptr_t)address();
		give(argument, bytes, grammar->size);
	}
	error = device_call(file, command, argument);
	atomic_fetch_add(&calls, 1);
	if (!error && command == grammar->command)
		atomic_fetch_add(&succeeded[which], 1);
	memcpy(&header, bytes, sizeof(header));
	if (!listed(error) ||
	    (argument == bytes && !_IOC_SIZE(command) && command == grammar->command &&
	     error != ENOTTY && error != EBADF && header.size >= 8 && error != EFAULT &&
	     header.status != -error)) {
		printf("# command %#lx gave %d, its status %d\n", command, error,
		       header.status);
		atomic_fetch_add(&strange, 1);
	}
}

static void *caller(void *seed)
{
	draw_state = (uintptr_t)seed;
	while (!atomic_load(&stopped)) {
		if (one_in(4))
			fill_arena();
		call_once();
	}
	return NULL;
}

static void map_again(size_t offset, size_t bytes)
{
	int flags = MAP_FIXED | (offset < HALF ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	int file = offset < HALF ? -1 : backing;

	if (mmap(arena + offset, bytes, PROT_READ | PROT_WRITE, flags, file,
		 offset < HALF ? 0 : offset - HALF) == MAP_FAILED)
		ktap_bail_out("cannot map memory");
}

/* Takes memory away and gives it back, and files likewise. */
static void *mangler(void *seed)
{
	static const int protections[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
	};

	draw_state = (uintptr_t)seed;
	while (!atomic_load(&stopped)) {
		size_t first = below(ARENA_PAGES), pages = 1 + below(16);
		size_t half = first < ARENA_PAGES / 2 ? ARENA_PAGES / 2 : ARENA_PAGES;
		size_t bytes = (first + pages > half ? half - first : pages) * PAGE;
		char *at = arena + first * PAGE;
		int file;

		switch (below(8)) {
		case 0:
			munmap(at, bytes);
			break;
		case 1:
			mprotect(at, bytes, protections[below(4)]);
			break;
		case 2:
			madvise(at, bytes, MADV_DONTNEED);
			break;
		case 3:
			if (ftruncate(backing, below(HALF)))
				ktap_bail_out("cannot cut a file");
			break;
		case 4:
			if (ftruncate(backing, HALF))
				ktap_bail_out("cannot lengthen a file");
			break;
		case 5:
			/* The last file of a collection may close under a call. */
			file = one_in(20) ? open("/dev/null", O_RDWR) :
					    device_open(one_in(8) ? O_RDONLY : O_RDWR);
			dup3(file, files[below(FILES)], O_CLOEXEC);
			close(file);
			break;
		case 6: {
			struct pollfd polled = { files[below(FILES)], POLLIN | POLLPRI, 0 };
			void *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, polled.fd, 0);

			poll(&polled, 1, 0);
			if (mapped != MAP_FAILED)
				munmap(mapped, PAGE);
			break;
		}
		default:
			map_again(first * PAGE, bytes);
		}
		if (one_in(4))
			usleep(below(300));
	}
	return NULL;
}

static void run(unsigned int seconds, uint64_t seed)
{
	struct sigaction action = { .sa_handler = lost, .sa_flags = SA_NODEFER };
	pthread_t threads[THREADS + 1];
	uint64_t i;

	arena = mmap(NULL, 2 * HALF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	backing = memfd_create("fuzz", MFD_CLOEXEC);
	if (arena == MAP_FAILED || backing < 0 || ftruncate(backing, HALF))
		ktap_bail_out("cannot get memory");
	map_again(0, HALF);
	map_again(HALF, HALF);
	for (i = 0; i < FILES; i++)
		files[i] = device_open(O_RDWR);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	draw_state = seed;
	for (i = 0; i < THREADS + 1; i++) {
		void *own = (void *)(uintptr_t)(draw() | 1);

		if (pthread_create(&threads[i], NULL, i ? caller : mangler, own))
			ktap_bail_out("cannot make a thread");
	}
	sleep(seconds);
	atomic_store(&stopped, true);
	for (i = 0; i < THREADS + 1; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < FILES; i++)
		close(files[i]);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
}

int main(int count, char **words)
{
	unsigned int seconds = count > 1 ? atoi(words[1]) : 10;
	size_t i;
	uint64_t seed = count > 2 ? strtoull(words[2], NULL, 0) : (uint64_t)time(NULL);

	printf("# seed %llu, %u s\n", (unsigned long long)seed, seconds);
	fflush(stdout);
	set_parameter("max_bytes", 64 << 20);
	run(seconds, seed * 0x9e3779b97f4a7c15ULL | 1);
	printf("# %lu calls\n", calls);
	for (i = 0; i < NR_GRAMMARS; i++)
		ktap_ok(succeeded[i], "command %#lx succeeds at times",
			grammars[i].command);
	ktap_ok(!strange, "each ended as the header says");
	drop_all();
	ktap_ok(nothing_is_left(), "when all is dropped, no memory is left");
	ktap_ok(works(), "rows are put, found and deleted as before");
	ktap_ok(nothing_is_left(), "and again nothing is left");
	return ktap_done();
}
