/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_MAIN_H
#define VSS_MAIN_H

/* The version of the driver, and of all that comes with it. */
#define VSS_RELEASE "0.2.0"

int vss_open_files(void);

#endif /* VSS_MAIN_H */
