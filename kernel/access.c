// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what with a collection: as with a file's owner, group and mode.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/user_namespace.h>

#include "access.h"
#include "collection.h"

/*
 * Owners are ids of the machine's own namespace, so it is that namespace's
 * capability that stands above them. Not being listed is no refusal, and so
 * nothing for the audit log.
 */
static bool vss_access_overrides(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_DAC_OVERRIDE);
}

/* The three mode bits that are the caller's: owner's, group's or others'. */
static u32 vss_access_bits(const struct vss_collection *collection)
{
	u32 mode = READ_ONCE(collection->mode);

	if (uid_eq(current_fsuid(), collection->uid))
		return mode >> 6;
	if (in_group_p(collection->gid))
		return mode >> 3;
	return mode;
}

/**
 * vss_access_allowed() - whether the caller may use a collection
 * @collection: which
 * @access: FMODE_READ, FMODE_WRITE or both
 *
 * Return: whether.
 */
bool vss_access_allowed(const struct vss_collection *collection, fmode_t access)
{
	u32 bits = vss_access_bits(collection);
	bool read = !(access & FMODE_READ) || bits & 0004;
	bool write = !(access & FMODE_WRITE) || bits & 0002;

	return (read && write) || vss_access_overrides();
}

/**
 * vss_access_is_owner() - whether the caller may drop a collection or change
 * its mode
 * @collection: which
 *
 * Return: whether.
 */
bool vss_access_is_owner(const struct vss_collection *collection)
{
	return uid_eq(current_fsuid(), collection->uid) ||
	       vss_access_overrides();
}
