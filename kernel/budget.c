// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that the whole driver may hold, whoever asks for it. What a
 * control group may hold is the kernel's own business: see VSS_GFP.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "budget.h"

static unsigned long max_bytes;
module_param(max_bytes, ulong, 0644);
MODULE_PARM_DESC(max_bytes, "Memory that all rows together may take, in bytes; it is taken a block at a time, 2 MiB and more; 0 (default) is half of the machine's memory");

/* Changed by compare-and-exchange, so that two callers cannot pass the cap. */
static atomic64_t used_bytes = ATOMIC64_INIT(0);

/**
 * vss_budget_cap() - memory that may be charged
 *
 * Return: bytes.
 */
u64 vss_budget_cap(void)
{
	u64 cap = READ_ONCE(max_bytes);

	return cap ?: (u64)totalram_pages() << (PAGE_SHIFT - 1);
}

/**
 * vss_budget_has() - whether a charge would be granted now
 * @bytes: how much
 *
 * Return: whether; another caller may change it at any time.
 */
bool vss_budget_has(size_t bytes)
{
	return atomic64_read(&used_bytes) + bytes <= vss_budget_cap();
}

/**
 * vss_budget_charge() - ask for memory that is about to be kept
 * @bytes: how much
 *
 * Never sleeps.
 *
 * Return: 0, or -EDQUOT when it would pass the cap.
 */
int vss_budget_charge(size_t bytes)
{
	s64 used = atomic64_read(&used_bytes);

	do {
		if (used + bytes > vss_budget_cap())
			return -EDQUOT;
	} while (!atomic64_try_cmpxchg(&used_bytes, &used, used + bytes));
	return 0;
}

/**
 * vss_budget_release() - give back what vss_budget_charge() granted
 * @bytes: how much
 */
void vss_budget_release(size_t bytes)
{
	atomic64_sub(bytes, &used_bytes);
}

/**
 * vss_budget_used() - memory charged now
 *
 * Return: bytes.
 */
u64 vss_budget_used(void)
{
	return atomic64_read(&used_bytes);
}
