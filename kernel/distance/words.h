/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Products of codes where the words of a stripe are whole, for a file that has
 * defined what they are made of:
 *
 * struct vss_crumbs	codes of VSS_WIDTH rows, unpacked by vss_unpack() from a word of
 *			each
 * struct vss_sum	sums of products of such codes, a row each
 * vss_multiply		adds those of struct vss_crumbs and a query's code; told
 *			whether that query is alone
 * vss_total		of a struct vss_sum, as a vss_int
 */
#ifndef VSS_WORDS_H
#define VSS_WORDS_H

#include "aim.h"
#include "distance.h"

#define VSS_PARTS 1

/*
 * Sums of the products of queries' codes with those of VSS_WIDTH rows, of which
 * there are @codes words in @plane.
 */
static __always_inline void vss_totals(const u32 *plane, u32 codes,
				       const struct vss_aim *aims,
				       const u32 nr_aims,
				       vss_int (*totals)[VSS_PARTS])
{
	struct vss_sum sums[VSS_CODES] = { };
	u32 q, w;

	for (w = 0; w < codes; w++, plane += VSS_STRIPE) {
		struct vss_crumbs crumbs = vss_unpack(plane);

		vss_expect(plane);
		VSS_UNROLL
		for (q = 0; q < nr_aims; q++)
			vss_multiply(&sums[q], &crumbs,
				     aims[q].code + w * VSS_LANES,
				     nr_aims == 1);
	}
	VSS_UNROLL
	for (q = 0; q < nr_aims; q++)
		totals[q][0] = vss_total(&sums[q]);
}

#endif /* VSS_WORDS_H */
