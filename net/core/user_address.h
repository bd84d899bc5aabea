/* net/core/user_address.h - addresses between user memory and ours, shared by the calls that name and those
 * that send and receive. */
#pragma once
#include "net/syscalls.h"

/* Copy an address in: 0, -EINVAL (too long), -EFAULT. */
int address_from_user(uintptr_t user, socklen_t len, struct sockaddr_storage *addr);
/* Give an address to the user: as much as there is room for at user, its whole length to *user_len. */
int address_to_user(const struct sockaddr_storage *addr, socklen_t len, uintptr_t user, uintptr_t user_len);
