/* sim/script/run/puppet.h - system calls in a guest, made by user/puppet.c at the other end of a line. */
#pragma once
#include "sim/script/run/host.h"

enum { PUPPET_LINE = 1 << 20 };

struct puppet {
    int line; /* a stream; the puppet has said that it is ready */
    char text[PUPPET_LINE];
    size_t text_n; /* of it: what came and was not looked at */
};

/* A call with its memory, which is written there before and read back: what it returned. It must not wait. */
int64_t puppet_call(struct puppet *p, const struct host_call *c);
/* One whose arguments are all numbers. */
int64_t puppet_system_call(struct puppet *p, long number, const int64_t a[6]);
/* The guest cannot be spoken to any more: the script has failed, and the process ends. */
_Noreturn void puppet_give_up(const char *why);
