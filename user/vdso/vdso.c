/* user/vdso/vdso.c - the code that the kernel lends to every program: clocks and the CPU's number without a
 * system call.
 *
 * A shared object of its own (vdso.ld), built into the kernel and mapped into each process by exec; C
 * libraries find it by AT_SYSINFO_EHDR and its functions by name and version (vdso(7)). It has no data but
 * the kernel's page, struct vdso_data, that lies right below it. Clocks that count CPU time need the kernel:
 * those are system calls. */
#include "lib/abi/vdso.h"
#include <stddef.h>
#include <stdint.h>

enum {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME
};
enum { SYS_CLOCK_GETTIME = 228, SYS_CLOCK_GETRES = 229 };
enum { NS = 1000000000 };

struct timespec {
    int64_t tv_sec, tv_nsec;
};
struct timeval {
    int64_t tv_sec, tv_usec;
};
struct timezone {
    int32_t tz_minuteswest, tz_dsttime;
};

extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *t);
int __vdso_clock_getres(int clock, struct timespec *t);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
int64_t __vdso_time(int64_t *t);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long system_call(long nr, long a, void *b)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

/* The kernel's time_now(), and time_wall(), by the same arithmetic. */
static uint64_t clock_ns(int wall)
{
    uint64_t ns, start;
    uint32_t seq, low, high;

    do {
        seq = vdso_data.seq;
        __asm__ volatile("" ::: "memory"); /* seq before what it guards; x86 keeps loads in order */
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        start = vdso_data.tsc_at_boot;
        ns = (uint64_t)((unsigned __int128)(((uint64_t)high << 32 | low) - start) *
                            vdso_data.ns_per_tick_scaled >>
                        VDSO_SCALE_SHIFT);
        ns += wall ? vdso_data.wall_at_boot : 0;
        __asm__ volatile("" ::: "memory");
    } while (seq & 1 || seq != vdso_data.seq);
    return ns;
}

static int is_wall(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static int is_ours(int clock)
{
    return is_wall(clock) || clock == CLOCK_MONOTONIC ||
           (clock >= CLOCK_MONOTONIC_RAW && clock <= CLOCK_BOOTTIME);
}

int __vdso_clock_gettime(int clock, struct timespec *t)
{
    uint64_t ns;

    if (!is_ours(clock))
        return (int)system_call(SYS_CLOCK_GETTIME, clock, t);
    ns = clock_ns(is_wall(clock));
    *t = (struct timespec){ (int64_t)(ns / NS), (int64_t)(ns % NS) };
    return 0;
}

int __vdso_clock_getres(int clock, struct timespec *t)
{
    return (int)system_call(SYS_CLOCK_GETRES, clock, t);
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    uint64_t ns = clock_ns(1);

    if (tv)
        *tv = (struct timeval){ (int64_t)(ns / NS), (int64_t)(ns % NS / 1000) };
    if (tz)
        *tz = (struct timezone){ 0, 0 };
    return 0;
}

int64_t __vdso_time(int64_t *t)
{
    int64_t now = (int64_t)(clock_ns(1) / NS);

    if (t)
        *t = now;
    return now;
}

int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    unsigned number;

    (void)unused;
    __asm__ volatile("lsl %1, %0" : "=r"(number) : "r"((unsigned)VDSO_CPU_SELECTOR) : "cc");
    if (cpu)
        *cpu = number;
    if (node)
        *node = 0;
    return 0;
}

#define PUBLIC_NAME(name) __asm__(".weak " #name "\n" #name " = __vdso_" #name)
PUBLIC_NAME(clock_gettime);
PUBLIC_NAME(clock_getres);
PUBLIC_NAME(gettimeofday);
PUBLIC_NAME(time);
PUBLIC_NAME(getcpu);
