// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with one fault of each kind that the machines uml-debug and kcsan are
 * there to find. `insmod faults.ko fault=NAME` commits it; the module never stays.
 */
#include <linux/array_size.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *fault = "";
module_param(fault, charp, 0);

/* Values that the compiler must not know. */
static volatile unsigned int seven = 7;
static volatile unsigned int sixty = 60;

static void use_after_free(void)
{
	volatile char *bytes = kmalloc(24, GFP_KERNEL);

	kfree((void *)bytes);
	if (bytes)
		bytes[0] = 1;
}

static void free_twice(void)
{
	char *bytes = kmalloc(24, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(bytes);
	kfree(bytes);
	kfree(bytes);
}

static void out_of_bounds(void)
{
	volatile char *bytes = kmalloc(24, GFP_KERNEL);

	if (bytes)
		bytes[4 * seven] = 1;
	kfree((void *)bytes);
}

static void out_of_bounds_vmalloc(void)
{
	volatile char *bytes = vmalloc(PAGE_SIZE);

	if (bytes)
		bytes[PAGE_SIZE + seven] = 1;
	vfree((void *)bytes);
}

/*
 * Several, as a pointer to one may be left on some stack; and zeroed, as each
 * would else hold what the allocator left in it, a pointer to the next.
 */
static void leak(void)
{
	unsigned int i;
	char *bytes;

	for (i = 0; i < seven; i++) {
		bytes = kzalloc(24, GFP_KERNEL);
		if (bytes)
			WRITE_ONCE(bytes[i], 1);
	}
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* A lock is taken in reclaim, and memory allocated under it. */
static void reclaim_recursion(void)
{
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&first);
	mutex_unlock(&first);
	fs_reclaim_release(GFP_KERNEL);

	mutex_lock(&first);
	kfree(kmalloc(24, GFP_KERNEL));
	mutex_unlock(&first);
}

static DEFINE_SPINLOCK(spin);

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	mutex_lock(&first);
	mutex_unlock(&first);
	spin_unlock(&spin);
}

static void unprotected_rcu(void)
{
	static int __rcu *pointer;

	(void)rcu_dereference(pointer);
}

static void shift_overflow(void)
{
	/* cppcheck-suppress shiftTooManyBits ; it is what the kernel is to find */
	seven = 1u << sixty;
}

static void index_overflow(void)
{
	static volatile int numbers[4];

	numbers[seven] = 1;
}

static void list_corruption(void)
{
	LIST_HEAD(head);
	LIST_HEAD(entry);

	list_add(&entry, &head);
	head.prev = &head;
	list_del(&entry);
}

static void ignore(struct timer_list *timer)
{
}

static void free_active(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, ignore, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
}

/* A watch is set at random: the kernel ends the race with its report, long before this does. */
#define RACE_TIME (60 * HZ)

static unsigned long raced;

static int race(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static void racing_accesses(void)
{
	unsigned long end = jiffies + RACE_TIME;
	struct task_struct *other;

	/* On one processor the accesses would take turns. */
	set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));
	other = kthread_run_on_cpu(race, NULL, cpumask_last(cpu_online_mask), "race/%u");
	if (IS_ERR(other))
		return;
	while (time_before(jiffies, end)) {
		raced++;
		cond_resched();
	}
	kthread_stop(other);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
#define FAULT(_name) { #_name, _name }
	FAULT(use_after_free),
	FAULT(free_twice),
	FAULT(out_of_bounds),
	FAULT(out_of_bounds_vmalloc),
	FAULT(leak),
	FAULT(lock_inversion),
	FAULT(reclaim_recursion),
	FAULT(sleep_in_atomic),
	FAULT(unprotected_rcu),
	FAULT(shift_overflow),
	FAULT(index_overflow),
	FAULT(list_corruption),
	FAULT(free_active),
	FAULT(racing_accesses),
};

static int __init faults_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		faults[i].commit();
		return -ECANCELED;
	}
	return -EINVAL;
}

module_init(faults_init);
MODULE_DESCRIPTION("Faults for the kernel's checks to find");
MODULE_LICENSE("GPL");
