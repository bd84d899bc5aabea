/* bench/guest/calls.c - system calls that touch little: the way in and out, the clock, files, signals. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "/tmp/kbench-file"

static void null_call(unsigned n)
{
    region_begin();
    while (n--)
        syscall(SYS_getppid);
    region_end();
}

static void clock_call(unsigned n)
{
    struct timespec now;
    region_begin();
    while (n--)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    region_end();
}

static void timeofday_call(unsigned n)
{
    struct timespec now[2];
    region_begin();
    while (n--)
        syscall(SYS_gettimeofday, now, NULL);
    region_end();
}

static void handler(int signo)
{
    (void)signo;
}

/* Sent, delivered, handled, returned from. */
static void signal_self(unsigned n)
{
    const pid_t self = getpid();
    signal(SIGUSR1, handler);
    region_begin();
    while (n--)
        kill(self, SIGUSR1);
    region_end();
}

static void make_file(size_t size)
{
    static char bytes[4096];
    int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0, FILE_NAME);
    for (; size; size -= sizeof bytes)
        must(write(fd, bytes, sizeof bytes) == sizeof bytes, "write");
    close(fd);
}

static void open_close(unsigned n)
{
    make_file(4096);
    region_begin();
    while (n--)
        close(open(FILE_NAME, O_RDONLY));
    region_end();
    unlink(FILE_NAME);
}

static void stat_call(unsigned n)
{
    struct stat st;
    make_file(4096);
    region_begin();
    while (n--)
        stat(FILE_NAME, &st);
    region_end();
    unlink(FILE_NAME);
}

static void read_file(unsigned n)
{
    static char bytes[4096];
    make_file(4096);
    int fd = open(FILE_NAME, O_RDONLY);
    region_begin();
    while (n--)
        must(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes, "pread");
    region_end();
    unlink(FILE_NAME);
}

const struct op call_ops[] = {
    { "null", 10000, null_call },
    { "clock_gettime", 10000, clock_call },
    { "gettimeofday", 10000, timeofday_call },
    { "signal", 2000, signal_self },
    { "open", 2000, open_close },
    { "stat", 2000, stat_call },
    { "pread4k", 2000, read_file },
    { 0 },
};
