/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_IOCTL_H
#define VSS_IOCTL_H

struct file;

long vss_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* VSS_IOCTL_H */
