// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payloads: allocated outside of all locks, and then only passed on.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "budget.h"
#include "payload.h"

/* What an allocation really takes. */
static u32 vss_payload_footprint(const struct vss_payload *payload)
{
	if (is_vmalloc_addr(payload))
		return PAGE_ALIGN(struct_size(payload, bytes, payload->size));
	return ksize(payload);
}

/**
 * vss_payload_create() - copy a payload from user memory
 * @bytes: where it lies
 * @size: its bytes, at most VSS_MAX_PAYLOAD
 *
 * Return: the payload with one reference, for vss_payload_put(), or an error
 * pointer of -EFAULT, -EDQUOT or -ENOMEM.
 */
struct vss_payload *vss_payload_create(const void __user *bytes, u32 size)
{
	struct vss_payload *payload;
	int ret;

	payload = kvmalloc(struct_size(payload, bytes, size), VSS_GFP);
	if (!payload)
		return ERR_PTR(-ENOMEM);
	refcount_set(&payload->references, 1);
	payload->size = size;
	payload->charge = vss_payload_footprint(payload);
	ret = -EFAULT;
	if (copy_from_user(payload->bytes, bytes, size))
		goto free;
	ret = vss_budget_charge(payload->charge);
	if (ret)
		goto free;
	return payload;

free:
	kvfree(payload);
	return ERR_PTR(ret);
}

/**
 * vss_payload_put() - drop a reference
 * @payload: freed when the reference was the last; or NULL
 */
void vss_payload_put(struct vss_payload *payload)
{
	if (!payload || !refcount_dec_and_test(&payload->references))
		return;
	vss_budget_release(payload->charge);
	kvfree(payload);
}
