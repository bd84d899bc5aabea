/* user/tests/rtsignals.c - signals that queue, what is told with signals, and calls that go on after them. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

static siginfo_t seen[32];
static volatile int n_seen;

static void note(int signo, siginfo_t *si, void *context)
{
    (void)signo, (void)context;
    seen[n_seen++ % 32] = *si;
}

static void catch_with(int signo, int flags)
{
    struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };

    sigaction(signo, &a, NULL);
}

static void mask(int how, int a, int b)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    sigprocmask(how, &set, NULL);
}

static void show_seen(void)
{
    for (int i = 0; i < n_seen; i++)
        printf("signal %d code %d mine %d uid %d value %d\n",
               seen[i].si_signo - (seen[i].si_signo >= 34 ? SIGRTMIN : 0), seen[i].si_code,
               seen[i].si_pid == getpid(), (int)seen[i].si_uid, seen[i].si_value.sival_int);
    n_seen = 0;
}

CASE(realtime_signals_queue_in_order)
{
    int first = SIGRTMIN, second = SIGRTMIN + 1;

    catch_with(first, 0);
    catch_with(second, 0);
    mask(SIG_BLOCK, first, second);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), second, (union sigval){ .sival_int = 10 + i });
        sigqueue(getpid(), first, (union sigval){ .sival_int = i });
    }
    mask(SIG_UNBLOCK, first, second);
    show_seen(); /* handlers nest: the last to be entered begins first */
}

CASE(ordinary_signals_do_not_queue)
{
    catch_with(SIGUSR1, 0);
    mask(SIG_BLOCK, SIGUSR1, SIGUSR1);
    for (int i = 0; i < 3; i++)
        sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 5 + i });
    mask(SIG_UNBLOCK, SIGUSR1, SIGUSR1);
    show_seen();
}

CASE(kill_tgkill_and_raise_tell_who)
{
    catch_with(SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
    syscall(SYS_tkill, gettid(), SIGUSR1);
    show_seen();
}

CASE(errors_of_queueing)
{
    siginfo_t si = { .si_code = SI_QUEUE };

    SHOW(sigqueue(getpid(), 65, (union sigval){ .sival_int = 0 }));
    SHOW(sigqueue(4000000, SIGUSR1, (union sigval){ .sival_int = 0 }));
    SHOW(sigqueue(getpid(), 0, (union sigval){ .sival_int = 0 }));
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, NULL));
    si.si_code = SI_USER;
    SHOW(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &si));
    si.si_code = SI_TKILL;
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &si));
    SHOW(syscall(SYS_rt_tgsigqueueinfo, 0, 1, 0, &si));
    SHOW(syscall(SYS_tgkill, getpid(), 4000000, SIGUSR1));
    SHOW(syscall(SYS_tgkill, -1, 1, SIGUSR1));
    SHOW(syscall(SYS_tkill, -1, SIGUSR1));
}

CASE(sigwaitinfo_takes_them_in_order)
{
    int first = SIGRTMIN + 2;
    siginfo_t si;
    sigset_t set;
    struct timespec none = { 0, 0 };

    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigqueue(getpid(), first, (union sigval){ .sival_int = 1 });
    sigqueue(getpid(), first, (union sigval){ .sival_int = 2 });
    kill(getpid(), SIGUSR2);
    for (int i = 0; i < 4; i++) {
        int signo = sigtimedwait(&set, &si, &none);
        printf("%s value %d\n",
               signo == first     ? "queued"
               : signo == SIGUSR2 ? "USR2"
                                  : errno_name(errno),
               signo == first ? si.si_value.sival_int : 0);
    }
}

CASE(what_a_child_tells)
{
    int status;
    pid_t pid;

    catch_with(SIGCHLD, 0);
    pid = fork();
    if (!pid)
        _exit(3);
    while (!n_seen)
        pause();
    printf("code %d status %d it %d\n", seen[0].si_code, seen[0].si_status, seen[0].si_pid == pid);
    waitpid(pid, &status, 0);
    n_seen = 0;
    pid = fork();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    while (n_seen < 1)
        usleep(1000);
    kill(pid, SIGCONT);
    while (n_seen < 2)
        usleep(1000);
    kill(pid, SIGTERM);
    while (n_seen < 3)
        usleep(1000);
    for (int i = 0; i < n_seen; i++)
        printf("code %d status %d\n", seen[i].si_code, seen[i].si_status);
    waitpid(pid, &status, 0);
}

CASE(no_word_of_stops_with_nocldstop)
{
    int status;
    pid_t pid;

    catch_with(SIGCHLD, SA_NOCLDSTOP);
    pid = fork();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    SHOW(waitpid(pid, &status, WUNTRACED) == pid);
    kill(pid, SIGCONT);
    SHOW(waitpid(pid, &status, WCONTINUED) == pid);
    printf("%d signals\n", n_seen);
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) != pid)
        ;
    printf("%d signal, code %d\n", n_seen, seen[0].si_code);
}

static char *volatile bad = (char *)16;

CASE(faults_tell_where)
{
    pid_t pid = fork();
    if (!pid) {
        struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESETHAND };
        sigaction(SIGSEGV, &a, NULL);
        *(volatile char *)bad = 1; /* and once more, without a handler */
    }
    int status;
    waitpid(pid, &status, 0);
    printf("killed by %d\n", WTERMSIG(status));
    catch_with(SIGSEGV, 0);
    kill(getpid(), SIGSEGV);
    show_seen();
}

/* ---- calls that go on ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Stop and continue us in a while, as ^Z and fg do. */
static pid_t interrupter(int signo)
{
    pid_t pid = fork(), parent = getppid();

    if (pid)
        return pid;
    parent = getppid();
    usleep(30000);
    kill(parent, signo);
    usleep(30000);
    kill(parent, SIGCONT);
    _exit(0);
}

static void end_of(pid_t pid)
{
    while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
        ;
}

CASE(sleeps_go_on_after_a_stop)
{
    struct timespec t = { 0, 150000000 };
    struct pollfd none = { .fd = -1 };
    struct timeval tv = { 0, 150000 };

    for (int i = 0; i < 4; i++) {
        pid_t pid = interrupter(SIGSTOP);
        int64_t start = now_ms();
        int result = i == 0   ? nanosleep(&t, NULL)
                     : i == 1 ? clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL)
                     : i == 2 ? poll(&none, 1, 150)
                              : select(0, NULL, NULL, NULL, &tv);
        int64_t took = now_ms() - start;
        printf("%d after its time: %d, not twice: %d\n", result, took >= 149, took < 2000);
        end_of(pid);
    }
}

CASE(handlers_end_sleeps)
{
    struct timespec t = { 5, 0 }, left = { 0, 0 };
    struct pollfd none = { .fd = -1 };
    struct timeval tv = { 5, 0 };

    catch_with(SIGUSR1, SA_RESTART);
    for (int i = 0; i < 5; i++) {
        pid_t pid = interrupter(SIGUSR1);
        int result = i == 0   ? nanosleep(&t, &left)
                     : i == 1 ? clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &left)
                     : i == 2 ? poll(&none, 1, 5000)
                     : i == 3 ? select(0, NULL, NULL, NULL, &tv)
                              : pause();
        printf("%d %s, time is left: %d\n", result, i == 1 ? "" : errno_name(errno),
               i > 1 || left.tv_sec == 4);
        end_of(pid);
    }
}

CASE(an_alternate_stack_that_disarms_itself)
{
    static char stack[65536];
    stack_t s = { .ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 1u << 31 }, old;

    SHOW(sigaltstack(&s, NULL));
    SHOW(sigaltstack(NULL, &old));
    printf("flags %x\n", (unsigned)old.ss_flags);
    catch_with(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    SHOW(sigaltstack(NULL, &old));
    printf("flags %x, the same stack %d\n", (unsigned)old.ss_flags, old.ss_sp == stack);
    s.ss_flags = 64;
    SHOW(sigaltstack(&s, NULL));
}
