/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_ORDER_H
#define VSS_ORDER_H

#include <linux/types.h>

/*
 * Which row is the next to make room.
 *
 * fifo: rows are linked in the order in which they were put, the oldest first;
 * one that replaces another goes to the end. The links are kept whatever a store
 * does, so that what it does can be changed at any time.
 *
 * lru: the clock. A hand goes around all slots. A row whose bit in used is set
 * loses it and stays; the first one without is the next. Readers set the bits,
 * under the store's lock, and so does a put that replaces a row; a new row has
 * none. The hand moves by words of bits, and once around at most.
 *
 * A block that the hand leaves, or the oldest row, goes to the end of the list
 * from which shrink.c takes blocks: see there.
 *
 * All is done under the store's writers, but for the bits.
 */

struct vss_block;
struct vss_store;

void vss_order_init(struct vss_store *store);
void vss_order_append(struct vss_store *store, u32 slot);
void vss_order_remove(struct vss_store *store, u32 slot);
void vss_order_renew(struct vss_store *store, u32 slot);
u32 vss_order_next(struct vss_store *store);
void vss_order_reuse(struct vss_store *store, u32 slot);
struct vss_block *vss_order_block(struct vss_store *store);
void vss_order_mark(struct vss_store *store, u32 slot);
bool vss_order_spares(struct vss_store *store, struct vss_block *block);

#endif /* VSS_ORDER_H */
