/* user/tests/clock.c - the ways in which a clock cannot be set. Nothing here may succeed: it runs on the
 * host. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <sys/syscall.h>
#include <sys/time.h>

static long set(int clock, long seconds, long nanoseconds)
{
    struct timespec t = { seconds, nanoseconds };

    return syscall(SYS_clock_settime, clock, &t);
}

CASE(a_clock_that_cannot_be_set)
{
    SHOW(set(CLOCK_MONOTONIC, 1000000000, 0));
    SHOW(set(CLOCK_BOOTTIME, 1000000000, 0));
    SHOW(set(CLOCK_PROCESS_CPUTIME_ID, 1000000000, 0));
    SHOW(set(99, 1000000000, 0));
}

CASE(a_time_that_cannot_be)
{
    struct timeval much = { 1000000000, 1000000 }, before = { -1, 0 };

    SHOW(set(CLOCK_REALTIME, 1000000000, 1000000000));
    SHOW(set(CLOCK_REALTIME, 1000000000, -1));
    SHOW(set(CLOCK_REALTIME, -1, 0));
    SHOW(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL));
    SHOW(syscall(SYS_settimeofday, &much, NULL));
    SHOW(syscall(SYS_settimeofday, &before, NULL));
    SHOW(syscall(SYS_settimeofday, 8, NULL));
}

CASE(a_time_that_only_root_sets)
{
    SHOW(setuid(65534));
    SHOW(set(CLOCK_REALTIME, 2000000000, 0));
    SHOW(set(CLOCK_REALTIME, 2000000000, -1));
}
