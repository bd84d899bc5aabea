/* sim/towpath_flow.c - calls that Linux does not have: send, or receive, a whole stream. They go through the
 * same socket operations as write() and read() and spare the caller of a simulation a call every few
 * milliseconds of it. The bytes are those of a pattern, and the receiver looks whether they are. */
#include "sim/towpath_calls.h"
#include <errno.h>

enum { CHUNK = 65536, PERIOD = 251 }; /* a prime: no power of two of bytes lost or doubled goes unnoticed */

static const uint8_t *pattern(void)
{
    static uint8_t bytes[CHUNK + PERIOD];
    static bool made;

    for (unsigned i = 0; !made && i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % PERIOD);
    made = true;
    return bytes;
}

int64_t tp_source(struct sock *sk, uint64_t size, int64_t *progress)
{
    while ((uint64_t)*progress < size) {
        struct io_vector v = { (uintptr_t)pattern() + (uint64_t)*progress % PERIOD,
                               MIN(size - (uint64_t)*progress, (uint64_t)CHUNK) };
        struct message msg = { .name = NULL };
        iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
        ssize_t n = sock_sendmsg(sk, &msg, MSG_NOSIGNAL);
        if (n < 0)
            return n;
        *progress += n;
    }
    return *progress;
}

static bool is_pattern(const uint8_t *bytes, size_t n, uint64_t from)
{
    const uint8_t *wanted = pattern() + from % PERIOD;

    for (size_t i = 0; i < n; i++)
        if (bytes[i] != wanted[i])
            return false;
    return true;
}

int64_t tp_sink(struct sock *sk, int64_t *progress)
{
    uint8_t bytes[CHUNK / 4]; /* on a task's stack */

    for (;;) {
        struct io_vector v = { (uintptr_t)bytes, sizeof bytes };
        struct message msg = { .name = NULL };
        iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
        ssize_t n = sock_recvmsg(sk, &msg, 0);
        if (n <= 0)
            return n < 0 ? n : *progress;
        if (!is_pattern(bytes, (size_t)n, (uint64_t)*progress))
            return -EBADMSG;
        *progress += n;
    }
}
