/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the inner loops over codes and rows share: how they know a query, and how
 * they read.
 */
#ifndef VSS_AIM_H
#define VSS_AIM_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "distance.h"

/*
 * How far ahead of what is read from one end to the other the next lines are asked
 * for, in bytes: into the nearest cache far enough for what comes between two FPU
 * sections, too, and into the next one much earlier, as there can be more on their
 * way to it. Processors that look ahead by themselves do so within a page, and lose
 * sight of it whenever something else is done.
 */
#define VSS_AHEAD 4096
#define VSS_FAR_AHEAD 32768

/* Asks for what lies ahead of a place, which may be nothing. */
static inline void vss_expect(const void *place)
{
	__builtin_prefetch((const char *)place + VSS_AHEAD);
	__builtin_prefetch((const char *)place + VSS_FAR_AHEAD, 0, 2);
}

/**
 * struct vss_aim - what is needed of a probe for every stripe
 * @code: as there
 * @tables: as there
 * @masks: as there
 * @bias: as there
 * @step: -t
 * @square: as there
 * @error: as there
 * @reach: as there
 * @stretch: as there
 *
 * A copy that nothing points to: what is written to masks and sums does not
 * change it, so it need not be read again for each of them.
 */
struct vss_aim {
	const s8 *code;
	const u8 *tables;
	u16 *masks;
	s32 bias;
	float step;
	float square;
	float error;
	float reach;
	float stretch;
};

static __always_inline void vss_take_aim(struct vss_probe *const *probes,
					 const u32 nr_probes,
					 struct vss_aim *aims)
{
	u32 q;

	VSS_UNROLL
	for (q = 0; q < nr_probes; q++)
		aims[q] = (struct vss_aim) {
			.code = probes[q]->code,
			.tables = probes[q]->tables,
			.masks = probes[q]->masks,
			.bias = probes[q]->bias,
			.step = -probes[q]->step,
			.square = probes[q]->square,
			.error = probes[q]->error,
			.reach = probes[q]->reach,
			.stretch = probes[q]->stretch,
		};
}

#endif /* VSS_AIM_H */
