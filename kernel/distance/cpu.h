/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_CPU_H
#define VSS_CPU_H

#include <linux/types.h>

bool vss_cpu_has_neon(void);
bool vss_cpu_has_sse2(void);
bool vss_cpu_has_avx2(void);
bool vss_cpu_has_avx512(void);
bool vss_cpu_likes_avx512(void);

#endif /* VSS_CPU_H */
