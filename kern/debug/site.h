/* kern/debug/site.h - where something was done: the innermost calls of a thread, kept so that a report can
 * name the place long after. */
#pragma once
#include "lib/compiler.h"

enum { SITE_DEPTH = 4 };
struct site {
    uint64_t pc[SITE_DEPTH]; /* the innermost first; 0 ends it */
};
/* Who called the function whose frame this is (__builtin_frame_address(0)). Any context; never faults,
 * whatever a program has put into %rbp. */
void site_take(struct site *s, const void *frame);
/* "f+0x12 < g+0x34", or "nowhere". */
int site_format(char *buf, size_t size, const struct site *s);
