// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots by the ids of their rows: a hash table with open addressing, whose
 * cells hold a slot and 32 bits of its id's hash, so that hardly ever a row is
 * looked at that is not the one.
 *
 * A table that is too full, or much too empty, is replaced by another, to which
 * every change moves a few cells: none takes long. Memory is allocated by the
 * caller, who may have to wait for it, while nothing is locked.
 *
 * The kernel's own rhashtable would turn interrupts off around each change,
 * grow in the background, later than a store that is being filled needs it, and
 * allocate on nobody's account.
 */
#include <linux/compiler.h>
#include <linux/jhash.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "budget.h"
#include "index.h"

/* A cell whose slot was removed, or moved: a search goes on behind it. */
#define VSS_GONE ((u64)U32_MAX)

static u32 vss_tag(const struct vss_index *index, u64 id)
{
	return jhash_2words(id, id >> 32, index->seed);
}

static u64 vss_cell(u32 tag, u32 slot)
{
	return (u64)tag << 32 | (slot + 1);
}

static bool vss_cell_is_slot(u64 cell)
{
	return cell && cell != VSS_GONE;
}

/**
 * vss_cells_alloc() - allocate the cells of a table
 * @size: how many
 *
 * Return: the cells, for vss_index_replace() or vss_cells_free(), or NULL.
 */
u64 *vss_cells_alloc(u32 size)
{
	return kvcalloc(size, sizeof(u64), VSS_GFP);
}

/**
 * vss_cells_free() - free cells that are in no index
 * @cells: the cells, or NULL
 */
void vss_cells_free(u64 *cells)
{
	kvfree(cells);
}

static u64 vss_table_bytes(const struct vss_index *index,
			   const struct vss_table *table)
{
	return table->cells && table->cells != index->first ?
	       (u64)table->size * sizeof(u64) : 0;
}

/* Takes a table out of the index; returns its cells, for vss_cells_free(). */
static u64 *vss_table_retire(struct vss_index *index, struct vss_table *table)
{
	u64 *cells = table->cells == index->first ? NULL : table->cells;

	vss_budget_release(vss_table_bytes(index, table));
	*table = (struct vss_table) { };
	return cells;
}

/**
 * vss_index_init() - make an empty index
 * @index: zeroed
 */
void vss_index_init(struct vss_index *index)
{
	index->seed = get_random_u32();
	index->table.cells = index->first;
	index->table.size = VSS_FIRST_CELLS;
}

/**
 * vss_index_destroy() - free an index
 * @index: one that nobody uses any more
 */
void vss_index_destroy(struct vss_index *index)
{
	vss_cells_free(vss_table_retire(index, &index->table));
	vss_cells_free(vss_table_retire(index, &index->old));
}

/**
 * vss_index_bytes() - memory of an index
 * @index: the index
 *
 * Return: bytes, as they are charged to the budget.
 */
u64 vss_index_bytes(const struct vss_index *index)
{
	return vss_table_bytes(index, &index->table) +
	       vss_table_bytes(index, &index->old);
}

/**
 * vss_index_begin() - look for an id
 * @index: where
 * @id: the id
 * @path: begun, for vss_index_next()
 */
void vss_index_begin(struct vss_index *index, u64 id, struct vss_path *path)
{
	path->table = &index->table;
	path->tag = vss_tag(index, id);
	path->at = path->tag;
}

/**
 * vss_index_expect() - ask for what looking for an id reads first
 * @index: where
 * @id: the id
 */
void vss_index_expect(const struct vss_index *index, u64 id)
{
	u32 tag = vss_tag(index, id);

	prefetchw(&index->table.cells[tag & (index->table.size - 1)]);
	if (index->old.cells)
		prefetch(&index->old.cells[tag & (index->old.size - 1)]);
}

/**
 * vss_index_next() - the next slot that may be the one
 * @index: where
 * @path: begun by vss_index_begin(); moved on
 * @slot: out; whether its row has the id is for the caller to see
 *
 * Return: false when there is no further one.
 */
bool vss_index_next(struct vss_index *index, struct vss_path *path, u32 *slot)
{
	for (;;) {
		struct vss_table *table = path->table;
		u64 cell = table->cells[path->at++ & (table->size - 1)];

		if (vss_cell_is_slot(cell) && cell >> 32 == path->tag) {
			*slot = (u32)cell - 1;
			return true;
		}
		if (cell)
			continue;
		if (table == &index->old || !index->old.cells)
			return false;
		path->table = &index->old;
		path->at = path->tag;
	}
}

/*
 * Forgets what was once in cells that no search goes on behind: the one at @at,
 * if the next is empty, and those before it. So a table whose slots come and go
 * hardly ever fills with what they leave.
 */
static void vss_table_forget(struct vss_table *table, u32 at)
{
	u32 mask = table->size - 1;

	if (table->cells[(at + 1) & mask])
		return;
	for (; table->cells[at & mask] == VSS_GONE; at--) {
		table->cells[at & mask] = 0;
		table->used--;
	}
}

/**
 * vss_index_remove() - remove a slot
 * @index: where
 * @path: where vss_index_next() has just found it
 */
void vss_index_remove(struct vss_index *index, const struct vss_path *path)
{
	struct vss_table *table = path->table;

	table->cells[(path->at - 1) & (table->size - 1)] = VSS_GONE;
	if (table == &index->old)
		table->used--;
	else
		vss_table_forget(table, path->at - 1);
	WRITE_ONCE(index->count, index->count - 1);
}

static void vss_table_insert(struct vss_table *table, u64 cell)
{
	u32 at = cell >> 32;

	while (vss_cell_is_slot(table->cells[at & (table->size - 1)]))
		at++;
	if (!table->cells[at & (table->size - 1)])
		table->used++;
	table->cells[at & (table->size - 1)] = cell;
}

/**
 * vss_index_insert() - put a slot in
 * @index: where; not full
 * @id: the id of the slot's row, which is not there yet
 * @slot: the slot
 */
void vss_index_insert(struct vss_index *index, u64 id, u32 slot)
{
	vss_table_insert(&index->table, vss_cell(vss_tag(index, id), slot));
	WRITE_ONCE(index->count, index->count + 1);
}

/**
 * vss_index_is_full() - whether a greater table is wanted
 * @index: where
 * @more: slots that are to be put in
 *
 * Return: whether.
 */
bool vss_index_is_full(const struct vss_index *index, u32 more)
{
	return index->table.used + index->old.used + more >
	       index->table.size / 4 * 3;
}

/**
 * vss_index_is_crammed() - whether there is hardly a cell left
 * @index: where
 * @more: slots that are to be put in
 *
 * For who has no memory for a greater table: a search takes long, but ends.
 *
 * Return: whether.
 */
bool vss_index_is_crammed(const struct vss_index *index, u32 more)
{
	return index->table.used + index->old.used + more >
	       index->table.size / 8 * 7;
}

/**
 * vss_index_is_sparse() - whether a much smaller table would do
 * @index: which may be changed meanwhile
 *
 * Return: whether.
 */
bool vss_index_is_sparse(const struct vss_index *index)
{
	u32 size = READ_ONCE(index->table.size);

	if (!READ_ONCE(index->count))
		return size > VSS_FIRST_CELLS;
	return size / 8 >= vss_index_fit(index, 0);
}

/**
 * vss_index_fit() - the size of a table that fits
 * @index: whose slots are to be in it
 * @more: slots that are to be put in besides
 *
 * Return: cells.
 */
u32 vss_index_fit(const struct vss_index *index, u32 more)
{
	u32 slots = READ_ONCE(index->count) + more;

	return roundup_pow_of_two(max(2 * slots, (u32)VSS_FIRST_CELLS));
}

/**
 * vss_index_replace() - begin to move all slots to another table
 * @index: which has no old table
 * @cells: the other table's, empty; set to NULL where they are taken. NULL
 *         stands for those that the index began with
 * @size: how many
 *
 * Return: 0 or -EDQUOT.
 */
int vss_index_replace(struct vss_index *index, u64 **cells, u32 size)
{
	int ret = *cells ? vss_budget_charge((u64)size * sizeof(u64)) : 0;

	if (ret)
		return ret;
	if (!*cells) {
		memset(index->first, 0, sizeof(index->first));
		*cells = index->first;
	}
	index->old = index->table;
	index->old.used = index->count;
	index->table.cells = *cells;
	index->table.used = 0;
	WRITE_ONCE(index->table.size, size);
	index->moved = 0;
	*cells = NULL;
	return 0;
}

/**
 * vss_index_move() - move some slots on to the table that takes an old one's
 * place
 * @index: which may have an old table, or not
 * @cells: how many cells of it are looked at
 *
 * Return: NULL, or the cells of the old table when it has ended, for
 * vss_cells_free().
 */
u64 *vss_index_move(struct vss_index *index, u32 cells)
{
	struct vss_table *old = &index->old;
	u32 end;

	if (!old->cells)
		return NULL;
	end = min(old->size - index->moved, cells) + index->moved;
	for (; index->moved < end; index->moved++) {
		u64 cell = old->cells[index->moved];

		if (!vss_cell_is_slot(cell))
			continue;
		vss_table_insert(&index->table, cell);
		old->cells[index->moved] = VSS_GONE;
		old->used--;
	}
	return end == old->size ? vss_table_retire(index, old) : NULL;
}
