/* SPDX-License-Identifier: MIT */
/*
 * What kernel/distance/ has of the kernel, for a program: this stands in for
 * every header that it includes but its own and the user's.
 */
#ifndef BOUNDS_KERNEL_H
#define BOUNDS_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

#define __init
#define __ro_after_init
#define noinline __attribute__((noinline))
#define __maybe_unused __attribute__((unused))
#define likely(_x) __builtin_expect(!!(_x), 1)
#define unlikely(_x) __builtin_expect(!!(_x), 0)
#define BIT(_n) (1UL << (_n))
#define BITS_TO_LONGS(_n) (((_n) + 63) / 64)
#define ARRAY_SIZE(_a) (sizeof(_a) / sizeof((_a)[0]))
#define ALIGN(_x, _to) (((_x) + (_to) - 1) / (_to) * (_to))
#define IS_ALIGNED(_x, _to) ((_x) % (_to) == 0)
#define DIV_ROUND_UP(_n, _d) (((_n) + (_d) - 1) / (_d))
/* Each operand once: it may be a call. */
#define min(_a, _b) ({ \
	__auto_type _x = (_a); \
	__auto_type _y = (_b); \
	_x < _y ? _x : _y; })
#define max(_a, _b) ({ \
	__auto_type _x = (_a); \
	__auto_type _y = (_b); \
	_x > _y ? _x : _y; })
#define min_t(_t, _a, _b) min((_t)(_a), (_t)(_b))
#define max_t(_t, _a, _b) max((_t)(_a), (_t)(_b))
#define clamp(_x, _low, _high) min(max(_x, _low), _high)
#define clamp_t(_t, _x, _low, _high) clamp((_t)(_x), (_t)(_low), (_t)(_high))
#define READ_ONCE(_x) (_x)
#define WRITE_ONCE(_x, _value) ((_x) = (_value))

/* Of what differs between kernels, nothing is needed here. */
#define VSS_COMPAT_H

#define KBUILD_MODNAME "vss"
#define pr_err(...) fprintf(stderr, __VA_ARGS__)
#define module_param(_name, _type, _mode) char **const bounds_##_name = &_name
#define MODULE_PARM_DESC(_name, _text) extern int bounds_unused

static inline u64 ktime_get_ns(void)
{
	return 1;
}

static inline void kernel_fpu_begin(void)
{
}

static inline void kernel_fpu_end(void)
{
}

#ifdef __aarch64__
#define CONFIG_ARM64 1

#include <arm_neon.h>

#define write_sysreg(_value, _register) \
	__asm__ volatile("msr " #_register ", %0" : : "r"((u64)(_value)))
#define read_sysreg(_register) ({ \
	u64 _value; \
	__asm__ volatile("mrs %0, " #_register : "=r"(_value)); \
	_value; })
#endif

#endif /* BOUNDS_KERNEL_H */
