/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_BUDGET_H
#define VSS_BUDGET_H

#include <linux/gfp.h>
#include <linux/types.h>

/*
 * How memory is allocated on behalf of a caller: charged to the caller's
 * control group, and where it is lacking the caller's ENOMEM, not a reason to
 * kill somebody. Over its group's limits a caller may sleep for seconds in
 * such an allocation, so no lock that others wait for is held meanwhile.
 */
#define VSS_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

bool vss_budget_has(size_t bytes);
int vss_budget_charge(size_t bytes);
void vss_budget_release(size_t bytes);
u64 vss_budget_used(void);
u64 vss_budget_cap(void);

#endif /* VSS_BUDGET_H */
