/* user/tests/posix_timers.c - timer_create and its kin. The calls themselves: C libraries differ. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <stdint.h>
#include <sys/syscall.h>

struct event {
    uint64_t value;
    int signo, notify, tid, pad[11];
};

static volatile siginfo_t last;
static volatile int n_signals;

static void note(int signo, siginfo_t *si, void *context)
{
    (void)signo, (void)context;
    memcpy((void *)&last, si, sizeof last);
    n_signals++;
}

static void catch (int signo)
{
    struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

    sigaction(signo, &a, NULL);
}

static int create(int clock, struct event *e)
{
    int id = -1;

    SHOW_OK(syscall(SYS_timer_create, clock, e, &id));
    return id;
}

static long set(int id, int flags, long first_ms, long every_ms)
{
    struct itimerspec it = { { every_ms / 1000, every_ms % 1000 * 1000000 },
                             { first_ms / 1000, first_ms % 1000 * 1000000 } };

    return syscall(SYS_timer_settime, id, flags, &it, NULL);
}

static void wait_for(int n)
{
    while (n_signals < n)
        usleep(1000);
}

CASE(it_fires_once_with_its_value)
{
    struct event e = { .value = 4711, .signo = SIGUSR1, .notify = 0 };
    struct itimerspec now;
    int id = create(CLOCK_MONOTONIC, &e);

    catch (SIGUSR1);
    SHOW(set(id, 0, 300, 0));
    SHOW(syscall(SYS_timer_gettime, id, &now));
    printf("some of it is left: %d\n", now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0);
    wait_for(1);
    printf("code %d value %d overrun %d\n", last.si_code, last.si_value.sival_int, last.si_overrun);
    syscall(SYS_timer_gettime, id, &now);
    printf("not set any more: %d\n", !now.it_value.tv_sec && !now.it_value.tv_nsec);
    SHOW(syscall(SYS_timer_delete, id));
    SHOW(syscall(SYS_timer_delete, id));
}

CASE(it_fires_again_and_counts_what_is_missed)
{
    struct event e = { .value = 1, .signo = SIGRTMIN, .notify = 0 };
    sigset_t set_of;
    int id = create(CLOCK_MONOTONIC, &e);

    catch (SIGRTMIN);
    sigemptyset(&set_of);
    sigaddset(&set_of, SIGRTMIN);
    SHOW(set(id, 0, 5, 5));
    wait_for(3);
    sigprocmask(SIG_BLOCK, &set_of, NULL);
    usleep(60000);
    n_signals = 0;
    sigprocmask(SIG_UNBLOCK, &set_of, NULL);
    printf("one signal for all: %d\n", n_signals >= 1 && n_signals <= 2);
    SHOW(set(id, 0, 0, 0));
    printf("missed some: %d\n", syscall(SYS_timer_getoverrun, id) >= 0);
    syscall(SYS_timer_delete, id);
}

CASE(absolute_times)
{
    struct event e = { .signo = SIGUSR1, .notify = 0 };
    struct timespec now;
    struct itimerspec it = { { 0, 0 }, { 0, 0 } };
    int id = create(CLOCK_REALTIME, &e);

    catch (SIGUSR1);
    clock_gettime(CLOCK_REALTIME, &now);
    it.it_value = (struct timespec){ now.tv_sec - 10, 0 };
    SHOW(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &it, NULL)); /* over already: at once */
    wait_for(1);
    it.it_value = (struct timespec){ now.tv_sec + 100, 0 };
    SHOW(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &it, NULL));
    SHOW(syscall(SYS_timer_settime, id, 0, &(struct itimerspec){ 0 }, &it));
    printf("about 100 s were left: %d\n", it.it_value.tv_sec > 90 && it.it_value.tv_sec <= 100);
}

CASE(to_one_thread_and_to_nobody)
{
    struct event e = { .value = 2, .signo = SIGUSR2, .notify = 4, .tid = gettid() };
    struct itimerspec now;
    int id;

    catch (SIGUSR2);
    id = create(CLOCK_MONOTONIC, &e);
    SHOW(set(id, 0, 10, 0));
    wait_for(1);
    printf("value %d\n", last.si_value.sival_int);
    e.notify = 1;
    id = create(CLOCK_MONOTONIC, &e);
    SHOW(set(id, 0, 10, 0));
    usleep(30000);
    SHOW(syscall(SYS_timer_gettime, id, &now));
    printf("%d signal\n", n_signals);
    id = create(CLOCK_MONOTONIC, NULL);
    catch (SIGALRM);
    SHOW(set(id, 0, 10, 0));
    wait_for(2);
    printf("signal %d, its own number: %d\n", last.si_signo, last.si_value.sival_int == id);
}

CASE(errors)
{
    struct event e = { .signo = SIGUSR1, .notify = 0 };
    struct itimerspec it = { { 0, 0 }, { 0, 1000000000 } };
    int id;

    SHOW(syscall(SYS_timer_create, 99, &e, &id));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, NULL));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, (void *)8, &id));
    e.signo = 65;
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
    e = (struct event){ .signo = SIGUSR1, .notify = 4, .tid = 1 };
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
    e.notify = 77;
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
    SHOW(syscall(SYS_timer_settime, 12345, 0, &(struct itimerspec){ 0 }, NULL));
    SHOW(syscall(SYS_timer_gettime, 12345, &it));
    SHOW(syscall(SYS_timer_getoverrun, 12345));
    id = create(CLOCK_MONOTONIC, NULL);
    SHOW(syscall(SYS_timer_settime, id, 0, &it, NULL));
    SHOW(syscall(SYS_timer_settime, id, 0, NULL, NULL));
    SHOW(syscall(SYS_timer_settime, id, 0, (void *)8, NULL));
}

HELPER(has_no_timer)
{
    (void)argc, (void)argv;
    usleep(60000);
    SHOW(syscall(SYS_timer_delete, 0));
    return 0;
}

CASE(exec_and_fork_keep_none)
{
    struct event e = { .signo = SIGTERM, .notify = 0 };
    int id = create(CLOCK_MONOTONIC, &e), status;
    pid_t pid = fork();

    if (!pid) {
        SHOW(syscall(SYS_timer_delete, id));
        id = create(CLOCK_MONOTONIC, &e);
        set(id, 0, 30, 0);
        execl("/proc/self/exe", "posix_timers", "has_no_timer", NULL);
    }
    waitpid(pid, &status, 0);
    printf("status %d\n", status);
}
