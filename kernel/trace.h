/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what was asked of which collection, what came of it and how long
 * it took, passed once a command, at its end; and which rows went unasked.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vss

#if !defined(VSS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VSS_TRACE_H

#include <linux/tracepoint.h>
#include <linux/vss.h>

#include "collection.h"

TRACE_EVENT(vss_open,
	TP_PROTO(const struct vss_collection *collection, u32 flags, u64 ns),
	TP_ARGS(collection, flags, ns),
	TP_STRUCT__entry(
		__string(collection, collection->name)
		__field(u64, serial)
		__field(u32, flags)
		__field(u32, dimension)
		__field(u64, ns)
	),
	TP_fast_assign(
		vss_assign_str(collection, collection->name);
		__entry->serial = collection->serial;
		__entry->flags = flags;
		__entry->dimension = collection->store.dimension;
		__entry->ns = ns;
	),
	TP_printk("collection=%s serial=%llu flags=0x%x dimension=%u ns=%llu",
		  __get_str(collection), __entry->serial, __entry->flags,
		  __entry->dimension, __entry->ns)
);

TRACE_EVENT(vss_put,
	TP_PROTO(const struct vss_collection *collection,
		 const struct vss_put *args, int ret, u64 ns),
	TP_ARGS(collection, args, ret, ns),
	TP_STRUCT__entry(
		__string(collection, collection->name)
		__field(u64, serial)
		__field(u32, count)
		__field(u32, inserted)
		__field(u32, updated)
		__field(int, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		vss_assign_str(collection, collection->name);
		__entry->serial = collection->serial;
		__entry->count = args->count;
		__entry->inserted = args->inserted;
		__entry->updated = args->updated;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("collection=%s serial=%llu count=%u inserted=%u updated=%u ret=%d ns=%llu",
		  __get_str(collection), __entry->serial, __entry->count,
		  __entry->inserted, __entry->updated, __entry->ret,
		  __entry->ns)
);

/* Not of a command: at the end of a step in which rows of a store went. */
TRACE_EVENT(vss_evict,
	TP_PROTO(const struct vss_store *store, u32 rows,
		 enum vss_reason reason),
	TP_ARGS(store, rows, reason),
	TP_STRUCT__entry(
		__string(collection, vss_collection_of(store)->name)
		__field(u64, serial)
		__field(u32, rows)
		__string(why, vss_reason_name(reason))
	),
	TP_fast_assign(
		vss_assign_str(collection, vss_collection_of(store)->name);
		__entry->serial = vss_collection_of(store)->serial;
		__entry->rows = rows;
		vss_assign_str(why, vss_reason_name(reason));
	),
	TP_printk("collection=%s serial=%llu rows=%u why=%s",
		  __get_str(collection), __entry->serial, __entry->rows,
		  __get_str(why))
);

TRACE_EVENT(vss_delete,
	TP_PROTO(const struct vss_collection *collection, u32 done, u32 deleted,
		 int ret, u64 ns),
	TP_ARGS(collection, done, deleted, ret, ns),
	TP_STRUCT__entry(
		__string(collection, collection->name)
		__field(u64, serial)
		__field(u32, done)
		__field(u32, deleted)
		__field(int, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		vss_assign_str(collection, collection->name);
		__entry->serial = collection->serial;
		__entry->done = done;
		__entry->deleted = deleted;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("collection=%s serial=%llu done=%u deleted=%u ret=%d ns=%llu",
		  __get_str(collection), __entry->serial, __entry->done,
		  __entry->deleted, __entry->ret, __entry->ns)
);

TRACE_EVENT(vss_search,
	TP_PROTO(const struct vss_collection *collection,
		 const struct vss_search *args, int ret, u64 ns),
	TP_ARGS(collection, args, ret, ns),
	TP_STRUCT__entry(
		__string(collection, collection->name)
		__field(u64, serial)
		__field(u32, count)
		__field(u32, k)
		__field(u64, scanned)
		__field(u64, computed)
		__field(int, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		vss_assign_str(collection, collection->name);
		__entry->serial = collection->serial;
		__entry->count = args->count;
		__entry->k = args->k;
		__entry->scanned = args->scanned;
		__entry->computed = args->computed;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("collection=%s serial=%llu count=%u k=%u scanned=%llu computed=%llu ret=%d ns=%llu",
		  __get_str(collection), __entry->serial, __entry->count,
		  __entry->k, __entry->scanned, __entry->computed,
		  __entry->ret, __entry->ns)
);

#endif /* VSS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
