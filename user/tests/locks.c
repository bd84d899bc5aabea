/* user/tests/locks.c - flock, fcntl's locks on ranges, and what else fcntl keeps. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static char path[] = "locks-XXXXXX";

static const char *name_of(int e)
{
    return e == EDEADLK ? "EDEADLK" : errno_name(e);
}

static void result(const char *what, int value)
{
    printf("%s: %s\n", what, value == -1 ? name_of(errno) : "ok");
}

static int range(int fd, int cmd, short type, off_t start, off_t length)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };

    return fcntl(fd, cmd, &l);
}

/* Ask in a child, that has no locks of its own, what is in the way. */
static void in_the_way(int fd, int cmd, short type, off_t start, off_t length)
{
    fflush(stdout);
    if (!fork()) {
        struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
        int r = fcntl(fd, cmd, &l);
        if (r)
            printf("  %s\n", name_of(errno));
        else if (l.l_type == F_UNLCK)
            printf("  free\n");
        else
            printf("  %s from %ld, %ld long, %s\n", l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start,
                   (long)l.l_len, l.l_pid == getppid() ? "the parent's" : "of nobody known");
        _exit(0);
    }
    wait(NULL);
}

static void flocks(void)
{
    int a = open(path, O_RDWR), b = open(path, O_RDONLY), same = dup(a);

    say("-- flock");
    result("exclusive", flock(a, LOCK_EX));
    result("again", flock(same, LOCK_EX | LOCK_NB));
    result("another open file", flock(b, LOCK_EX | LOCK_NB));
    result("shared", flock(b, LOCK_SH | LOCK_NB));
    result("down to shared", flock(a, LOCK_SH));
    result("two share", flock(b, LOCK_SH | LOCK_NB));
    result("up again", flock(a, LOCK_EX | LOCK_NB));
    close(a);
    result("a duplicate is open", flock(b, LOCK_EX | LOCK_NB));
    flock(same, LOCK_EX | LOCK_NB);
    close(same);
    result("all are closed", flock(b, LOCK_EX | LOCK_NB));
    result("unlock", flock(b, LOCK_UN));
    result("unlock what is not locked", flock(b, LOCK_UN));
    result("nonsense", flock(b, 77));
    result("no file", flock(99, LOCK_SH));
    close(b);
    a = open(path, O_PATH);
    result("a place", flock(a, LOCK_SH));
    close(a);
}

static void flock_waits(void)
{
    int a = open(path, O_RDWR), status;

    flock(a, LOCK_EX);
    if (!fork()) {
        int b = open(path, O_RDWR);
        flock(b, LOCK_EX);
        printf("the child has it\n");
        _exit(0);
    }
    usleep(20000);
    printf("the parent lets go\n");
    flock(a, LOCK_UN);
    wait(&status);
    result("it ended with its lock", flock(a, LOCK_EX | LOCK_NB));
    close(a);
}

static void ranges(void)
{
    int fd = open(path, O_RDWR), ro = open(path, O_RDONLY), wo = open(path, O_WRONLY), other;

    say("-- ranges");
    result("write 10-19", range(fd, F_SETLK, F_WRLCK, 10, 10));
    in_the_way(fd, F_GETLK, F_WRLCK, 0, 10);
    in_the_way(fd, F_GETLK, F_RDLCK, 15, 100);
    in_the_way(fd, F_GETLK, F_WRLCK, 20, 0);
    in_the_way(fd, F_SETLK, F_WRLCK, 19, 1);
    result("read 14-15", range(fd, F_SETLK, F_RDLCK, 14, 2));
    in_the_way(fd, F_GETLK, F_RDLCK, 14, 2);
    in_the_way(fd, F_GETLK, F_WRLCK, 14, 2);
    in_the_way(fd, F_GETLK, F_WRLCK, 16, 2);
    result("unlock 12-17", range(fd, F_SETLK, F_UNLCK, 12, 6));
    in_the_way(fd, F_GETLK, F_WRLCK, 12, 6);
    in_the_way(fd, F_GETLK, F_WRLCK, 0, 0);
    in_the_way(fd, F_GETLK, F_WRLCK, 13, 0);
    result("20 to the end", range(fd, F_SETLK, F_WRLCK, 20, 0));
    in_the_way(fd, F_GETLK, F_WRLCK, 1000000, 1);
    in_the_way(fd, F_GETLK, F_WRLCK, 18, 1);
    result("before 20", range(fd, F_SETLK, F_WRLCK, 20, -5));
    in_the_way(fd, F_GETLK, F_WRLCK, 15, 1);
    result("before 0", range(fd, F_SETLK, F_WRLCK, 2, -5));
    result("at -1", range(fd, F_SETLK, F_WRLCK, -1, 5));
    result("nonsense", range(fd, F_SETLK, 9, 0, 5));
    result("too far", range(fd, F_SETLK, F_WRLCK, 0x7fffffffffffffff, 5));
    result("get unlocked", range(fd, F_GETLK, F_UNLCK, 0, 5));
    result("write on read-only", range(ro, F_SETLK, F_WRLCK, 0, 5));
    result("read on write-only", range(wo, F_SETLK, F_RDLCK, 0, 5));
    result("bad address", fcntl(fd, F_SETLK, (void *)8));
    other = open(path, O_RDONLY);
    close(other); /* any close of the file lets all go */
    in_the_way(fd, F_GETLK, F_WRLCK, 0, 0);
    close(fd);
    close(ro);
    close(wo);
}

static void deadlock(void)
{
    int fd = open(path, O_RDWR), to[2], status;
    char c;

    say("-- deadlock");
    pipe(to);
    range(fd, F_SETLK, F_WRLCK, 0, 1);
    if (!fork()) {
        range(fd, F_SETLK, F_WRLCK, 1, 1);
        write(to[1], "x", 1);
        _exit(range(fd, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 0);
    }
    read(to[0], &c, 1);
    usleep(50000); /* the child waits by then; if not, it is the one that is refused */
    result("waiting for a waiter", range(fd, F_SETLKW, F_WRLCK, 1, 1));
    range(fd, F_SETLK, F_UNLCK, 0, 0);
    wait(&status);
    printf("the other one goes on: %d\n", WEXITSTATUS(status));
    close(fd);
}

static void on_alarm(int signo)
{
    (void)signo;
}

static void interrupted(void)
{
    struct sigaction action = { .sa_handler = on_alarm };
    int fd = open(path, O_RDWR), other = open(path, O_RDWR);

    say("-- interrupted");
    sigaction(SIGALRM, &action, NULL);
    flock(fd, LOCK_EX);
    ualarm(30000, 0);
    result("flock", flock(other, LOCK_EX));
    close(fd);
    close(other);
}

static void of_open_files(void)
{
    int a = open(path, O_RDWR), b = open(path, O_RDWR), c;

    say("-- open file descriptions");
    result("a", range(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    result("b, the same process", range(b, F_OFD_SETLK, F_WRLCK, 5, 10));
    result("b, behind it", range(b, F_OFD_SETLK, F_RDLCK, 10, 10));
    result("the process's own", range(a, F_SETLK, F_WRLCK, 0, 1));
    in_the_way(a, F_OFD_GETLK, F_WRLCK, 0, 5);
    in_the_way(b, F_OFD_GETLK, F_WRLCK, 0, 5);
    in_the_way(b, F_GETLK, F_WRLCK, 0, 5);
    c = dup(a);
    close(a);
    result("a duplicate is open", range(b, F_OFD_SETLK, F_WRLCK, 5, 10));
    close(c);
    result("none is", range(b, F_OFD_SETLK, F_WRLCK, 5, 10));
    struct flock l = { .l_type = F_WRLCK, .l_pid = 1 };
    result("a pid", fcntl(b, F_OFD_SETLK, &l));
    close(b);
}

static void kept(void)
{
    int fd = open(path, O_RDWR), on = 1, high;
    struct f_owner_ex ex = { F_OWNER_PGRP, getpgrp() };

    say("-- kept");
    SHOW(fcntl(fd, F_GETOWN));
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    printf("%d\n", fcntl(fd, F_GETOWN) == getpid());
    SHOW(fcntl(fd, F_SETOWN, 99999999));
    SHOW(fcntl(fd, F_SETOWN_EX, &ex));
    SHOW(fcntl(fd, F_GETOWN_EX, &ex));
    printf("%d %d\n", ex.type, ex.pid == getpgrp());
    SHOW(fcntl(fd, F_SETSIG, SIGUSR1));
    SHOW(fcntl(fd, F_GETSIG) == SIGUSR1);
    SHOW(fcntl(fd, F_SETSIG, 100));
    SHOW(fcntl(fd, 4711, 0));
    high = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    printf("%d %d %d\n", high, fcntl(high, F_GETFD), fcntl(fd, F_GETFD));
    SHOW(ioctl(fd, FIOASYNC, &on) == 0 || errno == ENOTTY);
    fd = open(path, O_PATH);
    SHOW(fcntl(fd, F_GETLK, &ex));
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW(fcntl(fd, F_GETFL) == O_PATH || errno);
}

int main(void)
{
    close(mkstemp(path));
    flocks();
    flock_waits();
    ranges();
    deadlock();
    interrupted();
    of_open_files();
    kept();
    unlink(path);
    return 0;
}
