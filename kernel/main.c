// SPDX-License-Identifier: GPL-2.0-only
/*
 * vss: a store of vectors for the whole machine, with search for the nearest
 * ones. This file is the module and its device; docs/architecture.md leads
 * through the others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "distance/distance.h"
#include "expiry.h"
#include "file.h"
#include "ioctl.h"
#include "main.h"
#include "registry.h"
#include "share.h"
#include "shrink.h"
#include "sysfs.h"

static atomic_t open_files = ATOMIC_INIT(0);

/**
 * vss_open_files() - how many files are open
 *
 * Return: the number; while it is not 0, the module cannot be unloaded.
 */
int vss_open_files(void)
{
	return atomic_read(&open_files);
}

static int vss_open(struct inode *inode, struct file *file)
{
	file->private_data = vss_file_create(file);
	if (!file->private_data)
		return -ENOMEM;
	atomic_inc(&open_files);
	return nonseekable_open(inode, file);
}

static int vss_release(struct inode *inode, struct file *file)
{
	vss_file_free(file->private_data);
	atomic_dec(&open_files);
	return 0;
}

static const struct file_operations vss_fops = {
	.owner = THIS_MODULE,
	.open = vss_open,
	.release = vss_release,
	.unlocked_ioctl = vss_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = vss_file_poll,
};

static struct miscdevice vss_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vss",
	.mode = 0660,
	.fops = &vss_fops,
	.groups = vss_groups,
};

static int __init vss_init(void)
{
	int ret;

	ret = vss_distance_init();
	if (ret)
		return ret;
	ret = vss_share_init();
	if (ret)
		return ret;
	ret = vss_expiry_start();
	if (ret)
		goto exit_share;
	ret = vss_shrink_init();
	if (ret)
		goto exit_expiry;
	/* Last: from here on the device may be opened. */
	ret = misc_register(&vss_misc);
	if (ret)
		goto exit_shrink;
	pr_info("ready, distances by %s\n", vss_distance_level());
	return 0;

exit_shrink:
	vss_shrink_exit();
exit_expiry:
	vss_expiry_end();
exit_share:
	vss_share_exit();
	return ret;
}

static void __exit vss_exit(void)
{
	/* No file is open: each holds a reference on the module. */
	misc_deregister(&vss_misc);
	vss_registry_exit();
	vss_shrink_exit();
	vss_expiry_end();
	vss_share_exit();
}

module_init(vss_init);
module_exit(vss_exit);

MODULE_AUTHOR("The vss authors");
MODULE_DESCRIPTION("Vector store for the whole machine, with nearest-neighbour search");
MODULE_LICENSE("GPL");
MODULE_VERSION(VSS_RELEASE);
