/* user/tests/sched.c - which CPUs, policies and nice values; and how much of the CPU was used. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t signals;

static void count(int signo)
{
    (void)signo;
    signals++;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void burn(int milliseconds)
{
    int64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + milliseconds * 1000000ll;

    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
}

CASE(affinity)
{
    cpu_set_t all, one;
    unsigned cpu = 99;
    int first = 0;

    printf("%d\n", sched_getaffinity(0, sizeof all, &all) == 0 && CPU_COUNT(&all) > 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    SHOW(sched_setaffinity(0, sizeof one, &one));
    SHOW(syscall(SYS_getcpu, &cpu, NULL, NULL));
    printf("it runs where it may: %d\n", cpu == (unsigned)first);
    sched_getaffinity(0, sizeof one, &one);
    printf("%d CPU\n", CPU_COUNT(&one));
    CPU_ZERO(&one);
    SHOW(sched_setaffinity(0, sizeof one, &one));
    SHOW(sched_setaffinity(0, sizeof one, NULL));
    SHOW(sched_setaffinity(4000000, sizeof all, &all));
    SHOW(syscall(SYS_sched_getaffinity, 0, 3, &one));
    SHOW(syscall(SYS_sched_getaffinity, 4000000, sizeof one, &one));
    SHOW(sched_setaffinity(0, sizeof all, &all));
}

CASE(policies)
{
    struct sched_param p = { .sched_priority = 0 };
    struct timespec slice;

    SHOW(syscall(SYS_sched_getscheduler, 0));
    SHOW(syscall(SYS_sched_getscheduler, -1));
    SHOW(syscall(SYS_sched_getscheduler, 4000000));
    SHOW(syscall(SYS_sched_getparam, 0, &p));
    printf("%d\n", p.sched_priority);
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
    SHOW(syscall(SYS_sched_getscheduler, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
    p.sched_priority = 1;
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
    SHOW(syscall(SYS_sched_setparam, 0, &p));
    p.sched_priority = 100;
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
    SHOW(syscall(SYS_sched_setscheduler, 0, 77, &p));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
    SHOW(sched_get_priority_max(SCHED_OTHER));
    SHOW(sched_get_priority_min(SCHED_FIFO));
    SHOW(sched_get_priority_max(SCHED_RR));
    SHOW(sched_get_priority_max(77));
    SHOW(sched_rr_get_interval(0, &slice));
    printf("%d\n", slice.tv_sec == 0 && slice.tv_nsec >= 0);
    SHOW(sched_yield());
}

CASE(nice_values)
{
    int status;

    if (!fork()) {
        SHOW(setpriority(PRIO_PROCESS, 0, 5));
        SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
        SHOW(setpriority(PRIO_PROCESS, 0, 100));
        SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
        if (!fork()) {
            SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
            _exit(0);
        }
        wait(&status);
        _exit(0);
    }
    wait(&status);
    SHOW(setpriority(7, 0, 0));
    SHOW(setpriority(PRIO_PROCESS, 4000000, 0));
    SHOW(getpriority(-1, 0));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 4000000));
}

static int64_t of(struct timeval t)
{
    return t.tv_sec * 1000000ll + t.tv_usec;
}

CASE(how_much_cpu_was_used)
{
    struct rusage before, after;
    struct tms tms;
    int status;
    pid_t pid;

    getrusage(RUSAGE_SELF, &before);
    burn(60);
    getrusage(RUSAGE_SELF, &after);
    int64_t used = of(after.ru_utime) + of(after.ru_stime) - of(before.ru_utime) - of(before.ru_stime);
    printf("60 ms are counted: %d\n", used >= 59000);
    printf("by both clocks: %d %d\n", clock_ns(CLOCK_PROCESS_CPUTIME_ID) > 60000000,
           clock_ns(CLOCK_THREAD_CPUTIME_ID) > 60000000);
    SHOW(times(&tms) > 0);
    printf("and in ticks: %d\n", tms.tms_utime + tms.tms_stime >= 5);
    pid = fork();
    if (!pid) {
        burn(40);
        _exit(0);
    }
    printf("waited for: %d\n", wait4(pid, &status, 0, &after) == pid);
    printf("its 40 ms are told: %d\n", of(after.ru_utime) + of(after.ru_stime) >= 39000);
    getrusage(RUSAGE_CHILDREN, &after);
    printf("and kept: %d\n", of(after.ru_utime) + of(after.ru_stime) >= 39000);
    int64_t slept = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    usleep(50000);
    printf("sleep costs nothing: %d\n", clock_ns(CLOCK_PROCESS_CPUTIME_ID) - slept < 40000000);
    SHOW(getrusage(7, &after));
    SHOW(getrusage(RUSAGE_THREAD, &after));
}

/* Timers that count the use of the CPU. */
CASE(timers_that_count_cpu_time)
{
    struct itimerval it = { .it_value = { 0, 30000 } }, old;

    signal(SIGVTALRM, count);
    signal(SIGPROF, count);
    SHOW(setitimer(ITIMER_VIRTUAL, &it, NULL));
    usleep(60000);
    printf("asleep: %d signals\n", (int)signals);
    while (!signals)
        burn(1);
    printf("busy: %d signal\n", (int)signals);
    SHOW(getitimer(ITIMER_VIRTUAL, &old));
    printf("%d\n", old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    signals = 0;
    it.it_interval = it.it_value;
    SHOW(setitimer(ITIMER_PROF, &it, NULL));
    while (signals < 3)
        burn(1);
    SHOW(setitimer(ITIMER_PROF, &(struct itimerval){ 0 }, &old));
    printf("%d\n", old.it_interval.tv_usec > 0 && old.it_value.tv_sec == 0);
    SHOW(setitimer(3, &it, NULL));
    SHOW(getitimer(-1, &it));
}
