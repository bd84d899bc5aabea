/* kern/sys/sys_user.h - prctl's options about capabilities. */
#pragma once
#include "lib/compiler.h"

/* -ENOSYS: it is none of them. */
int64_t prctl_user(int option, uint64_t arg, uint64_t arg2, uint64_t arg3, uint64_t arg4);
