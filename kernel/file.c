// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file and the collection that it is bound to.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "access.h"
#include "budget.h"
#include "collection.h"
#include "file.h"
#include "name.h"
#include "registry.h"
#include "shrink.h"

/**
 * struct vss_file - what an open file remembers
 * @mode: what the file is open for; never changes
 * @lock: protects the binding; threads share files
 * @collection: the collection that the file is bound to, a reference, or NULL
 * @access: what the binding is for
 * @pressed: the rows that the collection had lost because memory was scarce when
 *           this file was last told
 */
struct vss_file {
	fmode_t mode;
	spinlock_t lock; /* of the binding */
	struct vss_collection *collection;
	fmode_t access;
	u64 pressed;
};

/**
 * vss_file_create() - begin to remember
 * @file: the open file
 *
 * Return: a file that is bound to nothing, for vss_file_free(), or NULL.
 */
struct vss_file *vss_file_create(struct file *file)
{
	struct vss_file *vss = kzalloc(sizeof(*vss), VSS_GFP);

	if (!vss)
		return NULL;
	vss->mode = file->f_mode & (FMODE_READ | FMODE_WRITE);
	spin_lock_init(&vss->lock);
	return vss;
}

/**
 * vss_file_free() - forget
 * @vss: one that no call uses any more
 */
void vss_file_free(struct vss_file *vss)
{
	vss_collection_put(vss->collection);
	kfree(vss);
}

/**
 * vss_file_allows() - whether a file is open for something
 * @vss: the file
 * @access: FMODE_READ, FMODE_WRITE or both
 *
 * Return: whether.
 */
bool vss_file_allows(const struct vss_file *vss, fmode_t access)
{
	return !(access & ~vss->mode);
}

/**
 * vss_file_bind() - bind a file to a collection
 * @vss: the file
 * @collection: its reference is the file's from here on
 * @access: what the binding is for
 */
void vss_file_bind(struct vss_file *vss, struct vss_collection *collection,
		   fmode_t access)
{
	u64 pressed = vss_store_pressed(&collection->store);
	struct vss_collection *old;

	spin_lock(&vss->lock);
	old = vss->collection;
	vss->collection = collection;
	vss->access = access;
	vss->pressed = pressed;
	spin_unlock(&vss->lock);
	vss_collection_put(old);
}

/**
 * vss_file_note() - remember what a file's owner was told
 * @vss: the file
 * @collection: of which collection
 * @pressed: rows that it had lost because memory was scarce
 */
void vss_file_note(struct vss_file *vss,
		   const struct vss_collection *collection, u64 pressed)
{
	spin_lock(&vss->lock);
	if (vss->collection == collection)
		vss->pressed = max(vss->pressed, pressed);
	spin_unlock(&vss->lock);
}

/**
 * vss_file_poll() - what a file is ready for
 * @file: the open file
 * @table: where it waits
 *
 * Everybody waits in one queue, which lives as long as the module does: so a
 * file may be bound to another collection meanwhile, and that be freed.
 *
 * Return: EPOLLPRI when the bound collection has lost rows because memory was
 * scarce, since the owner was last told, who must be allowed to read STAT, lest it
 * be told for ever; calls never have to wait for a file to be readable or writable.
 */
__poll_t vss_file_poll(struct file *file, struct poll_table_struct *table)
{
	struct vss_file *vss = file->private_data;
	__poll_t events = DEFAULT_POLLMASK;

	poll_wait(file, &vss_pressure_wait, table);
	spin_lock(&vss->lock);
	if (vss->collection && vss->access & FMODE_READ &&
	    vss_store_pressed(&vss->collection->store) > vss->pressed)
		events |= EPOLLPRI;
	spin_unlock(&vss->lock);
	return events;
}

/* The collection that is used by files that are bound to none. */
static struct vss_collection *vss_file_default(fmode_t access)
{
	struct vss_collection *collection = vss_registry_get(VSS_DEFAULT_NAME);

	if (!collection)
		return ERR_PTR(-ENOENT);
	if (vss_access_allowed(collection, access))
		return collection;
	vss_collection_put(collection);
	return ERR_PTR(-EACCES);
}

/**
 * vss_file_collection() - the collection that a command acts on
 * @vss: the file
 * @access: what the command wants, which the file is open for
 *
 * Return: the collection, for vss_collection_put(), or an error pointer:
 * -EBADF when the binding is not for that; where the file is not bound, -ENOENT
 * when there is no default collection, or -EACCES when its mode forbids it.
 */
struct vss_collection *vss_file_collection(struct vss_file *vss,
					   fmode_t access)
{
	struct vss_collection *collection;

	spin_lock(&vss->lock);
	collection = vss->collection;
	if (collection && access & ~vss->access)
		collection = ERR_PTR(-EBADF);
	else if (collection)
		refcount_inc(&collection->references);
	spin_unlock(&vss->lock);
	return collection ?: vss_file_default(access);
}
