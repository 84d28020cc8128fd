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
 * /dev/vss holds vectors for the whole machine. Every process that may open
 * the file shares them. A process speaks to it by ioctl() with the commands
 * below, each of which takes a pointer to one struct.
 *
 * All fields are little-endian and naturally aligned, no struct has padding,
 * and a 32-bit caller sees the same layouts. float is IEEE-754 binary32.
 *
 * A call returns 0, or -1 with one of these in errno; after an error the rows
 * are as they were before the call:
 *
 * ============  =============================================================
 * ``ENOTTY``    no such command, or one with another struct's size
 * ``EBADF``     the file is not open for writing (a command that changes rows)
 *               or not open for reading (any other)
 * ``EFAULT``    the pointer is not readable, or not writable where the command
 *               answers
 * ``EINVAL``    a field has a value that its comment below does not allow
 * ``EEXIST``    a row with this id is stored already
 * ``ENOSPC``    the collection holds as many rows as it may
 * ``EDQUOT``    the driver holds as many bytes as it may
 * ``ENOMEM``    the machine, or the caller's control group, has no memory left
 * ``EINTR``     the caller was killed while the call worked
 * ============  =============================================================
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
 *
 * Smaller is nearer in every metric.
 */
enum vss_metric {
	VSS_METRIC_L2SQ = 0,
};

/**
 * struct vss_vector_data - argument of VSS_ADD_VECTOR
 * @id: in: the new row's id, any value that no stored row has (``EEXIST``)
 * @dimension: in: number of components, 1 to 128; equal to that of the rows
 *             stored already (``EINVAL``)
 * @data: in: the components, all finite (``EINVAL``); those from @dimension on
 *        are not looked at
 *
 * Stores one row in the collection named ``default``, whose first row gives
 * it its dimension. Its metric is VSS_METRIC_L2SQ.
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
 * @query_vector: in: the components, all finite (``EINVAL``); those from
 *                @dimension on are not looked at
 * @result_ids: out: ids of the hits, nearest first; 0 beyond the last hit
 * @distances: out: distances of the hits; +infinity beyond the last hit
 *
 * Finds the @k nearest rows by exact search. Hits are sorted by distance, and
 * by id where distances are equal. An empty store answers with @k = 0.
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
 * @evictions: out: rows that made room for others
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

#endif /* _UAPI_LINUX_VSS_H */
