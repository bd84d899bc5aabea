/* user/tests/ptrace.c - tracing: stops and what they tell, registers and memory, events, and races with the
 * end. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

static long word = 1234567;

static const char *kind_of(int status)
{
    static char text[64];

    if (WIFEXITED(status))
        snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "killed %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "stopped %d%s event %d", WSTOPSIG(status) & 0x7f,
                 WSTOPSIG(status) & 0x80 ? " at a call" : "", status >> 16);
    return text;
}

static int next_stop(pid_t pid)
{
    int status = 0;
    pid_t got = waitpid(pid, &status, __WALL);

    printf("%s: %s\n", got > 0 ? "news" : "no news", got > 0 ? kind_of(status) : errno_name(errno));
    return status;
}

/* A child that is traced and stands in its first stop. */
static pid_t traced(void (*fn)(void), long options)
{
    pid_t pid = fork();
    int status;

    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        fn();
        _exit(7);
    }
    waitpid(pid, &status, 0);
    if (options)
        ptrace(PTRACE_SETOPTIONS, pid, 0, options);
    return pid;
}

static void end(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
        ;
}

static void nothing(void) {}

static void two_calls(void)
{
    syscall(SYS_getppid);
    syscall(SYS_lseek, -1, 11, 22);
}

CASE(stops_before_and_after_each_call)
{
    pid_t pid = traced(two_calls, PTRACE_O_TRACESYSGOOD);
    struct user_regs_struct r;

    for (int i = 0; i < 6; i++) {
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
        if (!WIFSTOPPED(next_stop(pid)))
            break;
        ptrace(PTRACE_GETREGS, pid, 0, &r);
        if (r.orig_rax == SYS_lseek)
            printf("lseek(%d, %lu, %lu) rax %lld\n", (int)r.rdi, r.rsi, r.rdx, (long long)r.rax);
        else
            printf("call %lld\n", (long long)r.orig_rax);
    }
    end(pid);
}

CASE(a_call_is_changed_and_skipped)
{
    pid_t pid = traced(two_calls, PTRACE_O_TRACESYSGOOD);
    struct user_regs_struct r;

    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETREGS, pid, 0, &r);
    r.orig_rax = (unsigned long long)-1;
    r.rax = 4242;
    SHOW(ptrace(PTRACE_SETREGS, pid, 0, &r));
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETREGS, pid, 0, &r);
    printf("rax %lld\n", (long long)r.rax);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

CASE(what_a_call_stop_tells)
{
    pid_t pid = traced(two_calls, PTRACE_O_TRACESYSGOOD);
    unsigned char info[88];

    printf("%ld op %d\n", ptrace(0x420e, pid, sizeof info, info), info[0]);
    for (int i = 0; i < 4; i++) {
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
        next_stop(pid);
        long n = ptrace(0x420e, pid, sizeof info, info);
        printf("%ld op %d arch %x nr or result %lld\n", n, info[0], *(unsigned *)(info + 4),
               i % 2 ? 0 : *(long long *)(info + 24));
    }
    end(pid);
}

static void set_word(void)
{
    _exit(word == 99 ? 3 : 4);
}

CASE(memory_is_read_and_written)
{
    pid_t pid = traced(set_word, 0);
    long copy = 0;
    struct iovec ours = { &copy, sizeof copy }, theirs = { &word, sizeof word };

    SHOW(ptrace(PTRACE_PEEKDATA, pid, &word, 0));
    SHOW(process_vm_readv(pid, &ours, 1, &theirs, 1, 0));
    printf("%ld\n", copy);
    SHOW(ptrace(PTRACE_PEEKDATA, pid, 8, 0));
    SHOW(ptrace(PTRACE_POKEDATA, pid, 8, 1));
    SHOW(ptrace(PTRACE_POKEDATA, pid, &word, 99));
    theirs.iov_base = (void *)8;
    SHOW(process_vm_readv(pid, &ours, 1, &theirs, 1, 0));
    SHOW(process_vm_readv(pid, &ours, 1, &theirs, 1, 7));
    SHOW(process_vm_readv(4000000, &ours, 1, &theirs, 1, 0));
    SHOW(ptrace(PTRACE_POKETEXT, pid, set_word, ptrace(PTRACE_PEEKTEXT, pid, set_word, 0)));
    printf("here it is %ld\n", word);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

CASE(registers)
{
    pid_t pid = traced(nothing, 0);
    struct user_regs_struct r, again;
    struct user_fpregs_struct f;
    struct iovec v = { &again, sizeof again };

    SHOW(ptrace(PTRACE_GETREGS, pid, 0, &r));
    SHOW(ptrace(PTRACE_GETREGSET, pid, 1, &v));
    printf("%zu bytes, the same: %d\n", v.iov_len, !memcmp(&r, &again, sizeof r));
    printf("cs %lx ss %lx rip: %d\n", r.cs, r.ss,
           (uint64_t)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0) == r.rip);
    SHOW(ptrace(PTRACE_PEEKUSER, pid, 3, 0));
    SHOW(ptrace(PTRACE_PEEKUSER, pid, 100000, 0));
    r.r12 = 77;
    r.eflags |= 0x3000; /* the I/O privilege is not a tracer's to give */
    SHOW(ptrace(PTRACE_SETREGS, pid, 0, &r));
    ptrace(PTRACE_GETREGS, pid, 0, &again);
    printf("r12 %lu privilege %lx\n", again.r12, again.eflags & 0x3000);
    SHOW(ptrace(PTRACE_GETFPREGS, pid, 0, &f));
    f.mxcsr = 0x1fa0;
    SHOW(ptrace(PTRACE_SETFPREGS, pid, 0, &f));
    ptrace(PTRACE_GETFPREGS, pid, 0, &f);
    printf("mxcsr %x\n", f.mxcsr);
    r.rip = 0x8000000000000000ull; /* not canonical */
    ptrace(PTRACE_SETREGS, pid, 0, &r);
    ptrace(PTRACE_CONT, pid, 0, 0);
    printf("%s\n", WIFSTOPPED(next_stop(pid)) ? "it faults" : "");
    end(pid);
}

static void three_instructions(void)
{
    __asm__ volatile("int3; nop; nop; nop" ::: "memory");
}

CASE(a_breakpoint_and_single_steps)
{
    pid_t pid = traced(three_instructions, 0);
    struct user_regs_struct r;
    siginfo_t si;
    unsigned long before;

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
    printf("signo %d code %d\n", si.si_signo, si.si_code);
    ptrace(PTRACE_GETREGS, pid, 0, &r);
    before = r.rip;
    for (int i = 0; i < 3; i++) {
        ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
        next_stop(pid);
        ptrace(PTRACE_GETREGS, pid, 0, &r);
        ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
        printf("%lu on, code %d, flag %d\n", r.rip - before, si.si_code, !!(r.eflags & 0x100));
    }
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

static void raises(void)
{
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGCHLD);
}

CASE(signals_are_shown_dropped_and_replaced)
{
    pid_t pid = traced(raises, 0);
    siginfo_t si;

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    SHOW(ptrace(PTRACE_GETSIGINFO, pid, 0, &si));
    printf("signo %d code %d from it %d\n", si.si_signo, si.si_code, si.si_pid == pid);
    ptrace(PTRACE_CONT, pid, 0, 0); /* SIGUSR1 is dropped */
    next_stop(pid);
    ptrace(PTRACE_CONT, pid, 0, SIGCHLD); /* SIGUSR2 becomes one that is ignored */
    next_stop(pid);                       /* what is ignored is shown as well */
    ptrace(PTRACE_CONT, pid, 0, SIGTERM);
    next_stop(pid);
    SHOW(ptrace(PTRACE_CONT, pid, 0, 0));
}

static void forks(void)
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(5);
    waitpid(pid, &status, 0);
}

CASE(a_fork_is_an_event_and_its_child_is_traced)
{
    pid_t pid = traced(forks, PTRACE_O_TRACEFORK), child;
    unsigned long message = 0;

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    SHOW(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
    child = (pid_t)message;
    next_stop(child);
    ptrace(PTRACE_CONT, child, 0, 0);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(child);
    next_stop(pid); /* its SIGCHLD */
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

static void execs(void)
{
    execl("/proc/self/exe", "ptrace", "becomes_another", NULL);
}

HELPER(becomes_another)
{
    (void)argc, (void)argv;
    return 9;
}

CASE(an_exec_and_an_exit_are_events)
{
    pid_t pid = traced(execs, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
    unsigned long message = 0;

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    printf("the former tid is the pid: %d\n", (pid_t)message == pid);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
    printf("status %lx\n", message);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

CASE(an_exec_without_the_option_is_a_trap)
{
    pid_t pid = traced(execs, 0);

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
}

static void sleeps(void)
{
    for (;;)
        pause();
}

static pid_t sleeper(void)
{
    pid_t pid = fork();

    if (!pid)
        sleeps();
    return pid;
}

CASE(attaching_and_detaching)
{
    pid_t pid = sleeper();
    int status;

    SHOW(ptrace(PTRACE_ATTACH, getpid(), 0, 0));
    SHOW(ptrace(PTRACE_ATTACH, 4000000, 0, 0));
    SHOW(ptrace(PTRACE_CONT, pid, 0, 0));
    SHOW(ptrace(PTRACE_ATTACH, pid, 0, 0));
    next_stop(pid);
    SHOW(ptrace(PTRACE_ATTACH, pid, 0, 0));
    SHOW(ptrace(PTRACE_SETOPTIONS, pid, 0, 0x40000000));
    SHOW(ptrace(PTRACE_CONT, pid, 0, 1000));
    SHOW(ptrace(PTRACE_LISTEN, pid, 0, 0));
    SHOW(ptrace(99999, pid, 0, 0));
    SHOW(ptrace(PTRACE_DETACH, pid, 0, SIGTERM));
    printf("%s\n", waitpid(pid, &status, 0) == pid ? kind_of(status) : "?");
}

CASE(seizing_interrupting_listening)
{
    pid_t pid = sleeper();
    int status;

    SHOW(ptrace(PTRACE_SEIZE, pid, 1, 0));
    SHOW(ptrace(PTRACE_SEIZE, pid, 0, 0));
    SHOW(ptrace(PTRACE_CONT, pid, 0, 0));
    SHOW(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
    next_stop(pid);
    SHOW(ptrace(PTRACE_CONT, pid, 0, 0));
    kill(pid, SIGSTOP);
    next_stop(pid); /* the signal */
    ptrace(PTRACE_CONT, pid, 0, SIGSTOP);
    next_stop(pid); /* the stop of the whole process */
    SHOW(ptrace(PTRACE_LISTEN, pid, 0, 0));
    SHOW(waitpid(pid, &status, WNOHANG | __WALL));
    kill(pid, SIGCONT);
    next_stop(pid); /* it goes on */
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid); /* SIGCONT itself */
    ptrace(PTRACE_CONT, pid, 0, SIGCONT);
    kill(pid, SIGKILL);
    next_stop(pid);
}

CASE(a_tracer_that_ends_lets_go_or_kills)
{
    pid_t pid = sleeper(), tracer = fork();
    int status;

    if (!tracer) {
        ptrace(PTRACE_SEIZE, pid, 0, 0);
        _exit(0);
    }
    waitpid(tracer, &status, 0);
    usleep(20000);
    SHOW(waitpid(pid, &status, WNOHANG));
    tracer = fork();
    if (!tracer) {
        ptrace(PTRACE_SEIZE, pid, 0, 0x100000); /* PTRACE_O_EXITKILL */
        _exit(0);
    }
    waitpid(tracer, &status, 0);
    next_stop(pid);
}

static void *thread_main(void *arg)
{
    *(pid_t *)arg = gettid();
    return NULL;
}

static void makes_a_thread(void)
{
    pthread_t thread;
    pid_t tid;

    pthread_create(&thread, NULL, thread_main, &tid);
    pthread_join(thread, NULL);
    while (!syscall(SYS_tgkill, getpid(), tid,
                    0)) /* until it has ended by itself, and its tracer has heard of that */
        usleep(1000);
}

CASE(a_thread_is_an_event_and_its_end_is_told)
{
    pid_t pid = traced(makes_a_thread, PTRACE_O_TRACECLONE);
    unsigned long tid = 0;

    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop(pid);
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &tid);
    next_stop((pid_t)tid);
    ptrace(PTRACE_CONT, tid, 0, 0);
    ptrace(PTRACE_CONT, pid, 0, 0);
    next_stop((pid_t)tid);
    next_stop(pid);
}

static void calls_for_ever(void)
{
    for (;;)
        syscall(SYS_getppid);
}

/* On two CPUs, SIGKILL meets the tracee at whatever it does, and the tracer whatever it asks for. */
CASE(killed_at_any_moment)
{
    struct user_regs_struct r;
    int ends = 0;

    for (int i = 0; i < 60; i++) {
        pid_t pid = traced(calls_for_ever, PTRACE_O_TRACESYSGOOD), killer = fork();
        int status = 0;
        if (!killer) {
            usleep((useconds_t)(i * 37 % 900));
            kill(pid, SIGKILL);
            _exit(0);
        }
        do {
            ptrace(PTRACE_GETREGS, pid, 0, &r);
            ptrace(PTRACE_SETREGS, pid, 0, &r);
            ptrace(PTRACE_SYSCALL, pid, 0, 0);
        } while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status));
        ends += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        waitpid(killer, &status, 0);
    }
    printf("%d killed\n", ends);
}

/* The tracer goes at any moment, too. */
CASE(a_tracer_killed_at_any_moment)
{
    int ends = 0;

    for (int i = 0; i < 40; i++) {
        pid_t pid = fork(), tracer;
        int status;
        if (!pid)
            calls_for_ever();
        tracer = fork();
        if (!tracer) {
            ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD);
            ptrace(PTRACE_INTERRUPT, pid, 0, 0);
            while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
                ptrace(PTRACE_SYSCALL, pid, 0, 0);
            _exit(0);
        }
        usleep((useconds_t)(i * 53 % 1500));
        kill(tracer, SIGKILL);
        waitpid(tracer, &status, 0);
        kill(pid, SIGKILL);
        ends += waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
    }
    printf("%d killed\n", ends);
}
