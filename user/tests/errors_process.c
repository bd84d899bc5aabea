/* user/tests/errors_process.c - call by call, the errors that its page documents: processes, signals, time.
 */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>

#define BAD      ((void *)8)
#define NOBODY   99999999 /* beyond any pid */
#define FIVE_MS  ((struct timespec){ 0, 5000000 })
#define NO_TIME  ((struct timespec){ 0, 0 })
#define ODD_TIME ((struct timespec){ 0, 1000000000 })

enum { /* <linux/futex.h> */
       FUTEX_WAIT = 0,
       FUTEX_WAKE = 1,
       FUTEX_REQUEUE = 3,
       FUTEX_CMP_REQUEUE = 4,
       FUTEX_WAIT_BITSET = 9,
       FUTEX_WAKE_BITSET = 10
};

static char buf[8192];

static void write_file(const char *path, const char *text, int mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

    write(fd, text, strlen(text));
    fchmod(fd, (mode_t)mode);
    close(fd);
}

static int try_exec(const char *path)
{
    char *argv[] = { (char *)"x", NULL }, *envp[] = { NULL };

    return (int)syscall(SYS_execve, path, argv, envp);
}

CASE(execve_errors)
{
    static char long_name[300], long_path[5000];

    memset(long_name, 'n', 256);
    memset(long_path, '/', 4999);
    mkdir("d", 0755);
    write_file("text", "no program at all", 0755);
    write_file("plain", "#!/bin/true\n", 0644);
    write_file("nowhere", "#!/nothing/there\n", 0755);
    write_file("itself", "#!./itself\n", 0755);
    write_file("cut", "\177ELF", 0755);
    write_file("empty", "", 0755);
    symlink("loop", "loop");
    SHOW(try_exec("nothing"));
    SHOW(try_exec(""));
    SHOW(try_exec("d"));
    SHOW(try_exec("text/x"));
    SHOW(try_exec("text"));
    SHOW(try_exec("plain"));
    SHOW(try_exec("nowhere"));
    SHOW(try_exec("itself"));
    SHOW(try_exec("cut"));
    SHOW(try_exec("empty"));
    SHOW(try_exec("loop"));
    SHOW(try_exec(long_name));
    SHOW(try_exec(long_path));
    SHOW(try_exec("/dev/null"));
    SHOW(try_exec(BAD));
    SHOW(syscall(SYS_execve, "text", BAD, NULL));
    SHOW(syscall(SYS_execve, "text", NULL, BAD));
}

CASE(execve_takes_no_endless_arguments)
{
    static char word[200000];
    char *argv[] = { (char *)"x", word, NULL }, *envp[] = { NULL };

    memset(word, 'w', sizeof word - 1);
    SHOW(execve(this_program, argv, envp));
}

HELPER(count)
{
    (void)argv;
    printf("%d words\n", argc);
    return argc > 2 ? 0 : 7;
}

CASE(execve_takes_many_arguments)
{
    static char *argv[2003];

    argv[0] = this_program;
    argv[1] = (char *)"count";
    for (int i = 2; i < 2002; i++)
        argv[i] = (char *)"another";
    execv(this_program, argv);
}

CASE(wait_errors)
{
    siginfo_t si;
    int status;

    SHOW(wait4(-1, &status, 0, NULL));
    SHOW(wait4(-1, &status, WNOHANG, NULL));
    SHOW(wait4(1, &status, 0, NULL));
    SHOW(wait4(-1, &status, 0x1000, NULL));
    SHOW(wait4(-NOBODY, &status, 0, NULL));
    SHOW(waitid(P_PID, 1, &si, WEXITED));
    SHOW(waitid(P_ALL, 0, &si, 0));
    SHOW(waitid(P_ALL, 0, &si, WEXITED | 0x10000));
    SHOW(waitid((idtype_t)77, 0, &si, WEXITED));
    if (!fork())
        _exit(3);
    SHOW(waitid(P_ALL, 0, NULL, WEXITED | WNOWAIT));
    SHOW(syscall(SYS_wait4, -1, BAD, 0, NULL));
    SHOW(wait4(-1, &status, 0, NULL));
}

CASE(kill_errors)
{
    SHOW(kill(NOBODY, 0));
    SHOW(kill(-NOBODY, SIGTERM));
    SHOW(kill(getpid(), 65));
    SHOW(kill(getpid(), -1));
    SHOW(kill(NOBODY, 65));
    SHOW(kill(getpid(), 64 + 1));
    SHOW(syscall(SYS_tkill, 0, 0));
    SHOW(syscall(SYS_tkill, -1, 0));
    SHOW(syscall(SYS_tkill, NOBODY, 0));
    SHOW(syscall(SYS_tkill, getpid(), 65));
    SHOW(syscall(SYS_tkill, getpid(), 0));
    SHOW(syscall(SYS_tgkill, getpid(), NOBODY, 0));
    SHOW(syscall(SYS_tgkill, 1, getpid(), 0));
    SHOW(syscall(SYS_tgkill, 0, getpid(), 0));
    SHOW(syscall(SYS_tgkill, getpid(), 0, 0));
    SHOW(syscall(SYS_tgkill, getpid(), getpid(), -1));
}

CASE(group_errors)
{
    int go[2];
    char c;
    pid_t pid;

    pipe(go);
    SHOW(setpgid(-1, 0));
    SHOW(setpgid(NOBODY, 0));
    SHOW(setpgid(0, -1));
    SHOW(setpgid(1, 0));
    SHOW(setpgid(0, 0)); /* a session's leader */
    SHOW(getpgid(NOBODY));
    SHOW(getpgid(-1));
    SHOW(getsid(NOBODY));
    SHOW(setsid());
    pid = fork();
    if (!pid) {
        setsid();
        write(go[1], "x", 1);
        pause();
    }
    read(go[0], &c, 1);
    SHOW(setpgid(pid, 0)); /* in another session */
    kill(pid, SIGKILL);
    wait(NULL);
}

CASE(prctl_errors)
{
    char name[20] = "";

    SHOW(prctl(9999));
    SHOW(prctl(PR_SET_PDEATHSIG, 1000));
    SHOW(syscall(SYS_prctl, PR_SET_NAME, BAD));
    SHOW(syscall(SYS_prctl, PR_GET_NAME, BAD));
    SHOW(prctl(PR_SET_NAME, "a name longer than fits"));
    SHOW(prctl(PR_GET_NAME, name));
    say(name);
    SHOW(syscall(SYS_arch_prctl, 0x9999, 0));
    SHOW(syscall(SYS_arch_prctl, 0x1003, BAD));
    SHOW(syscall(SYS_arch_prctl, 0x1002, 0x8000000000000000));
}

CASE(rlimit_errors)
{
    struct rlimit odd = { 10, 5 }, now;

    SHOW(getrlimit(99, &now));
    SHOW(setrlimit(99, &odd));
    SHOW(setrlimit(RLIMIT_NOFILE, &odd));
    SHOW(syscall(SYS_getrlimit, RLIMIT_NOFILE, BAD));
    SHOW(syscall(SYS_setrlimit, RLIMIT_NOFILE, BAD));
    SHOW(syscall(SYS_prlimit64, NOBODY, RLIMIT_NOFILE, NULL, &now));
    SHOW(syscall(SYS_prlimit64, 0, 99, NULL, &now));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &odd, NULL));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, BAD));
    SHOW(getrlimit(RLIMIT_NOFILE, &now));
    SHOW(now.rlim_cur);
}

CASE(rusage_errors)
{
    static struct rusage use;
    SHOW(getrusage(99, &use));
    SHOW(getrusage(-2, &use));
    SHOW(syscall(SYS_getrusage, 0, BAD));
    SHOW(getrusage(RUSAGE_SELF, &use));
    SHOW(getrusage(RUSAGE_CHILDREN, &use));
    SHOW(getrusage(1, &use));
    SHOW(syscall(SYS_times, BAD));
    SHOW(syscall(SYS_times, NULL) > 0);
}

CASE(sigaction_errors)
{
    struct sigaction act = { .sa_handler = SIG_IGN };

    SHOW(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGHUP, NULL, NULL, 4));
    SHOW(syscall(SYS_rt_sigaction, SIGHUP, BAD, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGHUP, NULL, BAD, 8));
    SHOW(sigaction(SIGKILL, &act, NULL));
    SHOW(sigaction(SIGSTOP, &act, NULL));
    SHOW(sigaction(SIGKILL, NULL, &act));
}

CASE(sigprocmask_errors)
{
    uint64_t set = 1;

    SHOW(syscall(SYS_rt_sigprocmask, 3, &set, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, -1, &set, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, 77, NULL, &set, 8)); /* how is not looked at without a set */
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8));
    set = ~0ull;
    SHOW(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &set, 8));
    printf("%llx\n", (unsigned long long)~set); /* SIGKILL and SIGSTOP */
    SHOW(syscall(SYS_rt_sigpending, &set, 16));
    SHOW(syscall(SYS_rt_sigpending, BAD, 8));
    SHOW(syscall(SYS_rt_sigsuspend, &set, 4));
}

CASE(sigtimedwait_errors)
{
    uint64_t set = 1;

    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &NO_TIME, 4));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &ODD_TIME, 8));
    SHOW(syscall(SYS_rt_sigtimedwait, BAD, NULL, &NO_TIME, 8));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, BAD, 8));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &NO_TIME, 8));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &FIVE_MS, 8));
}

static volatile int on_stack_result;

static void on_stack(int signo)
{
    static char another[20000];
    stack_t ss = { .ss_sp = another, .ss_size = sizeof another };

    (void)signo;
    on_stack_result = sigaltstack(&ss, NULL) ? errno : 0;
}

CASE(sigaltstack_errors)
{
    static char stack[20000];
    stack_t ss = { .ss_sp = stack, .ss_size = 100 }, old;
    struct sigaction act = { .sa_handler = on_stack, .sa_flags = SA_ONSTACK };

    SHOW(syscall(SYS_sigaltstack, &ss, NULL));
    ss = (stack_t){ .ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 77 };
    SHOW(syscall(SYS_sigaltstack, &ss, NULL));
    SHOW(syscall(SYS_sigaltstack, BAD, NULL));
    SHOW(syscall(SYS_sigaltstack, NULL, BAD));
    ss.ss_flags = 0;
    SHOW(sigaltstack(&ss, NULL));
    SHOW(sigaltstack(NULL, &old));
    SHOW(old.ss_flags);
    SHOW(old.ss_size);
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    say(errno_name(on_stack_result));
    ss.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&ss, NULL));
    SHOW(sigaltstack(NULL, &old));
    SHOW(old.ss_flags);
}

CASE(nanosleep_errors)
{
    struct timespec negative = { -1, 0 }, below = { 0, -1 };

    SHOW(nanosleep(&ODD_TIME, NULL));
    SHOW(nanosleep(&negative, NULL));
    SHOW(nanosleep(&below, NULL));
    SHOW(syscall(SYS_nanosleep, BAD, NULL));
    SHOW(syscall(SYS_nanosleep, &FIVE_MS, BAD));
    SHOW(syscall(SYS_clock_nanosleep, 77, 0, &FIVE_MS, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ODD_TIME, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &FIVE_MS, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &FIVE_MS, BAD));
}

CASE(clock_errors)
{
    static struct timespec t;

    SHOW(syscall(SYS_clock_gettime, 77, &t));
    SHOW(syscall(SYS_clock_gettime, -1, &t));
    SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, BAD));
    SHOW(syscall(SYS_clock_getres, 77, &t));
    SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, BAD));
    SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
    SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t));
    printf("%ld s %ld ns\n", (long)t.tv_sec, t.tv_nsec);
    for (int id = CLOCK_REALTIME; id <= CLOCK_BOOTTIME; id++)
        printf("clock %d: %ld\n", id, syscall(SYS_clock_gettime, id, &t));
    SHOW(syscall(SYS_gettimeofday, BAD, NULL));
    SHOW(syscall(SYS_gettimeofday, NULL, NULL));
    SHOW(syscall(SYS_time, BAD));
    SHOW(syscall(SYS_time, NULL) > 1600000000);
}

CASE(itimer_errors)
{
    struct itimerval it = { { 0, 0 }, { 0, 1000000 } };

    SHOW(setitimer(77, &it, NULL));
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    it.it_value = (struct timeval){ -1, 0 };
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    it.it_value = (struct timeval){ 0, -1 };
    SHOW(setitimer(ITIMER_REAL, &it, NULL));
    SHOW(syscall(SYS_setitimer, ITIMER_REAL, BAD, NULL));
    SHOW(getitimer(77, &it));
    SHOW(syscall(SYS_getitimer, ITIMER_REAL, BAD));
    SHOW(getitimer(ITIMER_REAL, &it));
    SHOW(it.it_value.tv_sec + it.it_value.tv_usec);
}

CASE(futex_errors)
{
    static uint32_t word[4] = { 5 };

    SHOW(syscall(SYS_futex, word, FUTEX_WAIT, 4, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT, 5, &NO_TIME, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT, 5, &FIVE_MS, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT, 5, &ODD_TIME, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT, 5, BAD, NULL, 0));
    SHOW(syscall(SYS_futex, (char *)word + 1, FUTEX_WAIT, 5, &FIVE_MS, NULL, 0));
    SHOW(syscall(SYS_futex, (char *)word + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, BAD, FUTEX_WAIT, 5, &FIVE_MS, NULL, 0));
    SHOW(syscall(SYS_futex, word, 99, 5, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT_BITSET, 5, &NO_TIME, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_WAIT_BITSET, 5, &NO_TIME, NULL, 1));
    SHOW(syscall(SYS_futex, word, FUTEX_WAKE_BITSET, 5, NULL, NULL, 0));
    SHOW(syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 1, (void *)1, word + 1, 4));
    SHOW(syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 1, (void *)1, word + 1, 5));
    SHOW(syscall(SYS_futex, word, FUTEX_REQUEUE, -1, (void *)1, word + 1, 0));
    SHOW(syscall(SYS_set_robust_list, word, 8));
}

CASE(scheduling_errors)
{
    unsigned long mask[16];

    SHOW(syscall(SYS_sched_getaffinity, 0, 1, mask));
    SHOW(syscall(SYS_sched_getaffinity, 0, 9, mask));
    SHOW(syscall(SYS_sched_getaffinity, NOBODY, sizeof mask, mask));
    SHOW(syscall(SYS_sched_getaffinity, 0, sizeof mask, BAD));
    SHOW(syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) > 0);
    SHOW(syscall(SYS_getcpu, BAD, NULL, NULL));
    SHOW(syscall(SYS_getcpu, NULL, NULL, NULL));
    SHOW(sched_yield());
}

CASE(telling_errors)
{
    SHOW(syscall(SYS_uname, BAD));
    SHOW(syscall(SYS_sysinfo, BAD));
    SHOW(syscall(SYS_getrandom, BAD, 10, 0));
    SHOW(syscall(SYS_getrandom, buf, 10, 0x100));
    SHOW(syscall(SYS_getrandom, buf, 10, 6)); /* GRND_RANDOM and GRND_INSECURE */
    SHOW(syscall(SYS_getrandom, buf, 0, 0));
    SHOW(syscall(SYS_getrandom, buf, 100, 0));
    SHOW(syscall(SYS_getrandom, buf, 100, 1));
}

CASE(clone_errors)
{
    uint64_t args[16] = { 0 };

    SHOW(syscall(SYS_clone, CLONE_SIGHAND, NULL, NULL, NULL, 0));
    SHOW(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, NULL, NULL, NULL, 0));
    SHOW(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0));
    SHOW(syscall(SYS_clone3, args, 63));
    SHOW(syscall(SYS_clone3, args, 4097));
    SHOW(syscall(SYS_clone3, BAD, 64));
    args[15] = 1;
    SHOW(syscall(SYS_clone3, args, 128));
    args[15] = 0;
    args[0] = CLONE_SIGHAND;
    SHOW(syscall(SYS_clone3, args, 64));
    args[0] = SIGCHLD; /* a signal belongs in another field */
    SHOW(syscall(SYS_clone3, args, 64));
    args[0] = 0;
    args[4] = 65;
    SHOW(syscall(SYS_clone3, args, 64));
    args[4] = SIGCHLD;
    args[5] = 4096; /* a stack, and no size of it */
    SHOW(syscall(SYS_clone3, args, 64));
}

CASE(unknown_calls)
{
    SHOW(syscall(999));
    SHOW(syscall(-1));
    SHOW(syscall(0x7fffffff));
    SHOW(syscall(SYS_create_module));
    SHOW(syscall(SYS_get_kernel_syms));
    SHOW(syscall(SYS_nfsservctl));
}
