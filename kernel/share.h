/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_SHARE_H
#define VSS_SHARE_H

#include <linux/types.h>

struct vss_pass;

int vss_share_init(void);
void vss_share_exit(void);
u32 vss_share_cpus(void);
void vss_share_run(struct vss_pass *pass);

#endif /* VSS_SHARE_H */
