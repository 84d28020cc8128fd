/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_INDEX_H
#define VSS_INDEX_H

#include <linux/types.h>

/* Cells of the table that every index begins with. */
#define VSS_FIRST_CELLS 32

/*
 * Cells of an old table that each insertion should move. A table is at most half
 * full with all that it takes over, and full at three quarters: until then, as
 * many insertions as a quarter of its cells have moved a whole one of its size.
 */
#define VSS_MOVE_CELLS 4

/**
 * struct vss_table - a hash table of slots
 * @cells: each 0 where nothing was put yet, or a slot and the tag of its row's
 *         id, or a mark that it once was
 * @size: how many, a power of two
 * @used: cells that are not 0; of an old table, those with a slot
 */
struct vss_table {
	u64 *cells;
	u32 size;
	u32 used;
};

/**
 * struct vss_index - slots by the ids of their rows
 * @seed: makes the tags of ids such that nobody can foresee them
 * @count: slots in it
 * @table: where slots are put
 * @old: a table that @table takes the place of, its cells NULL if there is none
 * @moved: cells of @old that have been moved to @table
 * @first: the cells to begin with
 *
 * Who changes it keeps all others away, and who reads it all that change it.
 */
struct vss_index {
	u32 seed;
	u32 count;
	struct vss_table table;
	struct vss_table old;
	u32 moved;
	u64 first[VSS_FIRST_CELLS];
};

/**
 * struct vss_path - the slots that may be an id's, one after the other
 * @table: where
 * @tag: the id's
 * @at: the next cell
 *
 * Begun by vss_index_begin().
 */
struct vss_path {
	struct vss_table *table;
	u32 tag;
	u32 at;
};

void vss_index_init(struct vss_index *index);
void vss_index_destroy(struct vss_index *index);
u64 vss_index_bytes(const struct vss_index *index);

void vss_index_expect(const struct vss_index *index, u64 id);
void vss_index_begin(struct vss_index *index, u64 id, struct vss_path *path);
bool vss_index_next(struct vss_index *index, struct vss_path *path, u32 *slot);
void vss_index_remove(struct vss_index *index, const struct vss_path *path);
void vss_index_insert(struct vss_index *index, u64 id, u32 slot);

bool vss_index_is_full(const struct vss_index *index, u32 more);
bool vss_index_is_crammed(const struct vss_index *index, u32 more);
bool vss_index_is_sparse(const struct vss_index *index);
u32 vss_index_fit(const struct vss_index *index, u32 more);
int vss_index_replace(struct vss_index *index, u64 **cells, u32 size);
u64 *vss_index_move(struct vss_index *index, u32 cells);

u64 *vss_cells_alloc(u32 size);
void vss_cells_free(u64 *cells);

#endif /* VSS_INDEX_H */
