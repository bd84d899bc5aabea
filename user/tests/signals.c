/* user/tests/signals.c - handlers, masks, interrupted calls, alarms, other stacks. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t count, last_signo, last_code, sender_is_self, on_other_stack;
static volatile double noise;
static char other_stack[32768];

static void handler(int signo)
{
    count++;
    last_signo = signo;
}

static void info_handler(int signo, siginfo_t *si, void *context)
{
    char here;

    (void)context;
    count++;
    last_signo = signo;
    last_code = si->si_code;
    sender_is_self = si->si_pid == getpid();
    on_other_stack = &here >= other_stack && &here < other_stack + sizeof other_stack;
    noise = 3.25 * count; /* uses the floating-point registers */
}

static void set(int signo, void (*fn)(int), int flags)
{
    struct sigaction a = { .sa_handler = fn, .sa_flags = flags };

    sigaction(signo, &a, NULL);
}

static void set_info(int signo, int flags)
{
    struct sigaction a = { .sa_sigaction = info_handler, .sa_flags = flags | SA_SIGINFO };

    sigaction(signo, &a, NULL);
}

static void show_count(void)
{
    printf("handled %d, last %d\n", (int)count, (int)last_signo);
    count = 0;
}

CASE(basics)
{
    set(SIGUSR1, handler, 0);
    SHOW(raise(SIGUSR1));
    show_count();
    set(SIGUSR1, handler, SA_RESETHAND);
    raise(SIGUSR1);
    show_count();
    if (!fork()) {
        raise(SIGUSR1);
        _exit(0);
    }
    int status;
    wait(&status);
    printf("killed by %d\n", WTERMSIG(status));
    SHOW(kill(getpid(), SIGCHLD));
    SHOW(signal(SIGKILL, SIG_IGN) == SIG_ERR);
    SHOW(sigaction(65, NULL, NULL));
    SHOW(sigaction(0, NULL, NULL));
}

CASE(masks)
{
    sigset_t two, old, pending;

    set(SIGUSR1, handler, 0);
    set(SIGUSR2, handler, 0);
    sigemptyset(&two);
    sigaddset(&two, SIGUSR1);
    sigaddset(&two, SIGUSR2);
    SHOW(sigprocmask(SIG_BLOCK, &two, &old));
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGUSR1);
    show_count();
    sigpending(&pending);
    printf("pending: %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
           sigismember(&pending, SIGHUP));
    sigdelset(&two, SIGUSR1);
    SHOW(sigprocmask(SIG_SETMASK, &two, NULL));
    show_count();
    SHOW(sigsuspend(&old));
    show_count();
    sigprocmask(SIG_SETMASK, NULL, &pending);
    printf("mask is back: %d\n", sigismember(&pending, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    SHOW(sigprocmask(77, &old, NULL));
}

CASE(details)
{
    stack_t ss = { .ss_sp = other_stack, .ss_size = sizeof other_stack }, old;
    double kept = 1.5;

    set_info(SIGUSR1, 0);
    for (int i = 0; i < 3; i++) {
        kept = kept * 2 + noise;
        kill(getpid(), SIGUSR1);
    }
    printf("code %d, from me %d, %g %g\n", (int)last_code, (int)sender_is_self, kept, noise);
    show_count();
    SHOW(sigaltstack(&ss, &old));
    printf("there was none: %d\n", old.ss_flags == SS_DISABLE);
    set_info(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    printf("on the other stack: %d\n", (int)on_other_stack);
    set_info(SIGUSR1, 0);
    raise(SIGUSR1);
    printf("on the other stack: %d\n", (int)on_other_stack);
    count = 0;
}

static void send_later(int signo, int milliseconds)
{
    pid_t parent = getpid();

    if (!fork()) {
        struct timespec t = { 0, milliseconds * 1000000L };
        nanosleep(&t, NULL);
        kill(parent, signo);
        nanosleep(&t, NULL);
        _exit(0);
    }
}

CASE(interruptions)
{
    struct timespec t = { 10, 0 }, left = { 0, 0 };
    struct pollfd fd;
    int p[2];
    char c;

    pipe(p);
    fd = (struct pollfd){ p[0], POLLIN, 0 };
    set(SIGUSR1, handler, 0);
    send_later(SIGUSR1, 50);
    SHOW(read(p[0], &c, 1));
    while (wait(NULL) < 0)
        ;
    send_later(SIGUSR1, 50);
    SHOW(nanosleep(&t, &left));
    printf("left: %d\n", left.tv_sec == 9);
    wait(NULL);
    set(SIGUSR1, handler, SA_RESTART);
    send_later(SIGUSR1, 50);
    SHOW(poll(&fd, 1, 10000));
    wait(NULL);
    show_count();
    if (!fork()) { /* the read goes on after the handler, until there is a byte */
        struct timespec nap = { 0, 30000000 };
        nanosleep(&nap, NULL);
        kill(getppid(), SIGUSR1);
        nanosleep(&nap, NULL);
        write(p[1], "x", 1);
        _exit(0);
    }
    SHOW(read(p[0], &c, 1));
    show_count();
    wait(NULL);
    send_later(SIGUSR1, 50);
    SHOW(pause());
    wait(NULL);
    count = 0;
}

CASE(alarms)
{
    struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, old;

    set(SIGALRM, handler, 0);
    SHOW(alarm(100));
    SHOW(alarm(0) > 90);
    SHOW(alarm(0));
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    while (count < 3)
        pause();
    it = (struct itimerval){ { 0, 0 }, { 0, 0 } };
    SHOW(setitimer(ITIMER_REAL, &it, &old));
    printf("interval %ld\n", (long)old.it_interval.tv_usec);
    printf("SIGALRM at least 3 times: %d\n", count >= 3);
    count = 0;
    it.it_value.tv_usec = 2000000;
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
}

CASE(waiting_for_one)
{
    struct timespec t = { 0, 30000000 };
    sigset_t one;
    siginfo_t si;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    sigprocmask(SIG_BLOCK, &one, NULL);
    SHOW(sigtimedwait(&one, &si, &t));
    raise(SIGUSR2);
    SHOW(sigtimedwait(&one, &si, &t));
    send_later(SIGUSR2, 30);
    SHOW(sigwaitinfo(&one, &si));
    printf("%d %d\n", si.si_signo, si.si_code);
    wait(NULL);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

/* Ignored by default, yet not dropped: it is blocked, and the wait that lets it in is there for it. */
CASE(waiting_for_a_child)
{
    struct timespec t = { 5, 0 };
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, SIGCHLD);
    sigprocmask(SIG_BLOCK, &one, NULL);
    if (!fork()) {
        usleep(30000);
        _exit(0);
    }
    SHOW(sigtimedwait(&one, NULL, &t) == SIGCHLD);
    SHOW(wait(NULL) > 0);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

CASE(children)
{
    set(SIGCHLD, handler, 0);
    count = 0;
    if (!fork())
        _exit(0);
    while (!count)
        pause();
    show_count();
    SHOW(wait(NULL) > 0);
    signal(SIGCHLD, SIG_IGN);
    if (!fork())
        _exit(0);
    SHOW(wait(NULL));
    signal(SIGCHLD, SIG_DFL);
}

static sigjmp_buf out;

static void on_segv(int signo, siginfo_t *si, void *context)
{
    (void)context;
    printf("signal %d, code %d, address %lx\n", signo, si->si_code, (long)si->si_addr);
    siglongjmp(out, 1);
}

CASE(catching_faults)
{
    struct sigaction a = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

    sigaction(SIGSEGV, &a, NULL);
    for (uintptr_t address = 0x10; address < 0x2000; address += 0x1000)
        if (!sigsetjmp(out, 1))
            *(volatile int *)address = 1;
}
