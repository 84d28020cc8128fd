/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VSS_PAYLOAD_H
#define VSS_PAYLOAD_H

#include <linux/compiler.h>
#include <linux/refcount.h>
#include <linux/types.h>

/**
 * struct vss_payload - bytes that a caller keeps with a row
 * @references: one for the row, one for each call that reads it
 * @size: bytes of @bytes
 * @charge: what the allocation takes from the budget, in bytes
 * @bytes: never change
 */
struct vss_payload {
	refcount_t references;
	u32 size;
	u32 charge;
	u8 bytes[];
};

struct vss_payload *vss_payload_create(const void __user *bytes, u32 size);
void vss_payload_put(struct vss_payload *payload);

/**
 * vss_payload_get() - take a reference
 * @payload: one that somebody else holds a reference to, or NULL
 *
 * Return: @payload.
 */
static inline struct vss_payload *vss_payload_get(struct vss_payload *payload)
{
	if (payload)
		refcount_inc(&payload->references);
	return payload;
}

/* What a payload, which may be NULL, takes of memory. */
static inline u32 vss_payload_charge(const struct vss_payload *payload)
{
	return payload ? payload->charge : 0;
}

#endif /* VSS_PAYLOAD_H */
