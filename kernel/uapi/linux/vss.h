/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user interface of /dev/vss, the kernel's store of vectors.
 */
#ifndef _UAPI_LINUX_VSS_H
#define _UAPI_LINUX_VSS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The device and its errors
 *
 * /dev/vss holds vectors for the whole machine, in collections. A process
 * speaks to it by ioctl() with the commands below, each of which takes a
 * pointer to one struct.
 *
 * All fields are little-endian and naturally aligned, no struct has padding,
 * and a 32-bit caller sees the same layouts. float is IEEE-754 binary32.
 * Pointers travel as __u64.
 *
 * A call returns 0, or -1 with one of these in errno. Each means one thing:
 *
 * ==============  ===========================================================
 * ``ENOTTY``      no such command, or one with another struct's size
 * ``EBADF``       the file, or its binding, is not for writing (a command that
 *                 changes something) or not for reading (any other)
 * ``EFAULT``      a pointer is not readable, or not writable where the command
 *                 answers
 * ``E2BIG``       the struct is longer than the driver knows, and not zero
 *                 there
 * ``EINVAL``      a field has a value that its comment below does not allow
 * ``EOPNOTSUPP``  a field has a value that is reserved for later
 * ``EACCES``      the collection's mode forbids it, or it is not the caller's
 * ``ENOENT``      no such collection
 * ``EEXIST``      a row with this id, or a collection of this name, is there
 *                 already
 * ``ENOSPC``      the collection holds as many rows as it may, and does not
 *                 evict, or the driver as many collections
 * ``EDQUOT``      the collection, or the driver, holds as many bytes as it may,
 *                 and the collection does not evict, or the row would not fit
 *                 either way
 * ``ENOMEM``      the machine, or the caller's control group, has no memory
 *                 left
 * ``EINTR``       the caller was killed while the call worked
 * ==============  ===========================================================
 *
 * After an error the rows are as they were before the call; but a command that
 * works on many rows stops at the first one that fails, and says in its field
 * @done how many came before, for which it has taken effect.
 */

/* The ioctl type of every command. */
#define VSS_IOC_MAGIC 'v'

/* Protocol 1: components of a vector, 1 to this many. */
#define VSS_V1_MAX_DIMENSION 128

/* Protocol 1: hits of a query, 1 to this many. */
#define VSS_V1_MAX_K 32

/**
 * enum vss_metric - how the distance of two vectors is computed
 * @VSS_METRIC_L2SQ: squared Euclidean distance
 * @VSS_METRIC_IP: 1 - inner product; +infinity where that is no number because
 *                 its sum passes the range of a float
 * @VSS_METRIC_COS: 1 - cosine, 0 to 2. Refuses vectors whose Euclidean norm is
 *                  no normal float: the zero vector, above all
 *
 * Smaller is nearer in every metric.
 */
enum vss_metric {
	VSS_METRIC_L2SQ = 0,
	VSS_METRIC_IP = 1,
	VSS_METRIC_COS = 2,
};

/**
 * struct vss_vector_data - argument of VSS_ADD_VECTOR
 * @id: in: the new row's id, any value that no stored row has (``EEXIST``)
 * @dimension: in: number of components, 1 to 128; equal to that of the rows
 *             stored already (``EINVAL``)
 * @data: in: the components, all finite, and fit for the collection's metric
 *        (``EINVAL``); those from @dimension on are not looked at
 *
 * Stores one row in the collection that the file is bound to. A file that is
 * bound to none uses the one named ``default``, which is made by its first row:
 * with that row's dimension, VSS_METRIC_L2SQ and mode 0666.
 */
struct vss_vector_data {
	__u32 id;
	__u32 dimension;
	float data[VSS_V1_MAX_DIMENSION];
};

/**
 * struct vss_query_data - argument of VSS_QUERY_TOP_K
 * @k: in: number of rows wanted, 1 to 32; out: number of hits, at most that
 * @dimension: in: number of components, 1 to 128; equal to that of the stored
 *             rows, if there are any (``EINVAL``)
 * @query_vector: in: the components, all finite, and fit for the collection's
 *                metric (``EINVAL``); those from @dimension on are not looked at
 * @result_ids: out: ids of the hits, nearest first; 0 beyond the last hit
 * @distances: out: distances of the hits; +infinity beyond the last hit
 *
 * Finds the @k nearest rows by exact search. Hits are sorted by distance, and
 * by id where distances are equal. An empty store answers with @k = 0. Rows
 * whose ids do not fit @result_ids are passed over.
 */
struct vss_query_data {
	__u32 k;
	__u32 dimension;
	float query_vector[VSS_V1_MAX_DIMENSION];
	__u32 result_ids[VSS_V1_MAX_K];
	float distances[VSS_V1_MAX_K];
};

/**
 * struct vss_stats - argument of VSS_GET_STATS
 * @count: out: rows stored now
 * @capacity: out: rows that may be stored; less than @count where that was
 *            lowered
 * @bytes: out: memory of the rows and of what is kept beside each, in bytes
 * @adds: out: rows added since the collection was created
 * @queries: out: queries run to their end since the first row was added
 * @evictions: out: rows that went unasked: evicted, by scarce memory too, or past
 *             their time
 * @dimension: out: number of components of every row; 0 while no row was added
 * @metric: out: one of &enum vss_metric
 * @reserved: out: 0
 */
struct vss_stats {
	__u64 count;
	__u64 capacity;
	__u64 bytes;
	__u64 adds;
	__u64 queries;
	__u64 evictions;
	__u32 dimension;
	__u32 metric;
	__u64 reserved;
};

#define VSS_ADD_VECTOR	_IOW(VSS_IOC_MAGIC, 1, struct vss_vector_data)
#define VSS_QUERY_TOP_K	_IOWR(VSS_IOC_MAGIC, 2, struct vss_query_data)
#define VSS_GET_STATS	_IOR(VSS_IOC_MAGIC, 3, struct vss_stats)

/**
 * DOC: Protocol 2
 *
 * Every struct of protocol 2 begins with the same header::
 *
 *	__u32 size;	in: bytes of the struct that the caller knows
 *	__s32 status;	out: 0, or the negative errno that the call also returns
 *
 * @status is for callers that may lose errno between the call and the look. It
 * is written whatever the call returns, once @size was read and covers it.
 *
 * Structs grow at their ends. A @size below the struct's first one is
 * ``EINVAL``; what a shorter struct lacks reads as zero; what a longer one has
 * beyond the driver's knowledge must be zero (``E2BIG``), and no struct is
 * longer than 4096 bytes (``E2BIG``). Unknown flags, and reserved fields that
 * are not zero, are ``EINVAL``.
 *
 * Rows travel as arrays with one element a row: ids are __u64, vectors are
 * float[dimension], tags are __u64, sizes of payloads are __u32, and payloads
 * are bytes that follow each other without gaps. A pointer that is 0 leaves an
 * optional array out. No array of one call is longer than VSS_MAX_CALL_BYTES
 * (``EINVAL``).
 *
 * A tag filter is a mask and a value: it matches the rows for which
 * (tags & mask) == value. Mask 0 with value 0 matches all.
 *
 * A row may have a time after which it is over, counted from its last put by a
 * clock that counts suspended time, too. From then on it is not there for any
 * command, and its id is free. Its memory goes when a put comes by, or the driver
 * does, within a second or so.
 *
 * poll() tells with EPOLLPRI that the collection that the file is bound to has
 * lost rows because memory was scarce, since this file was bound or has last
 * called VSS_STAT, whose pressure_evictions counts them: the time to fill it
 * anew. EPOLLIN and EPOLLOUT are always there: no call waits for a file to be
 * ready. A file that is bound to none is told nothing.
 *
 * PUT, GET, DELETE, SEARCH, SCAN, STAT, CLEAR and CONFIGURE act on the
 * collection that the file is bound to; a file that is bound to none uses the
 * one named ``default`` (``ENOENT`` if there is none; ``EACCES`` if its mode
 * forbids it).
 */

/* Limits. */
#define VSS_MAX_DIMENSION	8192
#define VSS_MAX_K		4096
#define VSS_MIN_CODES_DIMENSION	33		/* below, a row is hardly longer than its code */
#define VSS_MAX_ROWS		65536		/* rows, or queries, of one call */
#define VSS_MAX_CALL_BYTES	(64U << 20)	/* of each array of one call */
#define VSS_MAX_PAYLOAD		65536		/* bytes of one row's payload */
#define VSS_NAME_BYTES		64		/* of a name, with its final NUL */
#define VSS_RELEASE_BYTES	32
#define VSS_SIMD_BYTES		16

/* In an array of payload sizes: this row has none. An empty one has size 0. */
#define VSS_NO_PAYLOAD		0xffffffffU

/* In an array of lifetimes: this row is kept for ever. */
#define VSS_TTL_NEVER		0xffffffffffffffffULL

/* A cursor of VSS_SCAN and VSS_LIST that is at the end. */
#define VSS_CURSOR_END		0xffffffffffffffffULL

/**
 * enum vss_element - type of a vector's components in a collection
 * @VSS_ELEMENT_F32: float
 * @VSS_ELEMENT_F16: reserved (``EOPNOTSUPP``)
 * @VSS_ELEMENT_I8: reserved (``EOPNOTSUPP``)
 * @VSS_ELEMENT_B1: reserved (``EOPNOTSUPP``)
 */
enum vss_element {
	VSS_ELEMENT_F32 = 0,
	VSS_ELEMENT_F16 = 1,
	VSS_ELEMENT_I8 = 2,
	VSS_ELEMENT_B1 = 3,
};

/**
 * enum vss_eviction - what a full collection does
 * @VSS_EVICTION_NONE: refuses further rows (``ENOSPC``)
 * @VSS_EVICTION_FIFO: the row that was put first makes room: a ring buffer. A
 *                     row that replaces another counts as new
 * @VSS_EVICTION_LRU: a row that neither VSS_SEARCH nor VSS_GET has returned
 *                    lately makes room. A hand goes around the rows: one that was
 *                    returned, or has replaced another, since the hand last passed
 *                    is passed once more, the first other one goes. A new row has
 *                    not been returned yet
 *
 * A full collection, of rows or of bytes, evicts one row for each new one, and
 * that takes its place: nobody sees one gone and the other not there. Rows past
 * their time go first, as far as they are at hand.
 *
 * A collection that evicts is a cache: rows of it also go when memory is scarce,
 * the machine's or that of the control group that they are charged to: whole
 * blocks of 2 MiB, the one whose rows are the oldest, or least used. A collection
 * that does not evict never loses a row on its own, but those past their time.
 */
enum vss_eviction {
	VSS_EVICTION_NONE = 0,
	VSS_EVICTION_FIFO = 1,
	VSS_EVICTION_LRU = 2,
};

/* Bits of vss_info.features. */
#define VSS_FEATURE_COLLECTIONS	(1ULL << 0)	/* the commands 0x40 to 0x4b */
#define VSS_FEATURE_CODES	(1ULL << 1)	/* VSS_OPEN_NO_CODES, and what VSS_STAT tells of codes */
#define VSS_FEATURE_EVICTION	(1ULL << 2)	/* eviction, ttl, max_bytes, and poll() */

/**
 * struct vss_info - argument of VSS_INFO
 * @size: in: see the header
 * @status: out: see the header
 * @features: out: VSS_FEATURE_* bits
 * @max_dimension: out: VSS_MAX_DIMENSION
 * @max_k: out: VSS_MAX_K
 * @max_rows: out: VSS_MAX_ROWS
 * @max_call_bytes: out: VSS_MAX_CALL_BYTES
 * @max_payload: out: VSS_MAX_PAYLOAD
 * @max_collections: out: collections that there may be
 * @max_vectors: out: rows that a collection may hold
 * @bytes: out: memory of all rows of all collections, in bytes
 * @max_bytes: out: what @bytes may reach
 * @collections: out: collections there are, private ones included
 * @reserved: out: 0
 * @simd: out: the instruction set in use, a string
 * @release: out: the driver's version, a string
 * @search_cpus: out: processors that one search may use at most; 0 for all that
 *               the caller may use
 * @reserved2: out: 0
 *
 * Tells what the driver is and can. Needs a file open for reading.
 */
struct vss_info {
	__u32 size;
	__s32 status;
	__u64 features;
	__u32 max_dimension;
	__u32 max_k;
	__u32 max_rows;
	__u32 max_call_bytes;
	__u32 max_payload;
	__u32 max_collections;
	__u64 max_vectors;
	__u64 bytes;
	__u64 max_bytes;
	__u32 collections;
	__u32 reserved;
	char simd[VSS_SIMD_BYTES];
	char release[VSS_RELEASE_BYTES];
	__u32 search_cpus;
	__u32 reserved2;
};

/* vss_open.flags: make the collection if there is none of this name. */
#define VSS_OPEN_CREATE		(1U << 0)
/* ... and fail if there is one (``EEXIST``). Needs VSS_OPEN_CREATE. */
#define VSS_OPEN_EXCLUSIVE	(1U << 1)
/* Make a collection without a name, which dies with the last file bound to it. */
#define VSS_OPEN_PRIVATE	(1U << 2)
/* Bind for reading only, or for writing only; without these, for both. */
#define VSS_OPEN_READ_ONLY	(1U << 3)
#define VSS_OPEN_WRITE_ONLY	(1U << 4)
/*
 * Make a collection that keeps no codes of its rows: it takes a fifth less
 * memory, and a search reads every vector. Needs VSS_OPEN_CREATE or
 * VSS_OPEN_PRIVATE.
 */
#define VSS_OPEN_NO_CODES	(1U << 5)

/**
 * struct vss_open - argument of VSS_OPEN
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: VSS_OPEN_* bits
 * @dimension: in: components of a row, 1 to VSS_MAX_DIMENSION; out: likewise
 * @metric: in, out: one of &enum vss_metric
 * @element: in, out: one of &enum vss_element
 * @capacity: in: rows that it may hold, at most the driver's max_vectors, which
 *            is also what 0 means; out: rows that it may hold
 * @ttl: in, out: for how long a row is kept after it was put, in nanoseconds; 0,
 *       or VSS_TTL_NEVER, for ever
 * @eviction: in, out: one of &enum vss_eviction
 * @mode: in, out: permission bits as a file's, within 0666; no umask applies.
 *        Read allows SEARCH, GET, SCAN and STAT, write allows PUT, DELETE, CLEAR
 *        and CONFIGURE
 * @uid: out: its owner, who made it
 * @gid: out: its group, that of the process that made it
 * @serial: out: a number that no other collection has had since the driver was
 *          loaded
 * @name: in: its name, 1 to 63 bytes of UTF-8 before a NUL, without ``/`` and
 *        without control characters (U+0000 to U+001F, U+007F to U+009F); empty
 *        with VSS_OPEN_PRIVATE
 * @max_bytes: in, out: what its rows may take of memory, as VSS_STAT counts it in
 *             bytes; 0 for no limit of its own. A put that would pass it evicts,
 *             or fails (``EDQUOT``). The first row takes a block of 2 MiB
 *
 * Binds the file to a collection, in place of the one that it was bound to.
 *
 * Neither VSS_OPEN_CREATE nor VSS_OPEN_PRIVATE: there must be one of this name
 * (``ENOENT``), and the fields from @dimension to @mode, and @max_bytes, must be
 * 0. With VSS_OPEN_CREATE, where there is one already: @dimension, @metric and
 * @element must be its own (``EINVAL``); the fields from @capacity to @mode,
 * @max_bytes and VSS_OPEN_NO_CODES are checked but otherwise ignored.
 *
 * The mode is checked now (``EACCES``) as a file's is: by the caller's
 * filesystem uid and groups, with CAP_DAC_OVERRIDE above it. The binding keeps
 * what it was granted, whatever becomes of the mode, and whoever gets the file.
 * The file itself must be open for what the binding is for, and for writing
 * where something may be made (``EBADF``).
 */
struct vss_open {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 dimension;
	__u32 metric;
	__u32 element;
	__u64 capacity;
	__u64 ttl;
	__u32 eviction;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 serial;
	char name[VSS_NAME_BYTES];
	__u64 max_bytes;
};

/**
 * struct vss_drop - argument of VSS_DROP
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: 0
 * @reserved: in: 0
 * @name: in: the collection's name, as in &struct vss_open
 *
 * Takes the name away from a collection (``ENOENT``). Its rows stay for the
 * files bound to it, and go with the last of them. For its owner, and for
 * CAP_DAC_OVERRIDE (``EACCES``). Needs a file open for writing.
 */
struct vss_drop {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 reserved;
	char name[VSS_NAME_BYTES];
};

/**
 * struct vss_list_record - one collection, as VSS_LIST writes it
 * @serial: see &struct vss_open
 * @count: rows stored
 * @capacity: rows that it may hold
 * @bytes: memory of the rows and of what is kept beside each, in bytes
 * @dimension: components of a row
 * @metric: one of &enum vss_metric
 * @element: one of &enum vss_element
 * @eviction: one of &enum vss_eviction
 * @ttl: see &struct vss_open
 * @mode: permission bits
 * @uid: its owner
 * @gid: its group
 * @reserved: 0
 * @name: its name, with NULs behind it
 */
struct vss_list_record {
	__u64 serial;
	__u64 count;
	__u64 capacity;
	__u64 bytes;
	__u32 dimension;
	__u32 metric;
	__u32 element;
	__u32 eviction;
	__u64 ttl;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	char name[VSS_NAME_BYTES];
};

/**
 * struct vss_list - argument of VSS_LIST
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: 0
 * @count: in: records that @records has room for, 1 to VSS_MAX_ROWS
 * @record_size: in: bytes of a record that the caller knows, at least those of
 *               &struct vss_list_record in its first version, at most 4096, and
 *               a multiple of 8; what the driver does not know is written as
 *               zeros
 * @done: out: records written
 * @cursor: in: 0 to begin with, or what an earlier call gave; out: where to go
 *          on, VSS_CURSOR_END after the last one
 * @records: in: pointer to the records, out
 *
 * Lists the named collections that the caller may read, oldest first. Needs a
 * file open for reading.
 */
struct vss_list {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u32 record_size;
	__u32 done;
	__u64 cursor;
	__u64 records;
};

/* vss_put.flags: a row whose id is stored already is replaced. */
#define VSS_PUT_UPSERT		(1U << 0)

/**
 * struct vss_put - argument of VSS_PUT
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: VSS_PUT_* bits
 * @count: in: rows, 1 to VSS_MAX_ROWS
 * @dimension: in: the collection's
 * @reserved: in: 0
 * @ids: in: pointer to ids; any value that no stored row has (``EEXIST``), or,
 *       with VSS_PUT_UPSERT, any value
 * @vectors: in: pointer to vectors, each finite and fit for the metric
 * @tags: in: pointer to tags, or 0: all tags are 0
 * @payload_sizes: in: pointer to sizes, each 0 to VSS_MAX_PAYLOAD, or
 *                 VSS_NO_PAYLOAD; or 0: no row has a payload
 * @payloads: in: pointer to payloads; 0 where @payload_bytes is
 * @payload_bytes: in: bytes of @payloads, at least the sum of all sizes
 * @done: out: rows that are in
 * @inserted: out: of those, new ones
 * @updated: out: of those, ones that replaced a row
 * @evicted: out: rows that made room
 * @ttls: in: pointer to one __u64 a row, for how long it is kept, in nanoseconds:
 *        0 for the collection's @ttl, VSS_TTL_NEVER for ever; or 0: the
 *        collection's @ttl for all
 *
 * Stores rows, one after the other. Each becomes visible as a whole; a row that
 * replaces another replaces its tags, its payload and its lifetime, too. One that
 * replaces a row past its time is new.
 */
struct vss_put {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u32 dimension;
	__u32 reserved;
	__u64 ids;
	__u64 vectors;
	__u64 tags;
	__u64 payload_sizes;
	__u64 payloads;
	__u64 payload_bytes;
	__u32 done;
	__u32 inserted;
	__u32 updated;
	__u32 evicted;
	__u64 ttls;
};

/**
 * struct vss_get - argument of VSS_GET
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: 0
 * @count: in: ids, 1 to VSS_MAX_ROWS
 * @dimension: in: the collection's
 * @reserved: in: 0
 * @ids: in: pointer to ids
 * @vectors: in: pointer to vectors, out; or 0
 * @tags: in: pointer to tags, out; or 0
 * @payload_sizes: in: pointer to sizes, out; or 0
 * @payloads: in: pointer to payloads, out; or 0. Needs @payload_sizes
 * @payload_bytes: in: room for payloads, at least VSS_MAX_PAYLOAD; 0 where
 *                 @payloads is
 * @found: in: pointer to a bitmap, out: bit i % 8 of byte i / 8 is 1 where id i
 *         is stored; or 0
 * @done: out: ids looked up. Less than @count, without an error, where the next
 *        payload found no room: call again from there
 * @hits: out: of those, how many are stored
 *
 * Reads rows by their ids, each as a whole. Where an id is not stored, its
 * vector is all zeros, its tags are 0, and it has no payload.
 */
struct vss_get {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u32 dimension;
	__u32 reserved;
	__u64 ids;
	__u64 vectors;
	__u64 tags;
	__u64 payload_sizes;
	__u64 payloads;
	__u64 payload_bytes;
	__u64 found;
	__u32 done;
	__u32 hits;
};

/* vss_delete.flags: delete the rows that the tag filter matches. */
#define VSS_DELETE_MATCHING	(1U << 0)

/**
 * struct vss_delete - argument of VSS_DELETE
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: VSS_DELETE_* bits
 * @count: in: ids, 1 to VSS_MAX_ROWS; 0 with VSS_DELETE_MATCHING
 * @ids: in: pointer to ids; 0 with VSS_DELETE_MATCHING
 * @tag_mask: in: of the filter; 0 without VSS_DELETE_MATCHING
 * @tag_value: in: of the filter; 0 without VSS_DELETE_MATCHING
 * @done: out: ids gone through; with VSS_DELETE_MATCHING, rows deleted
 * @deleted: out: rows deleted
 *
 * Deletes rows. An id that is not stored is passed over. Memory is given back
 * in blocks of 2 MiB whose last row has gone, and payloads at once. A row that
 * is put while the call works may or may not be among those deleted by a filter.
 */
struct vss_delete {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u64 ids;
	__u64 tag_mask;
	__u64 tag_value;
	__u32 done;
	__u32 deleted;
};

/* vss_search.flags: no hit is farther than max_distance. */
#define VSS_SEARCH_RANGE	(1U << 0)

/**
 * struct vss_search - argument of VSS_SEARCH
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: VSS_SEARCH_* bits
 * @count: in: queries, 1 to VSS_MAX_ROWS
 * @dimension: in: the collection's
 * @k: in: hits wanted for each, 1 to VSS_MAX_K
 * @queries: in: pointer to vectors, each finite and fit for the metric
 * @tag_mask: in: of the filter that hits must match
 * @tag_value: in: of the filter that hits must match
 * @ids: in: pointer to @k ids a query, out
 * @distances: in: pointer to @k floats a query, out
 * @counts: in: pointer to a __u32 a query, out: its hits
 * @max_distance: in: of a hit, with VSS_SEARCH_RANGE; any number, infinities
 *                included. Bits 0 without it
 * @done: out: queries answered
 * @scanned: out: rows looked at, over all queries
 * @computed: out: of those, rows whose distance was computed; the codes of the
 *            others ruled them out
 *
 * Finds the @k nearest rows of each query among those that match, by exact
 * search. A query's hits are sorted by distance, and by id where distances are
 * equal. What the arrays hold for a query beyond its hits is left alone.
 *
 * A query sees each row that was stored before it began and lives until it
 * ends, and each as a whole.
 */
struct vss_search {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u32 dimension;
	__u32 k;
	__u64 queries;
	__u64 tag_mask;
	__u64 tag_value;
	__u64 ids;
	__u64 distances;
	__u64 counts;
	float max_distance;
	__u32 done;
	__u64 scanned;
	__u64 computed;
};

/**
 * struct vss_scan - argument of VSS_SCAN
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: 0
 * @count: in: rows that the arrays have room for, 1 to VSS_MAX_ROWS
 * @dimension: in: the collection's
 * @done: out: rows written
 * @cursor: in: 0 to begin with, or what an earlier call gave; out: where to go
 *          on, VSS_CURSOR_END after the last row
 * @tag_mask: in: of the filter that rows must match
 * @tag_value: in: of the filter that rows must match
 * @ids: in: pointer to ids, out
 * @vectors: in: pointer to vectors, out; or 0
 * @tags: in: pointer to tags, out; or 0
 * @payload_sizes: in: pointer to sizes, out; or 0
 * @payloads: in: pointer to payloads, out; or 0. Needs @payload_sizes
 * @payload_bytes: in: room for payloads, at least VSS_MAX_PAYLOAD; 0 where
 *                 @payloads is
 *
 * Reads the next rows, in no order that a caller could rely on, each as a
 * whole. A row that lives from the first call to the last is read exactly once,
 * whatever is put and deleted meanwhile. @done is less than @count where the
 * rows, or the room for payloads, came to an end: only @cursor tells which.
 */
struct vss_scan {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 count;
	__u32 dimension;
	__u32 done;
	__u64 cursor;
	__u64 tag_mask;
	__u64 tag_value;
	__u64 ids;
	__u64 vectors;
	__u64 tags;
	__u64 payload_sizes;
	__u64 payloads;
	__u64 payload_bytes;
};

/**
 * struct vss_stat - argument of VSS_STAT
 * @size: in: see the header
 * @status: out: see the header
 * @count: out: rows stored, those past their time not among them: all @inserts
 *         but the @deletes, @evictions, @pressure_evictions and @expirations.
 *         Where a great many end at once, some are until they are removed
 * @capacity: out: rows that may be stored; less than @count where that was
 *            lowered
 * @bytes: out: memory of the rows and of all that is kept beside them, in bytes
 * @payload_bytes: out: of those, the payloads'
 * @inserts: out: rows put that were new
 * @updates: out: rows put that replaced one
 * @deletes: out: rows deleted, by VSS_CLEAR too
 * @evictions: out: rows that made room for others, or for a lower limit
 * @queries: out: queries answered
 * @gets: out: ids looked up by VSS_GET
 * @scanned: out: rows that queries looked at
 * @computed: out: of those, rows whose distance was computed
 * @serial: out: see &struct vss_open
 * @ttl: out: see &struct vss_open
 * @dimension: out: components of a row
 * @metric: out: one of &enum vss_metric
 * @element: out: one of &enum vss_element
 * @eviction: out: one of &enum vss_eviction
 * @mode: out: permission bits
 * @uid: out: its owner
 * @gid: out: its group
 * @reserved: out: 0
 * @name: out: its name, with NULs behind it; empty for a private one
 * @longest_section: out: the longest time for which a call has kept a
 *                   processor from running anything else, in nanoseconds; where it was so
 *                   short that reading the clock would have doubled it, it is not
 *                   among them
 * @codes: out: 1 where it keeps codes of its rows, which spare a search most of
 *         the vectors; 0 where it does not: made with VSS_OPEN_NO_CODES, or of
 *         less than VSS_MIN_CODES_DIMENSION components
 * @reserved2: out: 0
 * @max_bytes: out: see &struct vss_open
 * @pressure_evictions: out: rows that gave their memory back when it was scarce
 * @expirations: out: rows whose time was over, whether their memory has gone or
 *               not
 * @hits: out: of @queries and @gets, those that found a row
 *
 * Reads all counters of the collection, which count since it was made.
 */
struct vss_stat {
	__u32 size;
	__s32 status;
	__u64 count;
	__u64 capacity;
	__u64 bytes;
	__u64 payload_bytes;
	__u64 inserts;
	__u64 updates;
	__u64 deletes;
	__u64 evictions;
	__u64 queries;
	__u64 gets;
	__u64 scanned;
	__u64 computed;
	__u64 serial;
	__u64 ttl;
	__u32 dimension;
	__u32 metric;
	__u32 element;
	__u32 eviction;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	char name[VSS_NAME_BYTES];
	__u64 longest_section;
	__u32 codes;
	__u32 reserved2;
	__u64 max_bytes;
	__u64 pressure_evictions;
	__u64 expirations;
	__u64 hits;
};

/**
 * struct vss_clear - argument of VSS_CLEAR
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: 0
 * @done: out: rows deleted
 *
 * Deletes all rows, and gives their memory back. A row that is put while the
 * call works may or may not be among them.
 */
struct vss_clear {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 done;
};

/* vss_configure.flags: the fields that are to be set. */
#define VSS_CONFIGURE_CAPACITY	(1U << 0)
#define VSS_CONFIGURE_EVICTION	(1U << 1)
#define VSS_CONFIGURE_TTL	(1U << 2)
#define VSS_CONFIGURE_MODE	(1U << 3)
#define VSS_CONFIGURE_MAX_BYTES	(1U << 4)

/**
 * struct vss_configure - argument of VSS_CONFIGURE
 * @size: in: see the header
 * @status: out: see the header
 * @flags: in: VSS_CONFIGURE_* bits, at least one
 * @eviction: in: as in &struct vss_open
 * @capacity: in: as in &struct vss_open. Rows beyond it are evicted; where
 *            nothing is, they stay, and no more are taken
 * @ttl: in: as in &struct vss_open, for rows that are put from now on
 * @mode: in: as in &struct vss_open; for the owner, and for CAP_DAC_OVERRIDE
 *        (``EACCES``). ``EINVAL`` for a private collection
 * @reserved: in: 0
 * @max_bytes: in: as in &struct vss_open; as with @capacity for what is beyond
 *
 * Changes how the collection behaves: all of the fields that @flags name, or
 * none. The others must be 0. What is beyond the new limits is gone when the call
 * returns, where the collection evicts. Its order is that in which rows were put,
 * whether it has evicted before or not.
 */
struct vss_configure {
	__u32 size;
	__s32 status;
	__u32 flags;
	__u32 eviction;
	__u64 capacity;
	__u64 ttl;
	__u32 mode;
	__u32 reserved;
	__u64 max_bytes;
};

#define VSS_INFO	_IO(VSS_IOC_MAGIC, 0x40)
#define VSS_OPEN	_IO(VSS_IOC_MAGIC, 0x41)
#define VSS_DROP	_IO(VSS_IOC_MAGIC, 0x42)
#define VSS_LIST	_IO(VSS_IOC_MAGIC, 0x43)
#define VSS_PUT		_IO(VSS_IOC_MAGIC, 0x44)
#define VSS_GET		_IO(VSS_IOC_MAGIC, 0x45)
#define VSS_DELETE	_IO(VSS_IOC_MAGIC, 0x46)
#define VSS_SEARCH	_IO(VSS_IOC_MAGIC, 0x47)
#define VSS_SCAN	_IO(VSS_IOC_MAGIC, 0x48)
#define VSS_STAT	_IO(VSS_IOC_MAGIC, 0x49)
#define VSS_CLEAR	_IO(VSS_IOC_MAGIC, 0x4a)
#define VSS_CONFIGURE	_IO(VSS_IOC_MAGIC, 0x4b)

#endif /* _UAPI_LINUX_VSS_H */
