/* user/tests/more_processes.c - what a child inherits, what exec keeps, what wait tells, who gets which
 * signal. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile int handled, last, code, value;
static int p[2];

static void nap(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

static void handler(int signo)
{
    handled++;
    last = signo;
}

static void info_handler(int signo, siginfo_t *si, void *context)
{
    (void)context;
    handled++;
    last = signo;
    code = si->si_code;
    value = si->si_status;
}

static void set(int signo, int flags)
{
    sigaction(signo, &(struct sigaction){ .sa_handler = handler, .sa_flags = flags }, NULL);
}

static void set_info(int signo, int flags)
{
    sigaction(signo, &(struct sigaction){ .sa_sigaction = info_handler, .sa_flags = flags | SA_SIGINFO },
              NULL);
}

static void show_status(int status)
{
    if (WIFEXITED(status))
        printf("exited with %d\n", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("killed by %d\n", WTERMSIG(status));
    else
        printf("%s\n", WIFSTOPPED(status) ? "stopped" : "goes on");
}

static void show_child(void)
{
    int status = 0;

    if (wait(&status) < 0)
        say("no child");
    else
        show_status(status);
}

CASE(exit_statuses)
{
    static const int statuses[] = { 0, 1, 127, 255, 256, 257, -1 };

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (!fork())
            _exit(statuses[i]);
        show_child();
    }
}

CASE(killed_by_each)
{
    for (int signo = 1; signo < 32; signo++) {
        if (signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU)
            continue;
        if (!fork()) {
            raise(signo);
            _exit(77);
        }
        printf("%d: ", signo);
        show_child();
    }
}

CASE(a_child_inherits)
{
    sigset_t block;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    signal(SIGUSR2, SIG_IGN);
    set(SIGHUP, 0);
    umask(027);
    alarm(100);
    raise(SIGUSR1);
    fflush(stdout);
    if (!fork()) {
        sigset_t now;
        struct sigaction a;
        sigprocmask(SIG_SETMASK, NULL, &now);
        SHOW(sigismember(&now, SIGUSR1));
        sigpending(&now);
        SHOW(sigismember(&now, SIGUSR1)); /* what waits is not inherited */
        sigaction(SIGUSR2, NULL, &a);
        SHOW(a.sa_handler == SIG_IGN);
        sigaction(SIGHUP, NULL, &a);
        SHOW(a.sa_handler == handler);
        SHOW(umask(0));
        SHOW(alarm(0)); /* nor are alarms */
        _exit(0);
    }
    show_child();
    SHOW(alarm(0) > 90);
}

HELPER(tell)
{
    sigset_t now;
    struct sigaction a;

    (void)argc;
    (void)argv;
    sigprocmask(SIG_SETMASK, NULL, &now);
    SHOW(sigismember(&now, SIGUSR1));
    sigpending(&now);
    SHOW(sigismember(&now, SIGUSR1)); /* what waits stays */
    sigaction(SIGUSR2, NULL, &a);
    SHOW(a.sa_handler == SIG_IGN);
    sigaction(SIGHUP, NULL, &a);
    SHOW(a.sa_handler == SIG_DFL);
    SHOW(umask(0));
    SHOW(alarm(0) > 90); /* and so do alarms */
    SHOW(getenv("WORD") && !strcmp(getenv("WORD"), "value"));
    SHOW(fcntl(10, F_GETFD));
    SHOW(fcntl(11, F_GETFD));
    SHOW(access("marker", F_OK));
    return 5;
}

CASE(exec_keeps)
{
    sigset_t block;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    signal(SIGUSR2, SIG_IGN);
    set(SIGHUP, 0);
    umask(027);
    alarm(100);
    raise(SIGUSR1);
    setenv("WORD", "value", 1);
    dup2(0, 10);
    dup3(0, 11, O_CLOEXEC);
    close(creat("marker", 0600));
    execl(this_program, this_program, "tell", NULL);
}

HELPER(arguments)
{
    for (int i = 2; i < argc; i++)
        printf("[%s]", argv[i]);
    printf(" %d\n", argc);
    return 0;
}

CASE(exec_passes_words)
{
    char long_word[3000];

    memset(long_word, 'w', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = 0;
    if (!fork()) {
        execl(this_program, this_program, "arguments", "", "a b", "\xff\n", "*", NULL);
        _exit(1);
    }
    show_child();
    execl(this_program, "another name", "arguments", long_word, NULL);
}

CASE(a_failed_exec_changes_nothing)
{
    set(SIGUSR1, 0);
    SHOW(execl("/nothing", "x", NULL));
    raise(SIGUSR1);
    SHOW(handled);
    SHOW(fcntl(0, F_GETFD));
}

CASE(vfork_waits_for_the_child)
{
    volatile int shared = 1;
    pid_t pid = vfork();

    if (!pid) {
        shared = 2; /* the same memory */
        nap(30);
        _exit(6);
    }
    SHOW(shared);
    show_child();
    pid = vfork();
    if (!pid) {
        execl(this_program, this_program, "arguments", "after vfork", NULL);
        _exit(1);
    }
    show_child();
}

CASE(waiting_for_a_group)
{
    int status;
    pid_t one = fork(), two;

    if (!one)
        pause();
    setpgid(one, one);
    two = fork();
    if (!two)
        _exit(4);
    SHOW(waitpid(-one, &status, WNOHANG));
    SHOW(waitpid(0, &status, 0) == two);
    show_status(status);
    SHOW(waitpid(0, &status, WNOHANG));
    kill(one, SIGTERM);
    SHOW(waitpid(-one, &status, 0) == one);
    show_status(status);
    SHOW(waitpid(-one, &status, 0));
}

CASE(stopped_and_continued)
{
    int status;
    pid_t pid = fork();

    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    SHOW(waitpid(pid, &status, WUNTRACED) == pid);
    show_status(status);
    SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
    kill(pid, SIGCONT);
    SHOW(waitpid(pid, &status, WCONTINUED) == pid);
    SHOW(WIFCONTINUED(status));
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGTERM); /* waits until it goes on */
    nap(30);
    SHOW(waitpid(pid, &status, WNOHANG));
    kill(pid, SIGCONT);
    SHOW(waitpid(pid, &status, 0) == pid);
    show_status(status);
}

CASE(what_sigchld_tells)
{
    set_info(SIGCHLD, 0);
    pid_t pid = fork();
    if (!pid)
        _exit(9);
    while (!handled)
        nap(5);
    printf("%d %d\n", code == CLD_EXITED, value);
    wait(NULL);
    handled = 0;
    pid = fork();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    while (!handled)
        nap(5);
    printf("%d %d\n", code == CLD_STOPPED, value);
    handled = 0;
    kill(pid, SIGCONT);
    while (!handled)
        nap(5);
    printf("%d %d\n", code == CLD_CONTINUED, value);
    handled = 0;
    kill(pid, SIGKILL);
    while (!handled)
        nap(5);
    printf("%d %d\n", code == CLD_KILLED, value);
}

CASE(sigchld_without_stops)
{
    set(SIGCHLD, SA_NOCLDSTOP);
    pid_t pid = fork();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    waitpid(pid, NULL, WUNTRACED);
    kill(pid, SIGCONT);
    nap(20);
    SHOW(handled);
    kill(pid, SIGKILL);
    SHOW(waitpid(pid, NULL, 0) == pid);
    nap(10);
    SHOW(handled);
}

CASE(children_nobody_waits_for)
{
    signal(SIGCHLD, SIG_IGN);
    if (!fork())
        _exit(1);
    SHOW(wait(NULL)); /* until all are gone, then there are none */
    sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_NOCLDWAIT }, NULL);
    if (!fork())
        _exit(1);
    for (int i = 0; i < 400 && !handled; i++)
        nap(5);
    SHOW(handled);
    SHOW(wait(NULL));
}

CASE(interrupted_wait)
{
    set(SIGALRM, 0);
    pid_t pid = fork();
    if (!pid)
        for (;;)
            pause();
    ualarm(30000, 0);
    SHOW(wait(NULL));
    set(SIGALRM, SA_RESTART);
    set(SIGUSR1, 0);
    ualarm(30000, 0);
    if (!fork()) {
        nap(80);
        kill(pid, SIGTERM);
        nap(1000);
        _exit(0);
    }
    SHOW(wait(NULL) == pid);
}

static volatile int depth, deepest, nested;

static void nest(int signo)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (++nested < 3)
        raise(signo);
    depth--;
}

CASE(nested_handlers)
{
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nest }, NULL);
    raise(SIGUSR1);
    SHOW(deepest); /* the second waits until the first returns */
    deepest = nested = 0;
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nest, .sa_flags = SA_NODEFER }, NULL);
    raise(SIGUSR1);
    SHOW(deepest);
}

static char order[20];

static void note(int signo)
{
    order[strlen(order)] = (char)(signo == SIGUSR1   ? '1'
                                  : signo == SIGUSR2 ? '2'
                                  : signo == SIGHUP  ? 'h'
                                                     : 't');
}

CASE(which_waiting_signal_comes_first)
{
    static const int signals[] = { SIGTERM, SIGUSR2, SIGUSR1, SIGHUP };
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 4; i++) {
        sigaction(signals[i], &(struct sigaction){ .sa_handler = note, .sa_mask = all }, NULL);
        raise(signals[i]);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
    say(order);
}

CASE(masks_of_handlers)
{
    sigset_t both;

    sigemptyset(&both);
    sigaddset(&both, SIGUSR2);
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nest, .sa_mask = both }, NULL);
    set(SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, &both, NULL);
    raise(SIGUSR2);
    raise(SIGUSR1);
    SHOW(handled);
    sigprocmask(SIG_UNBLOCK, &both, NULL);
    SHOW(handled);
}

static sigjmp_buf out;

static void jump(int signo, siginfo_t *si, void *context)
{
    (void)context;
    code = si->si_code;
    last = signo;
    siglongjmp(out, 1);
}

static void try_fault(void (*fn)(void))
{
    if (!sigsetjmp(out, 1))
        fn();
    printf("signal %d, code %d\n", last, code);
}

static volatile char *volatile bad;
static volatile int zero;

static void read_bad(void)
{
    (void)*bad;
}
static void write_bad(void)
{
    *bad = 1;
}
static void divide(void)
{
    zero = 1 / zero;
}
static void undefined(void)
{
    __asm__ volatile("ud2");
}
static void breakpoint(void)
{
    __asm__ volatile("int3");
}
static void privileged(void)
{
    __asm__ volatile("hlt");
}

CASE(codes_of_faults)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &(struct sigaction){ .sa_sigaction = jump, .sa_flags = SA_SIGINFO }, NULL);
    try_fault(read_bad);
    bad = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    try_fault(write_bad);
    bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    try_fault(read_bad);
    bad = (char *)0xffffffff80000000;
    try_fault(read_bad);
    bad = (char *)0x8000000000000000;
    try_fault(read_bad);
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    bad = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    try_fault(read_bad); /* behind the end of the file */
    try_fault(divide);
    try_fault(undefined);
    try_fault(breakpoint);
    try_fault(privileged);
}

CASE(codes_of_senders)
{
    set_info(SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    SHOW(code == SI_USER);
    raise(SIGUSR1);
    SHOW(code == SI_TKILL);
    if (!fork()) {
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    wait(NULL);
    SHOW(code == SI_USER);
    set_info(SIGALRM, 0);
    ualarm(10000, 0);
    nap(100);
    SHOW(code == SI_KERNEL);
}

CASE(interval_timers)
{
    struct itimerval it = { { 0, 10000 }, { 0, 10000 } }, old;

    set(SIGALRM, 0);
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    while (handled < 5)
        nap(1000);
    SHOW(getitimer(ITIMER_REAL, &old));
    SHOW(old.it_interval.tv_usec);
    SHOW(alarm(50)); /* replaces it: rounded, at least a second if any is left */
    SHOW(getitimer(ITIMER_REAL, &old));
    SHOW(old.it_interval.tv_usec);
    SHOW(old.it_value.tv_sec >= 49);
}

CASE(nanosleep_tells_what_is_left)
{
    struct timespec t = { 5, 0 }, left = { 0, 0 };

    set(SIGALRM, SA_RESTART);
    ualarm(30000, 0);
    SHOW(nanosleep(&t, &left));
    SHOW(left.tv_sec);
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += 20000000;
    if (at.tv_nsec >= 1000000000)
        at.tv_sec++, at.tv_nsec -= 1000000000;
    printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
}

CASE(groups_get_signals_together)
{
    int n = 0;
    pid_t leader = 0;

    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        if (!pid)
            for (;;)
                pause();
        leader = leader ? leader : pid;
        setpgid(pid, leader);
    }
    SHOW(kill(-leader, SIGTERM));
    for (int status; wait(&status) > 0;)
        n += WIFSIGNALED(status);
    SHOW(n);
    SHOW(kill(-leader, 0));
}

CASE(killing_a_zombie)
{
    pid_t pid = fork();

    if (!pid)
        _exit(3);
    nap(50);
    SHOW(kill(pid, 0));
    SHOW(kill(pid, SIGKILL));
    SHOW(getpgid(pid) > 0);
    show_child();
    SHOW(kill(pid, 0));
}

CASE(death_of_the_parent)
{
    pipe(p);
    if (!fork()) {
        if (!fork()) {
            int signo = 0;
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            prctl(PR_GET_PDEATHSIG, &signo);
            SHOW(signo);
            close(p[0]);
            write(p[1], "r", 1);
            for (;;)
                pause();
        }
        char c;
        read(p[0], &c, 1);
        _exit(0);
    }
    close(p[1]);
    wait(NULL);
    char c;
    SHOW(read(p[0], &c, 1)); /* all writers are gone */
}

CASE(many_children)
{
    int ok = 0, status;

    for (int i = 0; i < 300; i++) {
        pid_t pid = fork();
        if (!pid)
            _exit(i & 127);
        ok += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == (i & 127);
    }
    SHOW(ok);
}
