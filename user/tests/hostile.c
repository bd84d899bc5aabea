/* user/tests/hostile.c - calls that no honest program makes; each once hung or crashed the kernel, or got
 * round it. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static void rest(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000l };

    while (nanosleep(&t, &t))
        ;
}

/* A child that calls fn. */
static pid_t start(void (*fn)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        fn();
        _exit(0);
    }
    return pid;
}

/* How a child ended, within a second or two. */
static void show_end(const char *who, pid_t pid)
{
    int status;

    for (int i = 0; i < 200; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            printf("%s: %s %d\n", who, WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            return;
        }
        rest(10);
    }
    printf("%s: does not end\n", who);
}

/* ---- a file that is one hole, cut in the middle of a page ---- */

CASE(cut_hole)
{
    int fd = open("hole", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char c = 1;

    SHOW(ftruncate(fd, 1000000));
    SHOW(ftruncate(fd, 5000));
    SHOW(pread(fd, &c, 1, 4999));
    SHOW(c);
    SHOW(pread(fd, &c, 1, 5000));
    close(fd);
    unlink("hole");
}

/* ---- a place in the tree that is no file ---- */

CASE(open_place)
{
    char c;
    int fd = open("/proc/self", O_PATH | O_NOFOLLOW);

    SHOW(fd >= 0);
    SHOW(read(fd, &c, 1));
    close(fd);
}

/* ---- moving the sleepers of a futex to itself ---- */

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3 };

static uint32_t word;

static void *stack_of(int i)
{
    static char stacks[3][8192];

    return stacks[i] + sizeof stacks[i];
}

static int sleep_on_word(void *arg)
{
    (void)arg;
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
    return 0;
}

CASE(requeue_to_itself)
{
    for (int i = 0; i < 3; i++)
        clone(sleep_on_word, stack_of(i), CLONE_VM | SIGCHLD, NULL);
    rest(100);
    SHOW(syscall(SYS_futex, &word, FUTEX_REQUEUE, 0, INT32_MAX, &word, 0));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE, 10, NULL, NULL, 0));
    for (int i = 0; i < 3; i++)
        SHOW_OK(wait(NULL));
}

/* ---- an interval shorter than an interrupt takes ---- */

CASE(shortest_interval)
{
    struct itimerval often = { { 0, 1 }, { 0, 1 } }, never = { { 0, 0 }, { 0, 0 } };
    struct timespec begin, now;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    SHOW(setitimer(ITIMER_REAL, &often, NULL));
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec - begin.tv_sec < 2);
    SHOW(setitimer(ITIMER_REAL, &never, NULL));
    SHOW(sigtimedwait(&set, NULL, &(struct timespec){ 0, 0 }) == SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- a base address for a thread's storage that the processor refuses ---- */

static int return_zero(void *arg)
{
    (void)arg;
    return 0;
}

CASE(bad_thread_storage)
{
    SHOW(clone(return_zero, stack_of(0), CLONE_VM | CLONE_SETTLS | SIGCHLD, NULL, NULL,
               (void *)0x8000000000000000, NULL));
    SHOW(clone(return_zero, stack_of(0), CLONE_VM | CLONE_SETTLS | SIGCHLD, NULL, NULL,
               (void *)0xffffffff80100000, NULL));
}

/* ---- SIGKILL, asked for as if it could be had ---- */

static void await_kill(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 20; i++)
        sigwaitinfo(&all, NULL);
}

CASE(kill_who_awaits_it)
{
    pid_t pid = start(await_kill);

    rest(50);
    SHOW(kill(pid, SIGKILL));
    show_end("the one that awaits SIGKILL", pid);
}

/* ---- two readers of one pipe ---- */

static int ends[2];

static void read_for_ever(void)
{
    char c;

    close(ends[1]);
    (void)!read(ends[0], &c, 1);
}

CASE(second_reader)
{
    pid_t first, second;
    char c;

    SHOW(pipe(ends));
    first = start(read_for_ever);
    rest(50);
    second = start(read_for_ever);
    rest(50);
    kill(second, SIGKILL);
    show_end("the reader behind another", second);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    alarm(3);
    SHOW(read(ends[0], &c, 1));
    alarm(0);
    SHOW(write(ends[1], "x", 1));
    show_end("the first reader", first);
    close(ends[0]);
    close(ends[1]);
}

/* ---- a group killed while it forks ---- */

enum { GENERATIONS = 3000 };

/* Each child is the next to fork; ends[1] is open as long as one of them lives. */
static void fork_on_and_on(void)
{
    setpgid(0, 0);
    for (int i = 0; i < GENERATIONS; i++) {
        pid_t pid = fork();
        if (pid > 0)
            _exit(0);
    }
}

/* Are all ends[1] closed within two seconds? */
static int all_gone(void)
{
    struct pollfd end = { .fd = ends[0] };

    return poll(&end, 1, 2000) == 1 && end.revents == POLLHUP;
}

CASE(kill_forking_groups)
{
    int left = 0;

    for (int i = 0; i < 40; i++) {
        if (pipe(ends))
            return;
        pid_t pid = start(fork_on_and_on);
        close(ends[1]);
        waitpid(pid, NULL, 0);
        kill(-pid, SIGKILL);
        left += !all_gone();
        close(ends[0]);
    }
    SHOW(left);
}

/* ---- stopped and killed at once ---- */

static void run_for_ever(void)
{
    for (;;)
        ;
}

CASE(stop_and_kill)
{
    int left = 0;

    for (int i = 0; i < 200; i++) {
        pid_t pid = start(run_for_ever);
        sched_yield();
        kill(pid, SIGSTOP);
        for (volatile int delay = i % 50 * 200; delay; delay--)
            ;
        kill(pid, SIGKILL);
        int gone = 0;
        for (int wait = 0; wait < 400 && !gone; wait++) {
            gone = waitpid(pid, NULL, WNOHANG) == pid;
            if (!gone)
                rest(5);
        }
        left += !gone;
    }
    SHOW(left);
}

/* ---- a child's end and its SIGCHLD come together ---- */

static void ignore(int signo)
{
    (void)signo;
}

CASE(wait_with_handler)
{
    struct sigaction action = { .sa_handler = ignore };
    int interrupted = 0, lost = 0;

    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < 400; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        while (waitpid(pid, NULL, 0) < 0 && !lost) {
            lost += errno != EINTR;
            interrupted++;
        }
    }
    SHOW(interrupted);
    SHOW(lost);
    signal(SIGCHLD, SIG_DFL);
}

/* ---- 64 TiB reserved, one page used ---- */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void do_nothing(void) {}

CASE(vast_reservation)
{
    const size_t size = 1ul << 46;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    double begin = seconds();

    if (p == MAP_FAILED)
        return;
    p[size / 3] = 1;
    show_end("a child with 64 TiB", start(do_nothing));
    SHOW(munmap(p, size));
    SHOW(seconds() - begin < 1.5);
}

/* ---- the file of a program that runs, opened to be read and cut ---- */

CASE(cut_running_program)
{
    char copy[] = "program", *argv[] = { copy, (char *)"rest", NULL };
    int in = open(this_program, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT, 0700);
    char bytes[4096];
    pid_t pid;

    for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;)
        (void)!write(out, bytes, (size_t)n);
    close(out);
    pid = fork();
    if (pid == 0) {
        execv("./program", argv);
        _exit(1);
    }
    rest(200);
    SHOW(open(copy, O_RDONLY | O_TRUNC));
    SHOW(open(copy, O_WRONLY | O_TRUNC));
    SHOW(truncate(copy, 0));
    kill(pid, SIGKILL);
    show_end("the program", pid);
    SHOW_OK(open(copy, O_RDONLY | O_TRUNC));
}

HELPER(rest)
{
    (void)argv;
    rest(10000);
    return argc;
}
