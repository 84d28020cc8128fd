// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of collections: UTF-8 that a person can see and a path can hold.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/vss.h>

#include "name.h"

/*
 * The forms of a UTF-8 sequence, by its length: what marks its first byte, and
 * the least character that needs it.
 */
static const struct {
	u8 mask;
	u8 mark;
	u32 least;
} vss_utf8_forms[] = {
	{ 0x80, 0x00, 0x0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

/* Decodes a character and returns its bytes, or 0 where there is none. */
static unsigned int vss_utf8_decode(const u8 *text, u32 *character)
{
	unsigned int i, length;

	for (length = 1; length <= ARRAY_SIZE(vss_utf8_forms); length++) {
		if ((text[0] & vss_utf8_forms[length - 1].mask) ==
		    vss_utf8_forms[length - 1].mark)
			break;
	}
	if (length > ARRAY_SIZE(vss_utf8_forms))
		return 0;
	*character = text[0] & ~vss_utf8_forms[length - 1].mask;
	/* The NUL at the end is no continuation, and so ends this in time. */
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (text[i] & 0x3f);
	}
	return *character < vss_utf8_forms[length - 1].least ? 0 : length;
}

static bool vss_character_is_valid(u32 character)
{
	bool control = character < 0x20 ||
		       (character >= 0x7f && character < 0xa0);
	bool surrogate = character >= 0xd800 && character < 0xe000;

	return !control && !surrogate && character < 0x110000 &&
	       character != '/';
}

/**
 * vss_name_is_valid() - whether a collection may have a name
 * @name: VSS_NAME_BYTES bytes
 *
 * Return: whether it is 1 to VSS_NAME_BYTES - 1 bytes of UTF-8 before a NUL,
 * without control characters and slashes.
 */
bool vss_name_is_valid(const char *name)
{
	size_t i, length = strnlen(name, VSS_NAME_BYTES);
	unsigned int bytes;
	u32 character;

	if (!length || length == VSS_NAME_BYTES)
		return false;
	for (i = 0; i < length; i += bytes) {
		bytes = vss_utf8_decode((const u8 *)name + i, &character);
		if (!bytes || !vss_character_is_valid(character))
			return false;
	}
	return true;
}
