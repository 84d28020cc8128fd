/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SHRINK_H
#define VSS_SHRINK_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * Memory that the kernel may take back.
 *
 * Each block has a handle, an object of the slab allocator that is charged to
 * the same control group as the block. The handles of the stores that evict are
 * in a list_lru, in which the kernel finds those of the group that is over its
 * limit, or all where the machine has too little. They are in the order in which
 * blocks are to go: a new one comes to the end, and so does one whose rows have
 * all been replaced, or that the hand of the clock has left.
 *
 * The kernel calls while somebody allocates, who may hold any lock. So nothing
 * is waited for: of both locks of a store it is tried whether they are free, and
 * if not, another store's turn has come. Nothing is allocated, and nobody is woken
 * under a lock.
 *
 * A handle leads to its block and store. It leaves the list before the block is
 * freed; and a store that is destroyed waits for its pins, which are taken under
 * the list's lock. The last thing that is done to a store is to unpin it.
 */

struct vss_block;
struct vss_handle;
struct vss_store;

int vss_shrink_init(void);
void vss_shrink_exit(void);
struct vss_handle *vss_handle_create(void);
void vss_handle_free(struct vss_handle *handle);
void vss_handle_bind(struct vss_handle *handle, struct vss_store *store,
		     struct vss_block *block);
void vss_handle_list(struct vss_handle *handle);
void vss_handle_unlist(struct vss_handle *handle);
void vss_handle_rotate(struct vss_handle *handle);
void vss_unpinned_wait(struct vss_store *store);
void vss_pressure_tell(void);

/* Woken when rows of any store went because their memory was wanted. */
extern wait_queue_head_t vss_pressure_wait;

#endif /* VSS_SHRINK_H */
