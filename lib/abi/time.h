/* lib/abi/time.h - Linux's ABI for clocks, sleeping and interval timers (x86-64). */
#pragma once
#if __STDC_HOSTED__
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#else
#include <stdint.h>

struct timespec {
    int64_t tv_sec, tv_nsec;
};
struct timeval {
    int64_t tv_sec, tv_usec;
};
struct itimerval {
    struct timeval it_interval, it_value;
};
struct itimerspec {
    struct timespec it_interval, it_value;
};
struct timezone {
    int32_t tz_minuteswest, tz_dsttime;
};
struct tms {
    int64_t tms_utime, tms_stime, tms_cutime, tms_cstime; /* ticks of 1/100 s */
};

enum {
    CLOCK_REALTIME = 0,
    CLOCK_MONOTONIC = 1,
    CLOCK_PROCESS_CPUTIME_ID = 2,
    CLOCK_THREAD_CPUTIME_ID = 3,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5,
    CLOCK_MONOTONIC_COARSE = 6,
    CLOCK_BOOTTIME = 7,
    CLOCK_REALTIME_ALARM = 8,
    CLOCK_BOOTTIME_ALARM = 9,
    TIMER_ABSTIME = 1,
    ITIMER_REAL = 0,
    ITIMER_VIRTUAL = 1,
    ITIMER_PROF = 2
};
#endif
