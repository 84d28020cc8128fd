/* SPDX-License-Identifier: MIT */
/*
 * What cppcheck must know of the kernel's macros that look like no C: each
 * loop gives its cursor a value and has an end.
 */
void *next_of(const void *list);
unsigned long next_bit(const unsigned long *bits);

#define list_for_each_entry(at, head, member) \
	for ((at) = next_of(head); (at); (at) = next_of(at))
#define list_for_each_entry_rcu(at, head, member, ...) \
	list_for_each_entry(at, head, member)
#define list_for_each_entry_safe(at, next, head, member) \
	for ((at) = next_of(head), (next) = next_of(at); (at); \
	     (at) = (next), (next) = next_of(at))
#define xa_for_each(xa, index, at) \
	for ((index) = 0, (at) = next_of(xa); (at); \
	     (index)++, (at) = next_of(xa))
#define for_each_set_bit_from(bit, bits, size) \
	for (; (bit) < (size); (bit) = next_bit(bits))
#define for_each_set_bit(bit, bits, size) \
	for ((bit) = next_bit(bits); (bit) < (size); (bit) = next_bit(bits))
#define for_each_cpu_and(cpu, a, b) \
	for ((cpu) = 0; (cpu) < 64; (cpu)++)
