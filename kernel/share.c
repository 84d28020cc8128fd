// SPDX-License-Identifier: GPL-2.0-only
/*
 * A great pass is shared out to several processors: each takes one block's slots
 * after the other, with heaps of its own, and tells the others how near a row
 * must be by now. In the end the caller gathers what they found.
 *
 * The helpers are work items on an unbound workqueue. The caller works, too,
 * and waits for none that has not begun; one that has begun is at its last
 * block by then. No helper is left when the pass returns.
 */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "search.h"
#include "share.h"
#include "store.h"

static unsigned int search_cpus;
module_param(search_cpus, uint, 0644);
MODULE_PARM_DESC(search_cpus, "Processors that one search may use; 0 (default) for as many as its caller may use");

/* What a further processor is worth being woken for, in bytes to be read. */
#define VSS_SHARE_BYTES (2 << 20)

/* Helpers are welcome, but not worth waiting for memory. */
#define VSS_SHARE_GFP (GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* Helpers of one pass, at most. */
#define VSS_SHARE_MOST 63

static struct workqueue_struct *vss_workers;

/**
 * vss_share_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int vss_share_init(void)
{
	vss_workers = alloc_workqueue("vss", WQ_UNBOUND, 0);
	return vss_workers ? 0 : -ENOMEM;
}

/**
 * vss_share_exit() - undo vss_share_init()
 *
 * No search runs any more.
 */
void vss_share_exit(void)
{
	destroy_workqueue(vss_workers);
}

/**
 * vss_share_cpus() - processors that one search may use
 *
 * Return: the module parameter search_cpus.
 */
u32 vss_share_cpus(void)
{
	return READ_ONCE(search_cpus);
}

/*
 * How many helpers a pass gets: no more than the caller has processors to run
 * on, by its own choice or its control group's. Nobody accounts their time to
 * the caller; so one that gives way to others, being nice, gets none.
 */
static u32 vss_share_helpers(const struct vss_pass *pass)
{
	const struct vss_store *store = pass->seeker->store;
	u32 cpu, allowed = 0, cpus = vss_share_cpus() ?: U32_MAX;
	u64 bytes;

	if (task_nice(current) > 0)
		return 0;
	bytes = READ_ONCE(store->count) * store->layout.search_bytes *
		DIV_ROUND_UP(pass->count, VSS_TILE_QUERIES);
	cpus = min_t(u64, cpus, bytes / VSS_SHARE_BYTES);
	if (cpus < 2)
		return 0;
	for_each_cpu_and(cpu, current->cpus_ptr, cpu_online_mask)
		allowed++;
	cpus = min(cpus, allowed);
	return cpus ? min_t(u32, cpus - 1, VSS_SHARE_MOST) : 0;
}

/*
 * The next processor that the caller may run on. An unbound workqueue takes it for
 * a hint: of which node, and since Linux 6.6 of which group of processors that
 * share a cache, the worker should be. In a machine where each is a group of its
 * own, as many virtual ones are, all helpers would otherwise wait for the caller's
 * processor until the pass is over.
 */
static u32 vss_share_next(u32 cpu)
{
	cpu = cpumask_next_and(cpu, current->cpus_ptr, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first_and(current->cpus_ptr, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : raw_smp_processor_id();
}

static void vss_share_work(struct work_struct *work)
{
	struct vss_seeker *seeker = container_of(work, struct vss_seeker, work);

	vss_seeker_run(seeker, seeker->store->layout.rows_per_block);
}

/* Adds what a helper found to what the caller did. */
static void vss_share_gather(struct vss_seeker *seeker,
			     const struct vss_seeker *helper)
{
	u32 i, j;

	seeker->scanned += helper->scanned;
	seeker->computed += helper->computed;
	seeker->longest = max(seeker->longest, helper->longest);
	for (i = 0; i < seeker->pass->count; i++) {
		const struct vss_hits *hits = &helper->queries[i].hits;
		/* May fall still, but never below what is a hit in the end. */
		u32 limit = READ_ONCE(seeker->pass->limits[i]);

		for (j = 0; j < hits->count; j++) {
			if (hits->heap[j].distance <= limit)
				vss_hits_offer(&seeker->queries[i].hits,
					       &hits->heap[j]);
		}
		cond_resched();
	}
}

/**
 * vss_share_run() - work on a pass, with whatever help it is worth
 * @pass: ready to be run; its seeker holds all hits afterwards, unless it was
 *          stopped
 */
void vss_share_run(struct vss_pass *pass)
{
	struct vss_seeker *helpers[VSS_SHARE_MOST], *seeker = pass->seeker;
	u32 i, count = 0, wanted = vss_share_helpers(pass);
	u32 cpu = raw_smp_processor_id();

	if (!wanted) {
		vss_seeker_run(seeker, S64_MAX);
		return;
	}
	/* With fewer where memory is lacking. */
	while (count < wanted &&
	       (helpers[count] = vss_seeker_create(pass, seeker->store,
						   VSS_SHARE_GFP))) {
		INIT_WORK(&helpers[count]->work, vss_share_work);
		cpu = vss_share_next(cpu);
		queue_work_on(cpu, vss_workers, &helpers[count++]->work);
	}
	vss_seeker_run(seeker, seeker->store->layout.rows_per_block);
	for (i = 0; i < count; i++) {
		/* Not begun: not needed any more. Begun: it ends soon. */
		cancel_work_sync(&helpers[i]->work);
		vss_share_gather(seeker, helpers[i]);
		vss_seeker_free(helpers[i]);
	}
}
