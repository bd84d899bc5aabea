/* user/tests/process.c - fork, exec, wait, groups, sessions; orphans; stopping and going on. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

/* What exec passed. */
HELPER(echo)
{
    for (int i = 1; i < argc; i++)
        printf("[%s]", argv[i]);
    printf("\n");
    return argc;
}

static void show_status(int status)
{
    if (WIFEXITED(status))
        printf("exited with %d\n", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("killed by %d\n", WTERMSIG(status));
    else if (WIFSTOPPED(status))
        printf("stopped by %d\n", WSTOPSIG(status));
    else
        printf("goes on: %d\n", WIFCONTINUED(status));
}

static void nap(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

CASE(forking)
{
    int value = 1, status;
    pid_t pid = fork();

    if (!pid) {
        value = 2;
        _exit(getppid() == 1 ? 99 : 40 + value);
    }
    printf("the right child: %d\n", waitpid(pid, &status, 0) == pid);
    show_status(status);
    printf("its memory was its own: %d\n", value);
    SHOW(waitpid(pid, &status, 0));
    SHOW(waitpid(-1, &status, WNOHANG));
    SHOW(waitpid(-1, &status, 12345678));
    pid = fork();
    if (!pid) {
        nap(50);
        _exit(256 + 7);
    }
    SHOW(waitpid(pid, &status, WNOHANG));
    printf("any child: %d\n", wait(&status) == pid);
    show_status(status);
}

CASE(waiting_by_id)
{
    siginfo_t si;
    pid_t pid = fork();

    if (!pid)
        _exit(5);
    SHOW(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
    printf("%d %d %d\n", si.si_signo == SIGCHLD, si.si_code == CLD_EXITED, si.si_status);
    SHOW(waitid(P_ALL, 0, &si, WEXITED));
    printf("%d %d\n", si.si_pid == pid, si.si_status);
    SHOW(waitid(P_PID, (id_t)pid, &si, WEXITED));
    SHOW(waitid(P_PID, (id_t)pid, &si, 0));
}

/* Many at once: each status arrives once. */
CASE(many)
{
    int status, sum = 0, n = 0;

    for (int i = 0; i < 40; i++)
        if (!fork())
            _exit(i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status), n++;
    printf("%d children, sum %d\n", n, sum);
}

static int run(char *const argv[])
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        execv(argv[0], argv);
        _exit(errno == ENOEXEC ? 101 : errno == EACCES ? 102 : errno == ENOENT ? 103 : 104);
    }
    waitpid(pid, &status, 0);
    return status;
}

static void write_file(const char *path, const void *bytes, size_t n, int mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

    write(fd, bytes, n);
    fchmod(fd, (mode_t)mode);
    close(fd);
}

CASE(executing)
{
    char script[PATH_MAX + 40], directory[] = "process-XXXXXX", *path = "./file";
    char *echo[] = { this_program, "echo", "one", "", "two words", NULL };
    char *file[] = { path, "more", NULL };
    char *nothing[] = { "/nothing", NULL }, *a_directory[] = { "/tmp", NULL };

    show_status(run(echo));
    show_status(run(nothing));
    show_status(run(a_directory));
    if (!mkdtemp(directory) || chdir(directory))
        return;
    write_file(path, "\177ELF and then nothing sensible at all, but long enough for a header .....", 70,
               0700);
    show_status(run(file));
    write_file(path, "", 0, 0700);
    show_status(run(file));
    snprintf(script, sizeof script, "#! %s echo from a script \nrest", this_program);
    write_file(path, script, strlen(script), 0600);
    show_status(run(file));
    chmod(path, 0755);
    show_status(run(file));
    snprintf(script, sizeof script, "#!/nothing/here\n");
    write_file(path, script, strlen(script), 0755);
    show_status(run(file));
    unlink(path);
}

/* What of a process survives exec: descriptors without close-on-exec, ignored signals, the mask. */
CASE(inheriting)
{
    char *argv[] = { this_program, "inherited", NULL };
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t set;

    dup2(kept, 20);
    dup3(closed, 21, O_CLOEXEC);
    close(kept);
    close(closed);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, (void (*)(int))show_status);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    show_status(run(argv));
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    close(20);
    close(21);
}

HELPER(inherited)
{
    (void)argc;
    (void)argv;
    struct sigaction a;
    sigset_t set;

    printf("20: %d, 21: %d\n", fcntl(20, F_GETFD), fcntl(21, F_GETFD));
    sigaction(SIGUSR1, NULL, &a);
    printf("SIGUSR1 ignored: %d\n", a.sa_handler == SIG_IGN);
    sigaction(SIGUSR2, NULL, &a);
    printf("SIGUSR2 default: %d\n", a.sa_handler == SIG_DFL);
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("SIGHUP blocked: %d\n", sigismember(&set, SIGHUP));
    return 0;
}

CASE(spawning)
{
    char *argv[] = { this_program, "echo", "spawned", NULL };
    int status;
    pid_t pid;

    int err = posix_spawn(&pid, this_program, NULL, NULL, argv, environ);
    waitpid(pid, &status, 0);
    printf("posix_spawn: %d\n", err);
    show_status(status);
    argv[0] = "/nothing";
    printf("posix_spawn: %s\n", errno_name(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)));
    pid = vfork();
    if (!pid)
        _exit(6);
    waitpid(pid, &status, 0);
    show_status(status);
}

CASE(stopping)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        raise(SIGSTOP);
        _exit(8);
    }
    SHOW(waitpid(pid, &status, WUNTRACED) == pid);
    show_status(status);
    SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
    SHOW(kill(pid, SIGCONT));
    SHOW(waitpid(pid, &status, 0) == pid);
    show_status(status);
    /* In a group of its own, whose parent is outside: an orphaned one, as ours may be, would not stop. */
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        raise(SIGTSTP);
        _exit(8);
    }
    waitpid(pid, &status, WUNTRACED);
    show_status(status);
    SHOW(kill(pid, SIGKILL));
    SHOW(waitpid(pid, &status, 0) == pid);
    show_status(status);
}

CASE(groups)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        SHOW(setsid() == getpid());
        SHOW(getpgrp() == getpid());
        SHOW(getsid(0) == getpid());
        SHOW(setsid());
        SHOW(setpgid(0, 0));
        _exit(0);
    }
    waitpid(pid, &status, 0);
    pid = fork();
    if (!pid) {
        pause();
        _exit(0);
    }
    SHOW(setpgid(pid, pid));
    SHOW(getpgid(pid) == pid);
    SHOW(setpgid(pid, 99999));
    SHOW(kill(-pid, SIGTERM));
    SHOW(waitpid(-pid, &status, 0) == pid);
    show_status(status);
    SHOW(kill(-pid, SIGTERM));
    SHOW(kill(pid, 0));
    SHOW(kill(getpid(), 999));
    SHOW(kill(getpid(), 0));
}

/* A grandchild outlives its parent and gets another. */
CASE(orphans)
{
    int p[2];
    char c;

    pipe(p);
    if (!fork()) {
        pid_t parent = getpid();
        if (!fork()) {
            while (getppid() == parent)
                nap(5);
            write(p[1], "x", 1);
            _exit(0);
        }
        _exit(0);
    }
    wait(NULL);
    close(p[1]);
    SHOW(read(p[0], &c, 1));
    SHOW(read(p[0], &c, 1));
}

static volatile sig_atomic_t told_by;

static void on_end(int signo)
{
    told_by = signo;
}

HELPER(nothing)
{
    (void)argv;
    return argc > 9;
}

/* The signal that a child's end sends is chosen by clone(2), until the child execs or loses its parent: then
 * it is SIGCHLD, or a grandchild could send its choice to pid 1. */
CASE(the_signal_of_an_end)
{
    int p[2];
    char c;

    signal(SIGUSR1, on_end);
    signal(SIGCHLD, on_end);
    if (!syscall(SYS_clone, SIGUSR1, NULL, NULL, NULL, 0))
        _exit(0);
    nap(50);
    printf("told by %d\n", told_by);
    if (!syscall(SYS_clone, SIGUSR1, NULL, NULL, NULL, 0)) {
        execl(this_program, this_program, "nothing", NULL);
        _exit(1);
    }
    nap(100);
    printf("told by %d\n", told_by);
    pipe(p);
    if (!fork()) {
        pid_t parent = getpid();
        if (!syscall(SYS_clone, SIGTERM, NULL, NULL, NULL, 0)) {
            while (getppid() == parent)
                nap(5);
            _exit(0);
        }
        _exit(0);
    }
    close(p[1]);
    SHOW(read(p[0], &c, 1));
}
