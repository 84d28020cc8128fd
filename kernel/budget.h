/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_BUDGET_H
#define VSS_BUDGET_H

#include <linux/types.h>

int vss_budget_charge(size_t bytes);
void vss_budget_release(size_t bytes);
u64 vss_budget_used(void);

#endif /* VSS_BUDGET_H */
