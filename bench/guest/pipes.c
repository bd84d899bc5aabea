/* bench/guest/pipes.c - bytes through a pipe, the switch from one process to another, poll. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 65536, POLLED_MAX = 100 };
static char bytes[CHUNK];

static void make_pipe(int fds[2])
{
    must(!pipe(fds), "pipe");
}

static void through_pipe(unsigned n, size_t size)
{
    int fds[2];
    make_pipe(fds);
    region_begin();
    while (n--) {
        must(write(fds[1], bytes, size) == (ssize_t)size, "write");
        must(read(fds[0], bytes, size) == (ssize_t)size, "read");
    }
    region_end();
}

static void pipe_byte(unsigned n)
{
    through_pipe(n, 1);
}

static void pipe_chunk(unsigned n)
{
    through_pipe(n, CHUNK);
}

static void send_byte(int fd)
{
    must(write(fd, bytes, 1) == 1, "write");
}

static void receive_byte(int fd)
{
    must(read(fd, bytes, 1) == 1, "read");
}

/* Two switches: there and back. */
static void context_switch(unsigned n)
{
    int there[2], back[2];
    make_pipe(there);
    make_pipe(back);
    pid_t pid = fork();
    must(pid >= 0, "fork");
    for (unsigned i = 0; !pid && i <= n; i++) {
        receive_byte(there[0]);
        send_byte(back[1]);
    }
    if (!pid)
        _exit(0);
    for (unsigned i = 0; i <= n; i++) {
        if (i == 1)
            region_begin();
        send_byte(there[1]);
        receive_byte(back[0]);
    }
    region_end();
    waitpid(pid, NULL, 0);
}

static void poll_pipes(unsigned n, unsigned polled)
{
    struct pollfd entries[POLLED_MAX];
    for (unsigned i = 0; i < polled; i++) {
        int fds[2];
        make_pipe(fds);
        entries[i] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
    }
    region_begin();
    while (n--)
        poll(entries, polled, 0);
    region_end();
}

static void poll_10(unsigned n)
{
    poll_pipes(n, 10);
}

static void poll_100(unsigned n)
{
    poll_pipes(n, 100);
}

const struct op pipe_ops[] = {
    { "pipe_1", 2000, pipe_byte }, { "pipe_64k", 100, pipe_chunk }, { "switch", 1000, context_switch },
    { "poll_10", 2000, poll_10 },  { "poll_100", 300, poll_100 },   { 0 },
};
