/* sim/script/run/puppet.c - requests to the puppet, a line each, and its answers; the language is described
 * in user/puppet.c. A call's memory lies from the beginning of the arena on. */
#include "sim/script/run/puppet.h"
#include "sim/script/flow.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARENA UINT64_C(0x100000000000) /* user/puppet.c */
enum { SCRATCH = 1 << 17, ANSWER_SECONDS = 20 };

_Noreturn void puppet_give_up(const char *why)
{
    printf("FAILED wire:0: %s\n", why);
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

static void say(struct puppet *p, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = write(p->line, text, n);
        if (sent <= 0)
            puppet_give_up("the line to the guest was cut");
        text += sent;
        n -= (size_t)sent;
    }
}

/* The next line it says, without "= "; it stays good until the next call. */
static const char *answer(struct puppet *p)
{
    static char out[PUPPET_LINE];
    char *end;

    while (!(end = memchr(p->text, '\n', p->text_n))) {
        struct pollfd ready = { p->line, POLLIN, 0 };
        ssize_t n = poll(&ready, 1, ANSWER_SECONDS * 1000) > 0
                        ? read(p->line, p->text + p->text_n, sizeof p->text - p->text_n)
                        : 0;
        if (n <= 0)
            puppet_give_up("the guest's puppet does not answer");
        p->text_n += (size_t)n;
    }
    memcpy(out, p->text, (size_t)(end - p->text));
    out[end - p->text] = '\0';
    p->text_n -= (size_t)(end + 1 - p->text);
    memmove(p->text, end + 1, p->text_n);
    return out[0] == '=' ? out + 2 : out;
}

/* The line is slow: what is the pattern is said by one period of it. */
static bool is_periodic(const uint8_t *bytes, size_t n)
{
    return n > 2 * PATTERN_PERIOD && !memcmp(bytes, bytes + PATTERN_PERIOD, n - PATTERN_PERIOD);
}

static void write_memory(struct puppet *p, uint64_t address, const uint8_t *bytes, size_t n)
{
    static char line[PUPPET_LINE];
    bool periodic = is_periodic(bytes, n);
    size_t at = (size_t)snprintf(line, sizeof line, periodic ? "x %llx %zx " : "w %llx ",
                                 (unsigned long long)address, n);

    if (periodic)
        n = PATTERN_PERIOD;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, "%02x", bytes[i]);
    line[at++] = '\n';
    say(p, line, at);
}

static void read_memory(struct puppet *p, uint64_t address, uint8_t *bytes, size_t n)
{
    char line[64];
    const char *hex;

    say(p, line, (size_t)snprintf(line, sizeof line, "r %llx %zx\n", (unsigned long long)address, n));
    hex = answer(p);
    for (size_t i = 0; i < n && hex[2 * i]; i++)
        bytes[i] = (uint8_t)strtoul((const char[]){ hex[2 * i], hex[2 * i + 1], '\0' }, NULL, 16);
}

int64_t puppet_system_call(struct puppet *p, long number, const int64_t a[6])
{
    char line[160];
    int n = snprintf(line, sizeof line, "c %lx %llx %llx %llx %llx %llx %llx\n", (unsigned long)number,
                     (unsigned long long)a[0], (unsigned long long)a[1], (unsigned long long)a[2],
                     (unsigned long long)a[3], (unsigned long long)a[4], (unsigned long long)a[5]);

    say(p, line, (size_t)n);
    return strtoll(answer(p), NULL, 10);
}

/* How much of buffer i the call has written. */
static size_t filled(const struct host_call *c, unsigned i, int64_t result)
{
    bool data = c->number == SYS_recvfrom && c->buffers[i].argument == 1;

    return data && (size_t)result < c->buffers[i].n ? (size_t)result : c->buffers[i].n;
}

/* A call with its memory: written before, read behind. */
int64_t puppet_call(struct puppet *p, const struct host_call *c)
{
    int64_t a[6], result;
    uint64_t at[BUFFERS_MOST], next = ARENA;

    memcpy(a, c->arguments, sizeof a);
    for (unsigned i = 0; i < c->n_buffers; i++) {
        at[i] = next;
        a[c->buffers[i].argument] = (int64_t)next;
        next += (c->buffers[i].n + 63) & ~UINT64_C(63);
        if (next > ARENA + SCRATCH)
            puppet_give_up("a call with more memory than the guest's puppet has");
        if (c->buffers[i].in && c->buffers[i].n)
            write_memory(p, at[i], c->buffers[i].at, c->buffers[i].n);
    }
    result = puppet_system_call(p, c->number, a);
    for (unsigned i = 0; i < c->n_buffers; i++)
        if (c->buffers[i].out && c->buffers[i].n && result >= 0)
            read_memory(p, at[i], c->buffers[i].at, filled(c, i, result));
    return result;
}
