// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact top-k: a pass over all rows, section by section, for some queries
 * together, each with a heap of the k nearest rows so far.
 *
 * Where rows have codes, those of a section are looked at first, and only the
 * rows that they do not rule out are computed: see distance/distance.h. Between
 * two sections the search holds no lock, may be rescheduled and may be killed.
 * Rows never move, so a row that lives throughout the search is seen exactly
 * once. One that is deleted and put again meanwhile may be seen twice: then all is
 * searched anew, for a few times, and in the end but one of both is returned.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/prefetch.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "budget.h"
#include "distance/distance.h"
#include "float.h"
#include "hits.h"
#include "search.h"
#include "share.h"
#include "store.h"

/* What the queries of one pass may take, unless it is a single one. */
#define VSS_SEARCH_BYTES BIT(21)

/* Rows that are looked at in one go where all of them are computed, in bytes. */
#define VSS_PLAIN_BYTES (512 << 10)

/* After so many rows the codes are judged by what they are good for. */
#define VSS_JUDGE_ROWS 4096

/* For how many rows, at most, codes that are not are left alone. */
#define VSS_BLIND_ROWS 65536

/* So many rows that follow each other are worth an FPU section of their own. */
#define VSS_RUN_ROWS 64

/* Bytes of a row that is to be computed that are asked for early. */
#define VSS_PREFETCH_BYTES 512

/* How often all is searched while rows are seen twice, at most. */
#define VSS_SEARCH_TRIES 3

/* What a share takes for each of its queries. */
static size_t vss_query_bytes(u32 dimension, u32 k)
{
	return sizeof(struct vss_query) + k * sizeof(struct vss_hit) +
	       vss_distance_code_bytes(vss_store_lanes(dimension));
}

static size_t vss_seeker_bytes(u32 dimension, u32 k, u32 queries)
{
	size_t tile = min_t(u32, queries, VSS_TILE_QUERIES);

	return sizeof(struct vss_seeker) +
	       vss_query_bytes(dimension, k) * queries + VSS_ALIGN +
	       tile * VSS_TILE_ROWS * sizeof(u32);
}

/**
 * vss_seeker_create() - prepare one processor's share of a pass
 * @pass: the pass
 * @store: where
 * @gfp: how hard to try
 *
 * Return: the share, for vss_seeker_free(), or NULL when memory is lacking.
 */
struct vss_seeker *vss_seeker_create(struct vss_pass *pass,
				     struct vss_store *store, gfp_t gfp)
{
	size_t code_bytes =
		vss_distance_code_bytes(vss_store_lanes(pass->dimension));
	struct vss_seeker *seeker;
	struct vss_hit *hits;
	s8 *codes;
	u32 i;

	seeker = kvmalloc(vss_seeker_bytes(pass->dimension, pass->k,
					   pass->room), gfp);
	if (!seeker)
		return NULL;
	memset(seeker, 0, struct_size(seeker, queries, pass->room));
	seeker->pass = pass;
	seeker->store = store;
	hits = (struct vss_hit *)&seeker->queries[pass->room];
	codes = PTR_ALIGN((s8 *)&hits[(size_t)pass->room * pass->k], VSS_ALIGN);
	seeker->measured.distances = (u32 *)(codes + pass->room * code_bytes);
	for (i = 0; i < pass->room; i++) {
		struct vss_query *query = &seeker->queries[i];

		query->vector = vss_pass_vector(pass, i);
		query->hits.heap = hits + (size_t)i * pass->k;
		query->hits.room = pass->k;
		query->probe.code = codes + i * code_bytes;
		query->probe.masks = (u16 *)query->masks;
	}
	return seeker;
}

/**
 * vss_seeker_free() - end a share
 * @seeker: the share, or NULL
 */
void vss_seeker_free(struct vss_seeker *seeker)
{
	kvfree(seeker);
}

static void vss_seeker_reset(struct vss_seeker *seeker)
{
	u32 i;

	seeker->scanned = 0;
	seeker->computed = 0;
	for (i = 0; i < seeker->pass->count; i++) {
		struct vss_query *query = &seeker->queries[i];

		query->hits.count = 0;
		query->probe.ready = false;
		query->looked = 0;
		query->kept = 0;
		query->blind = 0;
		query->patience = VSS_JUDGE_ROWS;
	}
}

/**
 * vss_pass_create() - prepare queries
 * @metric: one of enum vss_metric
 * @dimension: components of a query, bounded by the caller
 * @k: hits wanted, at least 1, bounded by the caller
 * @queries: how many there will be; there may be room for less
 *
 * Return: the pass, which wants all rows at any distance, for
 * vss_pass_free(), or NULL when memory is lacking.
 */
struct vss_pass *vss_pass_create(u32 metric, u32 dimension, u32 k,
				 u32 queries)
{
	size_t lanes = vss_store_lanes(dimension);
	size_t each = lanes * sizeof(u32) + vss_query_bytes(dimension, k);
	struct vss_pass *pass;
	u32 room;

	room = min_t(u32, VSS_SEARCH_QUERIES, VSS_SEARCH_BYTES / each);
	room = clamp(room, 1U, queries);
	pass = kvzalloc(sizeof(*pass) + room * sizeof(u32) + VSS_ALIGN +
			room * lanes * sizeof(u32), VSS_GFP);
	if (!pass)
		return NULL;
	pass->metric = metric;
	pass->dimension = dimension;
	pass->k = k;
	pass->limit = U32_MAX;
	pass->max_id = U64_MAX;
	pass->room = room;
	pass->limits = (u32 *)(pass + 1);
	pass->vectors = PTR_ALIGN(pass->limits + room, VSS_ALIGN);
	pass->seeker = vss_seeker_create(pass, NULL, VSS_GFP);
	if (!pass->seeker) {
		kvfree(pass);
		return NULL;
	}
	return pass;
}

/**
 * vss_pass_free() - end queries
 * @pass: the queries
 */
void vss_pass_free(struct vss_pass *pass)
{
	vss_seeker_free(pass->seeker);
	kvfree(pass);
}

/**
 * vss_pass_limit() - want no hit that is farther
 * @pass: the queries
 * @distance: the greatest distance of a hit; a number
 */
void vss_pass_limit(struct vss_pass *pass, u32 distance)
{
	/* -0 is 0. */
	pass->limit = vss_order(distance == VSS_F32_SIGN ? 0 : distance);
}

/**
 * struct vss_tile - queries that are worked on together
 * @count: how many
 * @queries: the queries
 * @vectors: their components
 */
struct vss_tile {
	u32 count;
	struct vss_query *queries[VSS_TILE_QUERIES];
	const u32 *vectors[VSS_TILE_QUERIES];
};

static void vss_tile_add(struct vss_tile *tile, struct vss_query *query)
{
	tile->vectors[tile->count] = query->vector;
	tile->queries[tile->count++] = query;
}

/* The distance beyond which no row is a hit. */
static u32 vss_query_limit(const struct vss_seeker *seeker,
			   const struct vss_query *query)
{
	u32 limit = READ_ONCE(seeker->pass->limits[query - seeker->queries]);

	return min(limit, vss_hits_limit(&query->hits));
}

/* The same, as the bits of a float. */
static u32 vss_query_limit_bits(const struct vss_seeker *seeker,
				const struct vss_query *query)
{
	return vss_disorder(min(vss_query_limit(seeker, query),
				vss_order(VSS_F32_INFINITY)));
}

/* Tells the other processors how near a row must be by now. */
static void vss_query_tell(struct vss_seeker *seeker,
			   const struct vss_query *query)
{
	u32 *limit = &seeker->pass->limits[query - seeker->queries];
	u32 mine = vss_hits_limit(&query->hits), known = READ_ONCE(*limit);

	while (mine < known && !try_cmpxchg(limit, &known, mine))
		;
}

/* Offers those of the rows that were computed last that are near enough. */
static void vss_seeker_offer(struct vss_seeker *seeker, struct vss_query *query,
			     const struct vss_section *section, u32 first,
			     const unsigned long *near, const u32 *distances)
{
	u32 i, row, limit = vss_query_limit(seeker, query);

	for_each_set_bit(i, near, seeker->rows.count) {
		struct vss_hit hit = { .distance = vss_order(distances[i]) };

		if (hit.distance > limit)
			continue;
		row = first + vss_rows_index(&seeker->rows, i);
		hit.id = section->ids[row];
		hit.slot = section->slot + row;
		if (hit.id > seeker->pass->max_id)
			continue;
		vss_hits_offer(&query->hits, &hit);
		limit = min(limit, vss_hits_limit(&query->hits));
	}
}

/*
 * Computes rows of a section for all queries of a tile: @count from @first on, or
 * those of @index.
 */
static void vss_seeker_measure(struct vss_seeker *seeker,
			       const struct vss_tile *tile,
			       const struct vss_section *section,
			       u32 first, u32 count, const u16 *index)
{
	struct vss_measured *measured = &seeker->measured;
	u32 i, lanes = seeker->store->layout.lanes;
	u64 time;

	seeker->rows = (struct vss_rows) {
		.rows = section->rows + (size_t)first * lanes,
		.norms = section->norms ? section->norms + first : NULL,
		.lanes = lanes,
		.count = count,
		.index = index,
	};
	measured->timed = !seeker->longest;
	for (i = 0; i < tile->count; i++)
		measured->limits[i] = vss_query_limit_bits(seeker,
							   tile->queries[i]);
	time = vss_distance_rows(seeker->pass->metric, tile->vectors,
				 tile->count, &seeker->rows, measured);
	seeker->longest = max(seeker->longest, time);
	seeker->computed += (u64)count * tile->count;
	for (i = 0; i < tile->count; i++)
		vss_seeker_offer(seeker, tile->queries[i], section, first,
				 measured->near[i],
				 measured->distances + i * VSS_TILE_ROWS);
}

/* Asks for a row that is to be computed soon, far from the one before. */
static void vss_seeker_expect(const struct vss_seeker *seeker,
			      const struct vss_section *section, u32 i)
{
	size_t lanes = seeker->store->layout.lanes;

	prefetch_range((void *)(section->rows + i * lanes),
		       min_t(size_t, lanes * sizeof(u32), VSS_PREFETCH_BYTES));
}

/* Takes rows that follow each other as they are, if they are many. Returns how many. */
static u32 vss_seeker_run_of(struct vss_seeker *seeker,
			     const struct vss_tile *tile,
			     const struct vss_section *section, u32 first,
			     u32 count, u32 piece)
{
	count = min(count, piece);
	if (count < min_t(u32, piece, VSS_RUN_ROWS))
		return 0;
	vss_seeker_measure(seeker, tile, section, first, count, NULL);
	return count;
}

/*
 * Computes some rows of a section, for all queries of a tile. Where many of them
 * follow each other they are taken as they are, else they are gathered.
 */
static void vss_seeker_compute(struct vss_seeker *seeker,
			       const struct vss_tile *tile,
			       const struct vss_section *section,
			       const unsigned long *wanted, bool scattered)
{
	u32 i = 0, end, gathered = 0, piece, run;
	u16 *index = seeker->index;

	piece = vss_distance_piece(seeker->store->layout.lanes, tile->count);
	while ((i = find_next_bit(wanted, section->count, i)) < section->count) {
		end = find_next_zero_bit(wanted, section->count, i);
		while (i < end) {
			run = vss_seeker_run_of(seeker, tile, section, i,
						end - i, piece);
			if (run) {
				i += run;
				continue;
			}
			if (scattered)
				vss_seeker_expect(seeker, section, i);
			index[gathered++] = i++;
			if (gathered == piece) {
				vss_seeker_measure(seeker, tile, section, 0,
						   gathered, index);
				gathered = 0;
			}
		}
	}
	if (gathered)
		vss_seeker_measure(seeker, tile, section, 0, gathered, index);
	for (i = 0; i < tile->count; i++)
		vss_query_tell(seeker, tile->queries[i]);
}

/*
 * Whether the codes of a section are worth a look: not before there is a
 * distance to compare with, nor after they have failed for most rows.
 */
static bool vss_query_sifts(struct vss_seeker *seeker, struct vss_query *query,
			    const struct vss_section *section)
{
	query->probe.limit = vss_query_limit_bits(seeker, query);
	if (!section->planes[0] || query->probe.limit == VSS_F32_INFINITY)
		return false;
	if (query->blind) {
		query->blind -= min(query->blind, section->matching);
		return false;
	}
	return true;
}

/* Sees what the codes were good for, and lets them rest if that is little. */
static void vss_query_judge(struct vss_query *query,
			    const struct vss_section *section)
{
	query->looked += section->matching;
	query->kept += bitmap_weight(query->masks, section->count);
	if (query->looked < VSS_JUDGE_ROWS)
		return;
	if (query->kept > query->looked / 2) {
		query->blind = query->patience;
		query->patience = min(query->patience * 2,
				      (u32)VSS_BLIND_ROWS);
	} else {
		query->patience = VSS_JUDGE_ROWS;
	}
	query->looked = 0;
	query->kept = 0;
}

static void vss_seeker_sift(struct vss_seeker *seeker,
			    const struct vss_tile *tile,
			    const struct vss_section *section)
{
	struct vss_stripes stripes = {
		.norms = section->norms,
		.words = seeker->store->layout.words,
		.count = DIV_ROUND_UP(section->count, VSS_STRIPE),
		.sums = seeker->measured.distances,
	};
	struct vss_probe *probes[VSS_TILE_QUERIES];
	u64 time;
	u32 i;

	memcpy(stripes.planes, section->planes, sizeof(stripes.planes));
	for (i = 0; i < tile->count; i++) {
		probes[i] = &tile->queries[i]->probe;
		bitmap_copy(tile->queries[i]->masks, section->matches,
			    VSS_SECTION_ROWS);
	}
	time = vss_distance_sift(seeker->pass->metric, probes, tile->vectors,
				 tile->count, &stripes,
				 seeker->store->layout.lanes);
	seeker->longest = max(seeker->longest, time);
	for (i = 0; i < tile->count; i++)
		vss_query_judge(tile->queries[i], section);
}

/* Works on a section for a few queries, the first of which is given. */
static void vss_seeker_tile(struct vss_seeker *seeker, struct vss_query *query,
			    u32 count, const struct vss_section *section)
{
	struct vss_tile sifted = { }, plain = { }, single;
	u32 i;

	for (i = 0; i < count; i++) {
		if (vss_query_sifts(seeker, &query[i], section))
			vss_tile_add(&sifted, &query[i]);
		else
			vss_tile_add(&plain, &query[i]);
	}
	if (plain.count)
		vss_seeker_compute(seeker, &plain, section, section->matches,
				   false);
	if (!sifted.count)
		return;
	vss_seeker_sift(seeker, &sifted, section);
	for (i = 0; i < sifted.count; i++) {
		single.count = 0;
		vss_tile_add(&single, sifted.queries[i]);
		vss_seeker_compute(seeker, &single, section,
				   sifted.queries[i]->masks, true);
	}
}

/* Whether a query computes all rows, for want of a limit or of good codes. */
static bool vss_query_is_plain(const struct vss_seeker *seeker,
			       const struct vss_query *query)
{
	return query->blind ||
	       vss_query_limit_bits(seeker, query) == VSS_F32_INFINITY;
}

/*
 * Slots that are looked at in one go: fewer for more queries, and where all rows
 * are computed, as writers wait for that long.
 */
static u32 vss_seeker_room(const struct vss_seeker *seeker)
{
	const struct vss_layout *layout = &seeker->store->layout;
	u32 plain = VSS_PLAIN_BYTES / (layout->lanes * sizeof(u32));
	u32 i, rows = layout->section_rows, count = seeker->pass->count;

	for (i = 0; i < count; i++) {
		if (!vss_query_is_plain(seeker, &seeker->queries[i]))
			continue;
		rows = min3(rows, plain, (u32)VSS_TILE_ROWS);
		break;
	}
	rows = ALIGN_DOWN(rows / DIV_ROUND_UP(count, 2 * VSS_TILE_QUERIES),
			  VSS_STRIPE);
	return max_t(u32, rows, VSS_STRIPE);
}

/* Works on the next section; moves @slot behind it. False at the end of all. */
static bool vss_seeker_section(struct vss_seeker *seeker, u64 *slot, u64 end)
{
	struct vss_store *store = seeker->store;
	struct vss_pass *pass = seeker->pass;
	struct vss_section section;
	bool more;
	u32 i;

	if (vss_store_lock_reading(store)) {
		WRITE_ONCE(pass->stop, true);
		return false;
	}
	more = vss_store_section(store, *slot, vss_seeker_room(seeker),
				 &pass->filter, &section);
	*slot = more ? (u64)section.slot + section.count : U64_MAX;
	/* What begins in another piece is another's to work on. */
	if (more && section.slot < end && section.matching) {
		for (i = 0; i < pass->count; i += VSS_TILE_QUERIES)
			vss_seeker_tile(seeker, &seeker->queries[i],
					min_t(u32, pass->count - i,
					      VSS_TILE_QUERIES), &section);
	}
	up_read(&store->lock);
	if (more && section.over)
		vss_expiry_meet(store);
	if (more && section.slot < end)
		seeker->scanned += (u64)section.live * pass->count;
	return more;
}

/**
 * vss_seeker_run() - work on a share of a pass, to the end of it
 * @seeker: the share
 * @piece: slots to be taken at a time
 */
void vss_seeker_run(struct vss_seeker *seeker, u64 piece)
{
	struct vss_pass *pass = seeker->pass;
	bool more = true;
	u64 slot, end;

	vss_seeker_reset(seeker);
	while (more) {
		slot = atomic64_fetch_add(piece, &pass->next);
		end = slot + piece;
		while (more && slot < end) {
			if (fatal_signal_pending(current))
				WRITE_ONCE(pass->stop, true);
			if (READ_ONCE(pass->stop))
				return;
			more = vss_seeker_section(seeker, &slot, end);
			cond_resched();
		}
	}
}

/* Sees all rows; returns 0, or -EINTR when the caller was killed. */
static int vss_pass_try(struct vss_pass *pass)
{
	struct vss_seeker *seeker = pass->seeker;
	u32 i;

	for (i = 0; i < pass->count; i++)
		pass->limits[i] = pass->limit;
	atomic64_set(&pass->next, 0);
	pass->stop = false;
	vss_share_run(pass);
	if (pass->stop)
		return -EINTR;
	pass->scanned += seeker->scanned;
	pass->computed += seeker->computed;
	pass->longest = max(pass->longest, seeker->longest);
	return 0;
}

/*
 * Leaves of a row that was seen twice what is there now. Returns whether there
 * may be room now for another row, which it took the place of.
 */
static bool vss_pass_unify(struct vss_pass *pass)
{
	bool lacking = false;
	u32 i;

	for (i = 0; i < pass->count; i++) {
		struct vss_hits *hits = &pass->seeker->queries[i].hits;
		u32 count = hits->count;

		vss_hits_sort_ids(hits);
		hits->count = vss_store_unique(pass->seeker->store, hits->heap,
					       count);
		lacking |= count == hits->room && hits->count < count;
		cond_resched();
	}
	return lacking;
}

/**
 * vss_pass_run() - find the nearest rows
 * @pass: made for the store's dimension, its vectors and count set
 * @store: where; not locked by the caller
 *
 * Return: 0 with the sorted hits, for vss_pass_hits(), or -EINTR when the
 * caller was killed.
 */
int vss_pass_run(struct vss_pass *pass, struct vss_store *store)
{
	u32 i, tries = 0;
	u64 inserts;
	int ret;

	pass->seeker->store = store;
	do {
		inserts = vss_store_inserts(store);
		ret = vss_pass_try(pass);
		if (ret)
			return ret;
		/* No row came, and so none came again. */
	} while (inserts != vss_store_inserts(store) && vss_pass_unify(pass) &&
		 ++tries < VSS_SEARCH_TRIES);
	if (fatal_signal_pending(current))
		return -EINTR;
	for (i = 0; i < pass->count; i++) {
		vss_hits_sort(&pass->seeker->queries[i].hits);
		cond_resched();
	}
	return 0;
}
