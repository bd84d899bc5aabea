/* bench/guest/op.h - one operation of the kernel, done many times between two marks.
 *
 * The marks are instructions that do nothing; bench/insncount.c knows them and counts what is executed from
 * one to the other, by this program, by any other and by the kernel. The same file of this program runs in
 * every guest. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

struct op {
    const char *name;
    unsigned count;          /* how often, so that a region is a few million instructions */
    void (*run)(unsigned n); /* prepare, then do it n times between the marks */
};

extern const struct op call_ops[], process_ops[], memory_ops[], pipe_ops[], network_ops[], datagram_ops[],
    stream_ops[]; /* end in { 0 } */

/* nopl with a displacement that nobody else uses: the bytes are bench/insncount.c's MARK_BEGIN and MARK_END.
 */
static inline void region_begin(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"TWpB\"" ::: "memory");
}
static inline void region_end(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"TWpE\"" ::: "memory");
}

static inline void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}
