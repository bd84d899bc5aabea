/* kern/debug/site.c - taking a short backtrace, cheaply enough for every lock. */
#include "kern/debug/site.h"
#include "kern/boot/boot.h"
#include "kern/debug/ksyms.h"
#include "kern/mm/mm.h"
#include "kern/sched/thread.h"
#include "lib/format.h"

static bool in_text(uint64_t address)
{
    return address >= (uint64_t)kernel_text_start && address < (uint64_t)kernel_text_end;
}

/* How far up frames may lie: the current thread's stack; idle threads and the start run no program, so their
 * frames all are the kernel's. */
static uint64_t stack_end(uint64_t frame)
{
    const struct thread *t = current_thread();
    if (!t || !t->kstack_top)
        return frame + KSTACK_SIZE;
    return frame >= (uint64_t)t->kstack ? t->kstack_top : 0;
}

void site_take(struct site *s, const void *frame)
{
    uint64_t rbp = (uint64_t)frame, end = stack_end(rbp);
    unsigned n = 0;
    *s = (struct site){ 0 };
    s->pc[n++] = ((const uint64_t *)rbp)[1]; /* whoever asks has a frame of its own */
    while (n < SITE_DEPTH) {
        uint64_t above = *(const uint64_t *)rbp;
        if (above <= rbp || above % 8 || above + 16 > end || !in_text(((const uint64_t *)above)[1]))
            break;
        s->pc[n++] = ((const uint64_t *)above)[1];
        rbp = above;
    }
}

int site_format(char *buf, size_t size, const struct site *s)
{
    int len = ksnprintf(buf, size, "%s", s->pc[0] ? "" : "nowhere");
    for (unsigned i = 0; i < SITE_DEPTH && s->pc[i] && (size_t)len < size; i++) {
        len += ksnprintf(buf + len, size - len, "%s", i ? " < " : "");
        if ((size_t)len < size)
            len += ksym_format(buf + len, size - len, s->pc[i] - 1); /* within the call, not behind it */
    }
    return len;
}
