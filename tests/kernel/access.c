// SPDX-License-Identifier: MIT
/*
 * Who may do what: the modes of collections for every class of caller, what a
 * file's binding allows and who shares it, and what belongs to the owner alone;
 * and that nothing is left when the last file, or the last name, is gone.
 */
/* For setgroups(), setresuid(), strerrorname_np() and unshare(). */
#define _GNU_SOURCE

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "device.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))
#define DIMENSION 4
#define READ_WRITE 0

struct person {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t also; /* a supplementary group, or 0 */
	bool overrides; /* has CAP_DAC_OVERRIDE */
};

static const struct person root = { "root", 0, 0, 0, true };
static const struct person weak = {
	"root without CAP_DAC_OVERRIDE", 0, 0, 0, false
};
static const struct person clerk = {
	"a user with CAP_DAC_OVERRIDE", 1006, 2006, 0, true
};
static const struct person owner = { "its owner", 1001, 2001, 0, false };
static const struct person member = { "a user of its group", 1002, 2001, 0, false };
static const struct person joined = { "a member of its group", 1003, 2003, 2001, false };
static const struct person other = { "another user", 1004, 2004, 0, false };

/* A file that is never bound, for commands that need no binding. */
static int control;

static const char *error_name(int error)
{
	const char *name = error ? strerrorname_np(error) : "no error";

	return name ? name : "an unknown error";
}

/* Takes all capabilities but CAP_DAC_OVERRIDE as the kernel has given them. */
static int set_override(bool overrides)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~CAP_TO_MASK(CAP_DAC_OVERRIDE);
	if (overrides)
		data[0].effective |= CAP_TO_MASK(CAP_DAC_OVERRIDE);
	return syscall(SYS_capset, &header, data);
}

/* What the driver looks at is this person's from here on. */
static void become(const struct person *person)
{
	if (seteuid(0) || setgroups(person->also ? 1 : 0, &person->also) ||
	    setegid(person->gid) || seteuid(person->uid) ||
	    set_override(person->overrides))
		ktap_bail_out("cannot become %s", person->name);
}

/* As become(), without a way back: for processes of their own. */
static void turn_into(const struct person *person)
{
	become(&root);
	if (setgroups(person->also ? 1 : 0, &person->also) ||
	    setresgid(person->gid, person->gid, person->gid) ||
	    setresuid(person->uid, person->uid, person->uid))
		ktap_bail_out("cannot turn into %s", person->name);
}

/* Runs a command of protocol 2; returns 0, the errno, or -1 if they differ. */
static int call(int file, unsigned long command, void *argument)
{
	int error = device_call(file, command, argument);
	const int32_t *header = argument;

	return header[1] == -error ? error : -1;
}

static int bind_to(int file, const char *name, uint32_t flags, uint32_t mode)
{
	struct vss_open args = { .size = sizeof(args), .flags = flags, .mode = mode };

	if (flags & (VSS_OPEN_CREATE | VSS_OPEN_PRIVATE))
		args.dimension = DIMENSION;
	strncpy(args.name, name, sizeof(args.name) - 1);
	return call(file, VSS_OPEN, &args);
}

/* Opens a file and binds it, or ends the program. */
static int bound(const char *name, uint32_t flags, uint32_t mode)
{
	int file = device_open(O_RDWR);

	if (bind_to(file, name, flags, mode))
		ktap_bail_out("cannot open the collection '%s'", name);
	return file;
}

/* Binds a file of its own for a moment. */
static int try_open(const char *name, uint32_t flags, uint32_t mode)
{
	int file = device_open(O_RDWR);
	int error = bind_to(file, name, flags, mode);

	close(file);
	return error;
}

static void make(const char *name, uint32_t mode)
{
	close(bound(name, VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE, mode));
}

static int drop_by(int file, const char *name)
{
	struct vss_drop args = { .size = sizeof(args) };

	strncpy(args.name, name, sizeof(args.name) - 1);
	return call(file, VSS_DROP, &args);
}

static int drop(const char *name)
{
	return drop_by(control, name);
}

static int set_mode(int file, uint32_t mode)
{
	struct vss_configure args = {
		.size = sizeof(args), .flags = VSS_CONFIGURE_MODE, .mode = mode,
	};

	return call(file, VSS_CONFIGURE, &args);
}

static struct vss_stat stat_of(int file)
{
	struct vss_stat args = { .size = sizeof(args) };

	if (call(file, VSS_STAT, &args))
		ktap_bail_out("cannot read the counters of a collection");
	return args;
}

static bool is_bound_to(int file, const char *name)
{
	return !strcmp(stat_of(file).name, name);
}

static struct vss_info info(void)
{
	struct vss_info args = { .size = sizeof(args) };

	if (call(control, VSS_INFO, &args))
		ktap_bail_out("cannot ask for the driver's state");
	return args;
}

static bool holds(unsigned int collections, unsigned long long bytes)
{
	return info().collections == collections && info().bytes == bytes &&
	       file_number("/sys/class/misc/vss/bytes") == bytes;
}

static bool is_empty(void)
{
	return holds(0, 0) && !file_number("/sys/class/misc/vss/collections");
}

/* Ends a part: what it has made must be gone with its files and names. */
static void expect_empty(const char *part)
{
	become(&root);
	ktap_ok(is_empty(), "%s: no collection and no memory is left", part);
}

static const uint64_t row_id = 1;
static const float vector[DIMENSION] = { 1, 2, 3, 4 };

static int put(int file)
{
	struct vss_put args = {
		.size = sizeof(args), .flags = VSS_PUT_UPSERT, .count = 1,
		.dimension = DIMENSION, .ids = (uintptr_t)&row_id,
		.vectors = (uintptr_t)vector,
	};

	return call(file, VSS_PUT, &args);
}

static int delete(int file)
{
	struct vss_delete args = {
		.size = sizeof(args), .count = 1, .ids = (uintptr_t)&row_id,
	};

	return call(file, VSS_DELETE, &args);
}

static int clear(int file)
{
	struct vss_clear args = { .size = sizeof(args) };

	return call(file, VSS_CLEAR, &args);
}

static int configure(int file)
{
	struct vss_configure args = {
		.size = sizeof(args), .flags = VSS_CONFIGURE_CAPACITY,
		.capacity = 1000,
	};

	return call(file, VSS_CONFIGURE, &args);
}

static int search(int file)
{
	uint64_t id;
	uint32_t count;
	float distance;
	struct vss_search args = {
		.size = sizeof(args), .count = 1, .dimension = DIMENSION, .k = 1,
		.queries = (uintptr_t)vector, .ids = (uintptr_t)&id,
		.distances = (uintptr_t)&distance, .counts = (uintptr_t)&count,
	};

	return call(file, VSS_SEARCH, &args);
}

static int get(int file)
{
	struct vss_get args = {
		.size = sizeof(args), .count = 1, .dimension = DIMENSION,
		.ids = (uintptr_t)&row_id,
	};

	return call(file, VSS_GET, &args);
}

static int scan(int file)
{
	uint64_t id;
	struct vss_scan args = {
		.size = sizeof(args), .count = 1, .dimension = DIMENSION,
		.ids = (uintptr_t)&id,
	};

	return call(file, VSS_SCAN, &args);
}

static int stat_file(int file)
{
	struct vss_stat args = { .size = sizeof(args) };

	return call(file, VSS_STAT, &args);
}

static int add_1(int file)
{
	static uint32_t id = 100;

	return device_add(file, id++, DIMENSION, 1);
}

static int query_1(int file)
{
	struct vss_query_data query;

	return device_query(file, &query, 1, DIMENSION, 1);
}

static int stats_1(int file)
{
	struct vss_stats stats;

	return device_call(file, VSS_GET_STATS, &stats);
}

/* All commands that act on a collection, protocol 1's last. */
#define COMMANDS_2 8
#define COMMANDS 11
static const struct {
	const char *name;
	int (*run)(int file);
	bool writes;
} commands[COMMANDS] = {
	{ "DELETE", delete, true }, { "CLEAR", clear, true },
	{ "PUT", put, true }, { "CONFIGURE", configure, true },
	{ "SEARCH", search, false }, { "GET", get, false },
	{ "SCAN", scan, false }, { "STAT", stat_file, false },
	{ "ADD_VECTOR", add_1, true }, { "QUERY_TOP_K", query_1, false },
	{ "GET_STATS", stats_1, false },
};

/* Runs the first @count commands; those that read and write end with these. */
static void expect_commands(size_t count, int file, int reads, int writes,
			    const char *what)
{
	size_t i;

	for (i = 0; i < count; i++) {
		int wanted = commands[i].writes ? writes : reads;
		int error = commands[i].run(file);

		if (!ktap_ok(error == wanted, "%s: %s: %s", what,
			     commands[i].name, error_name(wanted)))
			printf("# it ended with %s\n", error_name(error));
	}
}

/* As a mode's table has it: "" for neither, "r", "w" or "rw". */
static const char *rights_text(const char *rights)
{
	if (!*rights)
		return "neither read nor write";
	if (rights[1])
		return "read and write";
	return *rights == 'r' ? "read alone" : "write alone";
}

/* Opens the collection "modes" for reading, for writing and for both. */
static void expect_rights(const struct person *person, uint32_t mode,
			  const char *rights)
{
	int may_read = strchr(rights, 'r') ? 0 : EACCES;
	int may_write = strchr(rights, 'w') ? 0 : EACCES;
	int read, write, both;

	become(person);
	read = try_open("modes", VSS_OPEN_READ_ONLY, 0);
	write = try_open("modes", VSS_OPEN_WRITE_ONLY, 0);
	both = try_open("modes", READ_WRITE, 0);
	if (!ktap_ok(read == may_read && write == may_write &&
		     both == (may_read ? may_read : may_write),
		     "mode %04o: %s may %s", mode, person->name, rights_text(rights)))
		printf("# read %s, write %s, both %s\n", error_name(read),
		       error_name(write), error_name(both));
}

/* What the owner, the group and all others may do. */
static const struct {
	uint32_t mode;
	const char *owner, *group, *others;
} modes[] = {
	{ 0000, "", "", "" },
	{ 0400, "r", "", "" },
	{ 0200, "w", "", "" },
	{ 0600, "rw", "", "" },
	{ 0640, "rw", "r", "" },
	{ 0620, "rw", "w", "" },
	{ 0660, "rw", "rw", "" },
	{ 0604, "rw", "", "r" },
	{ 0602, "rw", "", "w" },
	{ 0606, "rw", "", "rw" },
	{ 0666, "rw", "rw", "rw" },
	{ 0060, "", "rw", "" },
	{ 0006, "", "", "rw" },
	{ 0066, "", "rw", "rw" },
	{ 0444, "r", "r", "r" },
	{ 0222, "w", "w", "w" },
	{ 0246, "w", "r", "rw" },
};

static void all_modes(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		uint32_t mode = modes[i].mode;

		become(&owner);
		make("modes", mode);
		expect_rights(&owner, mode, modes[i].owner);
		expect_rights(&member, mode, modes[i].group);
		expect_rights(&joined, mode, modes[i].group);
		expect_rights(&other, mode, modes[i].others);
		expect_rights(&weak, mode, modes[i].others);
		expect_rights(&clerk, mode, "rw");
		expect_rights(&root, mode, "rw");
		drop("modes");
	}
	expect_empty("modes");
}

/* In a process of its own: what VSS_OPEN says to this person. */
static int open_in_process(const struct person *person, bool in_namespace)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child) {
		int file = device_open(O_RDWR);

		turn_into(person);
		if (in_namespace && unshare(CLONE_NEWUSER))
			_exit(255);
		_exit(bind_to(file, "theirs", READ_WRITE, 0));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void processes(void)
{
	become(&owner);
	make("theirs", 0660);
	become(&root);
	ktap_ok(open_in_process(&owner, false) == 0,
		"a process of the owner's opens mode 0660");
	ktap_ok(open_in_process(&joined, false) == 0,
		"a process with its group among others opens mode 0660");
	ktap_ok(open_in_process(&other, false) == EACCES,
		"a process of another user: EACCES");
	ktap_ok(open_in_process(&root, false) == 0, "a process of root's opens it");
	ktap_ok(open_in_process(&root, true) == EACCES,
		"one that has its capabilities in a user namespace alone: EACCES");

	setfsuid(other.uid);
	ktap_ok(try_open("theirs", READ_WRITE, 0) == EACCES,
		"the filesystem uid counts, where the effective one is root's");
	setfsuid(owner.uid);
	ktap_ok(!try_open("theirs", READ_WRITE, 0),
		"the owner's as a filesystem uid is enough");
	ktap_ok(!drop("theirs"), "it is enough to drop it, too");
	become(&other);
	become(&root);
	expect_empty("processes");
}

/* What is made belongs to who makes it, and its mode is for others' opens. */
static void making(void)
{
	struct vss_open args = {
		.size = sizeof(args), .flags = VSS_OPEN_CREATE, .mode = 0640,
		.dimension = DIMENSION, .name = "made",
	};
	struct vss_stat stat;
	int file = device_open(O_RDWR);

	become(&owner);
	ktap_ok(!call(file, VSS_OPEN, &args) && args.uid == owner.uid &&
		args.gid == owner.gid && args.mode == 0640,
		"who makes a collection owns it, and it has their group");
	stat = stat_of(file);
	ktap_ok(stat.uid == owner.uid && stat.gid == owner.gid && stat.mode == 0640 &&
		stat.serial == args.serial, "STAT tells the same");
	become(&joined);
	ktap_ok(!try_open("made", VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY, 0),
		"CREATE of one that is there: its mode decides");
	ktap_ok(try_open("made", VSS_OPEN_CREATE, 0666) == EACCES,
		"CREATE of one that is there and forbidden: EACCES");
	ktap_ok(try_open("made", VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE, 0) == EEXIST,
		"EXCLUSIVE of one that is there and forbidden: EEXIST");
	become(&owner);
	drop("made");
	close(file);

	file = bound("made", VSS_OPEN_CREATE, 0000);
	expect_commands(COMMANDS, file, 0, 0, "who has made it with mode 0000");
	ktap_ok(try_open("made", READ_WRITE, 0) == EACCES,
		"who has made it with mode 0000 cannot open it again: EACCES");
	drop("made");
	close(file);
	expect_empty("making");
}

static void expect_binding(int file_flags, uint32_t flags, int reads, int writes,
			   const char *what)
{
	int file = device_open(file_flags);

	if (ktap_ok(!bind_to(file, "rights", flags, 0), "%s can be bound", what))
		expect_commands(COMMANDS, file, reads, writes, what);
	close(file);
}

/* What a file is open for limits what it can be bound for. */
static const struct {
	const char *what;
	int file_flags;
	uint32_t flags;
	int wanted;
} binds[] = {
	{ "O_RDONLY for both", O_RDONLY, READ_WRITE, EBADF },
	{ "O_RDONLY for reading", O_RDONLY, VSS_OPEN_READ_ONLY, 0 },
	{ "O_RDONLY for writing", O_RDONLY, VSS_OPEN_WRITE_ONLY, EBADF },
	{ "O_WRONLY for both", O_WRONLY, READ_WRITE, EBADF },
	{ "O_WRONLY for reading", O_WRONLY, VSS_OPEN_READ_ONLY, EBADF },
	{ "O_WRONLY for writing", O_WRONLY, VSS_OPEN_WRITE_ONLY, 0 },
	{ "O_RDWR with READ_ONLY and WRITE_ONLY", O_RDWR,
	  VSS_OPEN_READ_ONLY | VSS_OPEN_WRITE_ONLY, EINVAL },
	{ "O_RDWR with CREATE, READ_ONLY and WRITE_ONLY", O_RDWR,
	  VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY | VSS_OPEN_WRITE_ONLY, EINVAL },
	{ "O_RDONLY with CREATE and READ_ONLY", O_RDONLY,
	  VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY, EBADF },
	{ "O_WRONLY with CREATE and WRITE_ONLY", O_WRONLY,
	  VSS_OPEN_CREATE | VSS_OPEN_WRITE_ONLY, 0 },
	{ "O_WRONLY with CREATE and READ_ONLY", O_WRONLY,
	  VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY, EBADF },
	{ "O_RDONLY with PRIVATE and READ_ONLY", O_RDONLY,
	  VSS_OPEN_PRIVATE | VSS_OPEN_READ_ONLY, EBADF },
	{ "O_WRONLY with PRIVATE and WRITE_ONLY", O_WRONLY,
	  VSS_OPEN_PRIVATE | VSS_OPEN_WRITE_ONLY, 0 },
};

static void file_modes(void)
{
	bool private;
	size_t i;
	int file;

	for (i = 0; i < ARRAY_SIZE(binds); i++) {
		private = binds[i].flags & VSS_OPEN_PRIVATE;
		file = device_open(binds[i].file_flags);
		ktap_ok(bind_to(file, private ? "" : "rights", binds[i].flags, 0) ==
			binds[i].wanted,
			"binding %s: %s", binds[i].what, error_name(binds[i].wanted));
		close(file);
	}
	file = device_open(O_RDONLY);
	bind_to(file, "unmade", VSS_OPEN_CREATE | VSS_OPEN_READ_ONLY, 0666);
	ktap_ok(try_open("unmade", READ_WRITE, 0) == ENOENT,
		"a refused CREATE has made nothing");
	close(file);
}

static void bindings(void)
{
	struct vss_list_record record;
	struct vss_list list = {
		.size = sizeof(list), .count = 1, .record_size = sizeof(record),
		.records = (uintptr_t)&record,
	};
	struct vss_info question = { .size = sizeof(question) };
	int file;

	become(&owner);
	make("rights", 0600);
	expect_binding(O_RDWR, READ_WRITE, 0, 0, "a file bound for both");
	expect_binding(O_RDWR, VSS_OPEN_READ_ONLY, 0, EBADF, "a READ_ONLY binding");
	expect_binding(O_RDWR, VSS_OPEN_WRITE_ONLY, EBADF, 0, "a WRITE_ONLY binding");
	expect_binding(O_RDONLY, VSS_OPEN_READ_ONLY, 0, EBADF, "a file open O_RDONLY");
	expect_binding(O_WRONLY, VSS_OPEN_WRITE_ONLY, EBADF, 0, "a file open O_WRONLY");
	file_modes();

	file = device_open(O_WRONLY);
	ktap_ok(call(file, VSS_INFO, &question) == EBADF, "INFO of O_WRONLY: EBADF");
	ktap_ok(call(file, VSS_LIST, &list) == EBADF, "LIST of O_WRONLY: EBADF");
	ktap_ok(!drop_by(file, "rights"), "DROP by O_WRONLY: no error");
	close(file);
	make("rights", 0600);
	file = device_open(O_RDONLY);
	ktap_ok(drop_by(file, "rights") == EBADF, "DROP by O_RDONLY: EBADF");
	close(file);
	file = bound("rights", VSS_OPEN_READ_ONLY, 0);
	ktap_ok(!drop_by(file, "rights"),
		"DROP by a READ_ONLY binding of an O_RDWR file: no error");
	close(file);
	expect_empty("bindings");
}

/* A bind that fails, and one that does not, to a file that is bound already. */
static void rebinding(void)
{
	int file;

	become(&other);
	make("closed", 0600);
	become(&owner);
	make("open", 0600);
	file = bound("open", VSS_OPEN_READ_ONLY, 0);
	ktap_ok(bind_to(file, "closed", READ_WRITE, 0) == EACCES &&
		bind_to(file, "none", READ_WRITE, 0) == ENOENT &&
		bind_to(file, "", READ_WRITE, 0) == EINVAL &&
		is_bound_to(file, "open") && put(file) == EBADF,
		"a bind that fails leaves the binding, and its rights, as they were");
	ktap_ok(!bind_to(file, "open", READ_WRITE, 0) && !put(file),
		"a file can be bound anew for more");
	ktap_ok(!bind_to(file, "open", VSS_OPEN_WRITE_ONLY, 0) && search(file) == EBADF,
		"a file can be bound anew for less");
	ktap_ok(!bind_to(file, "", VSS_OPEN_PRIVATE, 0) && !stat_of(file).count,
		"a file can be bound to another collection");
	close(file);
	drop("open");
	become(&other);
	drop("closed");
	expect_empty("rebinding");
}

static void expect_drop(const struct person *person, int wanted)
{
	become(&owner);
	close(bound("mine", VSS_OPEN_CREATE, 0666));
	become(person);
	ktap_ok(drop("mine") == wanted && try_open("mine", READ_WRITE, 0) ==
		(wanted ? 0 : ENOENT), "DROP of mode 0666 by %s: %s", person->name,
		error_name(wanted));
}

static void dropping_by(void)
{
	const struct person *refused[] = { &member, &joined, &other, &weak };
	const struct person *allowed[] = { &owner, &clerk, &root };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		expect_drop(refused[i], EACCES);
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		expect_drop(allowed[i], 0);
	ktap_ok(drop("mine") == ENOENT, "DROP of a name that is gone: ENOENT");
	become(&owner);
	make("mine", 0000);
	ktap_ok(!drop("mine"), "DROP of mode 0000 by its owner: no error");
}

static void expect_chmod(const struct person *person, int file, int wanted)
{
	uint32_t mode = stat_of(file).mode ^ 0044;

	become(person);
	ktap_ok(set_mode(file, mode) == wanted &&
		stat_of(file).mode == (wanted ? mode ^ 0044 : mode),
		"CONFIGURE of the mode by %s: %s", person->name, error_name(wanted));
}

static void configuring(void)
{
	struct vss_configure both = {
		.size = sizeof(both), .capacity = 77, .mode = 0600,
		.flags = VSS_CONFIGURE_CAPACITY | VSS_CONFIGURE_MODE,
	};
	int file;

	become(&owner);
	make("mine", 0666);
	become(&other);
	file = bound("mine", READ_WRITE, 0);
	ktap_ok(!configure(file) && stat_of(file).capacity == 1000,
		"CONFIGURE of the capacity by another user who may write: no error");
	ktap_ok(call(file, VSS_CONFIGURE, &both) == EACCES &&
		stat_of(file).capacity == 1000 && stat_of(file).mode == 0666,
		"CONFIGURE of both by another user: EACCES, and neither is set");
	expect_chmod(&other, file, EACCES);
	expect_chmod(&member, file, EACCES);
	expect_chmod(&joined, file, EACCES);
	expect_chmod(&weak, file, EACCES);
	expect_chmod(&owner, file, 0);
	expect_chmod(&clerk, file, 0);
	expect_chmod(&root, file, 0);
	become(&owner);
	ktap_ok(set_mode(file, 0777) == EINVAL && set_mode(file, 04600) == EINVAL,
		"CONFIGURE of a mode beyond 0666: EINVAL");
	ktap_ok(!call(file, VSS_CONFIGURE, &both) && stat_of(file).capacity == 77 &&
		stat_of(file).mode == 0600, "CONFIGURE of both by its owner: no error");
	close(file);
	drop("mine");
}

/* The mode is looked at when a file is bound, and not again. */
static void changing_mode(void)
{
	int mine, before;

	become(&owner);
	mine = bound("changed", VSS_OPEN_CREATE, 0666);
	become(&other);
	before = bound("changed", READ_WRITE, 0);
	become(&owner);
	set_mode(mine, 0600);
	become(&other);
	ktap_ok(try_open("changed", READ_WRITE, 0) == EACCES &&
		try_open("changed", VSS_OPEN_READ_ONLY, 0) == EACCES,
		"0666 to 0600: others cannot open it any more: EACCES");
	expect_commands(COMMANDS, before, 0, 0, "bound before 0666 became 0600");
	ktap_ok(bind_to(before, "changed", READ_WRITE, 0) == EACCES && !put(before),
		"binding such a file anew: EACCES, and the old binding stays");
	become(&owner);
	set_mode(mine, 0604);
	become(&other);
	ktap_ok(!try_open("changed", VSS_OPEN_READ_ONLY, 0) &&
		try_open("changed", READ_WRITE, 0) == EACCES,
		"0600 to 0604: others can open it for reading");
	become(&owner);
	set_mode(mine, 0000);
	ktap_ok(try_open("changed", READ_WRITE, 0) == EACCES && !put(mine) &&
		!set_mode(mine, 0200) &&
		!try_open("changed", VSS_OPEN_WRITE_ONLY, 0),
		"an owner who took all permissions away can give them back");
	close(before);
	close(mine);
	drop("changed");
}

static void owning(void)
{
	dropping_by();
	configuring();
	changing_mode();
	expect_empty("owning");
}

/* All that LIST tells, two records at a time, as "name@uid name@uid ". */
static const char *listed(void)
{
	struct vss_list_record records[2] = {};
	struct vss_list args = {
		.size = sizeof(args), .count = 2, .record_size = sizeof(*records),
		.records = (uintptr_t)records,
	};
	static char text[1024];
	uint32_t i, length = 0;

	text[0] = 0;
	do {
		if (call(control, VSS_LIST, &args) || args.done > 2)
			return "an error";
		for (i = 0; i < args.done && length < sizeof(text); i++)
			length += snprintf(text + length, sizeof(text) - length,
					   "%s@%u ", records[i].name, records[i].uid);
	} while (args.cursor != VSS_CURSOR_END);
	return text;
}

static void expect_list(const struct person *person, const char *wanted)
{
	become(person);
	if (!ktap_ok(!strcmp(listed(), wanted), "LIST by %s: %s", person->name,
		     *wanted ? wanted : "nothing"))
		printf("# it told %s\n", listed());
}

static void listing(void)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} made[] = {
		{ "a600", 0600 }, { "a640", 0640 }, { "a604", 0604 },
		{ "a622", 0622 }, { "a200", 0200 }, { "a000", 0000 },
		{ "a060", 0060 },
	};
	int private;
	size_t i;

	become(&owner);
	expect_list(&owner, "");
	for (i = 0; i < ARRAY_SIZE(made); i++)
		make(made[i].name, made[i].mode);
	private = bound("", VSS_OPEN_PRIVATE, 0);
	become(&other);
	make("b600", 0600);

	expect_list(&owner, "a600@1001 a640@1001 a604@1001 a622@1001 ");
	expect_list(&member, "a640@1001 a060@1001 ");
	expect_list(&joined, "a640@1001 a060@1001 ");
	expect_list(&other, "a604@1001 b600@1004 ");
	expect_list(&weak, "a604@1001 ");
	expect_list(&root, "a600@1001 a640@1001 a604@1001 a622@1001 a200@1001 "
			   "a000@1001 a060@1001 b600@1004 ");
	ktap_ok(file_number("/sys/class/misc/vss/collections") == 8,
		"sysfs counts all that have a name");
	ktap_ok(info().collections == 9, "INFO counts the private one, too");
	drop("a640");
	expect_list(&member, "a060@1001 ");
	become(&root);
	for (i = 0; i < ARRAY_SIZE(made); i++)
		drop(made[i].name);
	drop("b600");
	expect_list(&root, "");
	close(private);
	expect_empty("listing");
}

/* Binds a file to a private collection with a row, and waits to be killed. */
static pid_t start_holder(void)
{
	pid_t child = fork();

	if (child < 0)
		ktap_bail_out("cannot fork");
	if (child)
		return child;
	turn_into(&owner);
	put(bound("", VSS_OPEN_PRIVATE, 0));
	for (;;)
		pause();
}

static void killed_holder(void)
{
	pid_t child = start_holder();
	int status, retries = 500;

	while (!info().bytes && retries--)
		usleep(10000);
	ktap_ok(info().collections == 1 && info().bytes > 0,
		"a private collection of another process's is counted");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ktap_ok(WIFSIGNALED(status) && is_empty(),
		"a private collection dies with the process that was killed");
}

static void privacy(void)
{
	int first, second, twin;

	become(&owner);
	ktap_ok(try_open("", READ_WRITE, 0) == EINVAL &&
		try_open("", VSS_OPEN_CREATE, 0) == EINVAL,
		"without a name, and without PRIVATE: EINVAL");
	ktap_ok(try_open("name", VSS_OPEN_PRIVATE, 0) == EINVAL,
		"PRIVATE with a name: EINVAL");
	ktap_ok(try_open("", VSS_OPEN_PRIVATE, 0600) == EINVAL,
		"PRIVATE with a mode: EINVAL");
	ktap_ok(try_open("", VSS_OPEN_PRIVATE | VSS_OPEN_CREATE, 0) == EINVAL,
		"PRIVATE with CREATE: EINVAL");
	first = bound("", VSS_OPEN_PRIVATE, 0);
	second = bound("", VSS_OPEN_PRIVATE, 0);
	expect_commands(COMMANDS, first, 0, 0, "a private collection");
	ktap_ok(!stat_of(second).count && !stat_of(first).name[0] &&
		stat_of(first).serial != stat_of(second).serial &&
		stat_of(first).uid == owner.uid,
		"two private collections are not the same");
	ktap_ok(set_mode(first, 0600) == EINVAL && set_mode(first, 0) == EINVAL,
		"CONFIGURE of a private one's mode: EINVAL");
	ktap_ok(drop("") == EINVAL, "DROP of no name: EINVAL");
	twin = dup(first);
	close(first);
	ktap_ok(holds(2, stat_of(twin).bytes) && stat_of(twin).bytes > 0 && !put(twin),
		"a private collection lives on in a second descriptor");
	close(twin);
	ktap_ok(holds(1, 0), "it dies with the last one, and its memory is back");
	put(second);
	bind_to(second, "", VSS_OPEN_PRIVATE, 0);
	ktap_ok(holds(1, 0), "it dies when its only file is bound to another");
	close(second);
	become(&root);
	killed_holder();
	expect_empty("private");
}

#define PASSED 3

/* Room for the message that carries descriptors, and for one byte beside. */
struct parcel {
	struct iovec piece;
	struct msghdr message;
	char byte;
	union {
		char bytes[CMSG_SPACE(PASSED * sizeof(int))];
		struct cmsghdr align;
	} control;
};

static void wrap(struct parcel *parcel)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->piece.iov_base = &parcel->byte;
	parcel->piece.iov_len = 1;
	parcel->message.msg_iov = &parcel->piece;
	parcel->message.msg_iovlen = 1;
	parcel->message.msg_control = parcel->control.bytes;
	parcel->message.msg_controllen = sizeof(parcel->control.bytes);
}

static bool send_files(int channel, const int files[PASSED])
{
	struct parcel parcel;
	struct cmsghdr *header;

	wrap(&parcel);
	header = CMSG_FIRSTHDR(&parcel.message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(PASSED * sizeof(int));
	memcpy(CMSG_DATA(header), files, PASSED * sizeof(int));
	return sendmsg(channel, &parcel.message, 0) == 1;
}

static bool receive_files(int channel, int files[PASSED])
{
	struct parcel parcel;
	struct cmsghdr *header;

	wrap(&parcel);
	if (recvmsg(channel, &parcel.message, MSG_CMSG_CLOEXEC) != 1)
		return false;
	header = CMSG_FIRSTHDR(&parcel.message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(PASSED * sizeof(int)))
		return false;
	memcpy(files, CMSG_DATA(header), PASSED * sizeof(int));
	return true;
}

/*
 * A process of the owner's sends three files, and ends before they are looked
 * at: bound to "sent" for both, to "sent" for reading, and to a private
 * collection. Returns where they are to be received, or ends the program.
 */
static int send_and_end(void)
{
	int channel[2], files[PASSED], status;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		ktap_bail_out("cannot make a pair of sockets");
	child = fork();
	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child) {
		turn_into(&owner);
		files[0] = bound("sent", VSS_OPEN_CREATE, 0600);
		files[1] = bound("sent", VSS_OPEN_READ_ONLY, 0);
		files[2] = bound("", VSS_OPEN_PRIVATE, 0);
		_exit(put(files[0]) || put(files[2]) ||
		      !send_files(channel[1], files));
	}
	close(channel[1]);
	if (waitpid(child, &status, 0) != child || status)
		ktap_bail_out("cannot send files");
	return channel[0];
}

static void receiver(const int files[PASSED])
{
	ktap_ok(try_open("sent", VSS_OPEN_READ_ONLY, 0) == EACCES,
		"the receiver may not open the collection: EACCES");
	ktap_ok(stat_of(files[0]).count == 1 && stat_of(files[0]).uid == owner.uid,
		"the receiver finds the sender's row");
	expect_commands(COMMANDS, files[0], 0, 0, "received, bound for both");
	expect_commands(COMMANDS, files[1], 0, EBADF, "received, bound READ_ONLY");
	ktap_ok(stat_of(files[2]).count == 1 && !stat_of(files[2]).name[0],
		"the receiver finds the row of a private collection");
	expect_commands(COMMANDS, files[2], 0, 0, "received, private");
	ktap_ok(set_mode(files[0], 0666) == EACCES && stat_of(files[0]).mode == 0600,
		"the receiver cannot change the mode: EACCES");
	ktap_ok(drop_by(files[0], "sent") == EACCES,
		"the receiver cannot drop the name: EACCES");
	ktap_ok(bind_to(files[1], "sent", VSS_OPEN_READ_ONLY, 0) == EACCES &&
		is_bound_to(files[1], "sent"),
		"the receiver cannot bind it anew: EACCES, and it stays bound");
}

static void passing(void)
{
	int files[PASSED], channel, retries = 500;

	become(&root);
	channel = send_and_end();
	ktap_ok(info().collections == 2 && info().bytes > 0,
		"files on their way outlive their sender");
	become(&other);
	if (ktap_ok(receive_files(channel, files), "another user receives them"))
		receiver(files);
	close(channel);
	become(&root);
	drop("sent");
	ktap_ok(info().collections == 2 && !put(files[0]),
		"a file received works on when the name is gone");
	close(files[0]);
	ktap_ok(info().collections == 2 && !search(files[1]),
		"and when the other file received is closed");
	close(files[1]);
	close(files[2]);
	expect_empty("passing");

	channel = send_and_end();
	drop("sent");
	close(channel);
	/* The kernel closes such files a little later. */
	while (!is_empty() && retries--)
		usleep(10000);
	expect_empty("files that nobody received");
}

/* Another user's process binds a file that it shares, and ends. */
static bool bind_in_process(int file, const char *name, uint32_t flags)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		ktap_bail_out("cannot fork");
	if (!child) {
		turn_into(&other);
		_exit(bind_to(file, name, flags, 0) || put(file));
	}
	return waitpid(child, &status, 0) == child && !status;
}

static void sharing(void)
{
	char path[40];
	int file, twin, alone;

	become(&other);
	make("theirs", 0600);
	become(&owner);
	make("one", 0600);
	make("two", 0600);
	file = bound("one", READ_WRITE, 0);
	twin = dup(file);
	alone = bound("one", READ_WRITE, 0);
	ktap_ok(is_bound_to(twin, "one"), "dup() keeps the binding");
	bind_to(twin, "two", VSS_OPEN_READ_ONLY, 0);
	ktap_ok(is_bound_to(file, "two") && put(file) == EBADF,
		"binding a dup() binds both, with its rights");
	ktap_ok(is_bound_to(alone, "one") && !put(alone),
		"a file opened by itself has a binding of its own");
	ktap_ok(bind_in_process(file, "theirs", READ_WRITE) &&
		is_bound_to(file, "theirs") && is_bound_to(twin, "theirs") &&
		stat_of(file).count == 1,
		"fork() shares the binding: what a child binds, its parent has");
	ktap_ok(!put(file) && try_open("theirs", READ_WRITE, 0) == EACCES,
		"it keeps what the child was granted, and the parent is not");
	ktap_ok(bind_in_process(twin, "", VSS_OPEN_PRIVATE) &&
		stat_of(file).count == 1 && !stat_of(file).name[0],
		"a child's private collection outlives it in the parent's file");
	close(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", twin);
	become(&root);
	file = open(path, O_RDWR | O_CLOEXEC);
	ktap_ok(file >= 0 && stat_file(file) == ENOENT && !stat_file(twin),
		"a file opened anew by /proc/self/fd is bound to nothing");
	close(file);
	close(twin);
	close(alone);
	drop("one");
	drop("two");
	drop("theirs");
	expect_empty("sharing");
}

/* Makes a collection of rows of another dimension, and binds a file to it. */
static int make_wide(const char *name, uint32_t dimension)
{
	struct vss_open args = {
		.size = sizeof(args), .dimension = dimension, .mode = 0600,
		.flags = VSS_OPEN_CREATE | VSS_OPEN_EXCLUSIVE,
	};
	int file = device_open(O_RDWR);

	strncpy(args.name, name, sizeof(args.name) - 1);
	if (call(file, VSS_OPEN, &args))
		ktap_bail_out("cannot make the collection '%s'", name);
	return file;
}

static void dropping(void)
{
	int first, second, next;
	uint64_t bytes;

	become(&owner);
	first = bound("live", VSS_OPEN_CREATE, 0600);
	second = bound("live", READ_WRITE, 0);
	put(first);
	bytes = stat_of(first).bytes;
	ktap_ok(bytes && holds(1, bytes) && !drop("live"),
		"DROP with files bound: no error");
	ktap_ok(holds(1, bytes) && !file_number("/sys/class/misc/vss/collections"),
		"DROP with files bound: the name is gone, and the memory is not");
	ktap_ok(try_open("live", READ_WRITE, 0) == ENOENT && drop("live") == ENOENT,
		"the name is not found any more: ENOENT");
	expect_list(&owner, "");
	ktap_ok(stat_of(first).count == 1, "the bound file still has its row");
	expect_commands(COMMANDS, first, 0, 0, "bound to what was dropped");
	ktap_ok(stat_of(second).count == stat_of(first).count &&
		stat_of(second).serial == stat_of(first).serial,
		"another file bound to it sees the same");

	next = make_wide("live", DIMENSION + 1);
	ktap_ok(stat_of(next).serial > stat_of(first).serial &&
		stat_of(next).dimension == DIMENSION + 1 && !stat_of(next).count,
		"the name is free at once, for another collection and serial");
	ktap_ok(!try_open("live", READ_WRITE, 0) && info().collections == 2,
		"there are both now");
	clear(first);
	put(first);
	close(first);
	ktap_ok(info().collections == 2 && !put(second) && stat_of(second).count == 1,
		"it lives on while one of its files is open");
	close(second);
	ktap_ok(holds(1, 0), "after the last close its memory is back");
	drop("live");
	ktap_ok(holds(1, 0) && !stat_of(next).count,
		"the next one can be dropped so, too");
	bind_to(next, "", VSS_OPEN_PRIVATE, 0);
	ktap_ok(holds(1, 0), "binding its last file to another ends it");
	close(next);
	expect_empty("dropping");
}

static void no_default(int file)
{
	struct vss_query_data query;
	struct vss_stats stats;
	int reader = device_open(O_RDONLY), writer = device_open(O_WRONLY);

	expect_commands(COMMANDS_2, file, ENOENT, ENOENT, "unbound, without a default");
	expect_commands(COMMANDS_2, reader, ENOENT, EBADF,
			"unbound O_RDONLY, without a default");
	expect_commands(COMMANDS_2, writer, EBADF, ENOENT,
			"unbound O_WRONLY, without a default");
	ktap_ok(!device_query(file, &query, 1, DIMENSION, 1) && !query.k,
		"unbound, without a default: QUERY_TOP_K finds nothing");
	stats = device_stats(file);
	ktap_ok(!stats.count && !stats.dimension && !stats.bytes,
		"unbound, without a default: GET_STATS tells of nothing");
	ktap_ok(is_empty(), "none of this has made one");
	close(reader);
	close(writer);
}

static void unbound(void)
{
	int mine, theirs, file;

	become(&owner);
	mine = device_open(O_RDWR);
	become(&other);
	theirs = device_open(O_RDWR);
	no_default(theirs);

	become(&owner);
	ktap_ok(!add_1(mine) && is_bound_to(mine, "default") &&
		stat_of(mine).uid == owner.uid && stat_of(mine).gid == owner.gid &&
		stat_of(mine).mode == 0666,
		"a first ADD_VECTOR makes the default, with its owner and mode 0666");
	become(&other);
	expect_commands(COMMANDS, theirs, 0, 0, "unbound, a default of mode 0666");
	ktap_ok(set_mode(theirs, 0600) == EACCES && drop("default") == EACCES,
		"another user can neither change its mode nor drop it: EACCES");
	file = bound("default", READ_WRITE, 0);
	become(&owner);
	ktap_ok(!set_mode(mine, 0604), "its owner changes its mode by an unbound file");
	become(&other);
	expect_commands(COMMANDS, theirs, 0, EACCES, "unbound, a default of mode 0604");
	become(&owner);
	set_mode(mine, 0600);
	expect_commands(COMMANDS, mine, 0, 0, "unbound, its owner, mode 0600");
	become(&other);
	expect_commands(COMMANDS, theirs, EACCES, EACCES,
			"unbound, a default of mode 0600");
	expect_commands(COMMANDS, file, 0, 0, "bound before its mode became 0600");
	become(&root);
	expect_commands(COMMANDS, theirs, 0, 0, "unbound, root, mode 0600");
	drop("default");
	ktap_ok(stat_file(theirs) == ENOENT && !stat_file(file),
		"a dropped default is gone for unbound files, and stays for bound ones");
	close(file);
	close(theirs);
	close(mine);
	expect_empty("unbound");
}

/* The device's own mode stands before all others; the rest needs it open. */
static void device_node(void)
{
	int file;

	become(&other);
	file = open(DEVICE, O_RDONLY | O_CLOEXEC);
	ktap_ok(file < 0 && errno == EACCES,
		"another user cannot open the device as it comes: EACCES");
	if (file >= 0)
		close(file);
	become(&root);
	if (chmod(DEVICE, 0666))
		ktap_bail_out("cannot change the device's mode");
}

int main(void)
{
	control = device_open(O_RDWR);
	if (!is_empty())
		ktap_bail_out("the store is not empty");
	device_node();
	all_modes();
	processes();
	making();
	bindings();
	rebinding();
	owning();
	listing();
	privacy();
	passing();
	sharing();
	dropping();
	unbound();
	return ktap_done();
}
