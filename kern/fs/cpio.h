/* kern/fs/cpio.h - unpack cpio archives in the "newc" format, as Linux's initramfs has them. */
#pragma once
#include "kern/fs/inode.h"

/* Unpack the archives that stand in n bytes one after the other into root; a later entry replaces an earlier
 * one. 0, -EINVAL for bytes that are no archive, -ENOMEM. The bytes are untrusted. */
int cpio_unpack(struct inode *root, const uint8_t *bytes, size_t n);
