/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_MAIN_H
#define VSS_MAIN_H

int vss_open_files(void);

#endif /* VSS_MAIN_H */
