/* user/tests/fifo.c - named pipes and other nodes: making, opening, readiness. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

static void pause_ms(int n)
{
    struct timespec t = { n / 1000, n % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

static int ready(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

    return poll(&p, 1, 0) ? p.revents : 0;
}

static void nodes(void)
{
    struct stat st;
    char buf[4];
    int fd;

    umask(022);
    SHOW(mkfifo("f", 0666));
    SHOW(mkfifo("f", 0666));
    SHOW(stat("f", &st));
    printf("%o\n", st.st_mode);
    SHOW(mkfifo("none/f", 0666));
    SHOW(mknod("plain", 0600, 0));
    SHOW(stat("plain", &st));
    printf("%o %d\n", st.st_mode, (int)st.st_size);
    SHOW(mknod("regular", S_IFREG | 0600, 0));
    SHOW(mknod("dir", S_IFDIR | 0600, 0));
    SHOW(mknod("what", 0170000 | 0600, 0));
    SHOW(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
    SHOW(stat("null", &st));
    printf("%o %x\n", st.st_mode, (int)st.st_rdev);
    fd = open("null", O_RDWR);
    SHOW(read(fd, buf, 4));
    SHOW(write(fd, "gone", 4));
    close(fd);
    SHOW(mknod("unknown", S_IFCHR | 0600, makedev(77, 77)));
    SHOW(open("unknown", O_RDONLY));
    SHOW(mknod("socket", S_IFSOCK | 0600, 0));
    SHOW(open("socket", O_RDONLY));
    SHOW(mknodat(AT_FDCWD, "g", S_IFIFO | 0600, 0));
    unlink("plain"), unlink("regular"), unlink("null"), unlink("unknown"), unlink("socket"), unlink("g");
}

static void nonblocking(void)
{
    char buf[10];
    int r, w, rw;

    SHOW(open("f", O_WRONLY | O_NONBLOCK));
    r = open("f", O_RDONLY | O_NONBLOCK);
    SHOW(r >= 0);
    SHOW(ready(r));
    SHOW(read(r, buf, 10));
    w = open("f", O_WRONLY | O_NONBLOCK);
    SHOW(w >= 0);
    SHOW(ready(r));
    SHOW(ready(w));
    SHOW(read(r, buf, 10));
    SHOW(write(w, "hello", 5));
    SHOW(ready(r));
    close(w);
    SHOW(ready(r));
    SHOW(read(r, buf, 10));
    SHOW(ready(r));
    SHOW(read(r, buf, 10));
    w = open("f", O_WRONLY | O_NONBLOCK);
    SHOW(ready(r));
    close(r);
    SHOW(ready(w));
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(w, "x", 1));
    close(w);
    rw = open("f", O_RDWR);
    SHOW(write(rw, "both", 4));
    SHOW(ready(rw));
    SHOW(read(rw, buf, 10));
    SHOW(lseek(rw, 0, SEEK_SET));
    close(rw);
}

static void blocking(void)
{
    char buf[10];
    int fd, status;

    if (!fork()) {
        pause_ms(30);
        fd = open("f", O_WRONLY);
        write(fd, "from afar", 9);
        _exit(fd < 0);
    }
    fd = open("f", O_RDONLY);
    SHOW(fd >= 0);
    SHOW(read(fd, buf, 10));
    SHOW(read(fd, buf, 10));
    wait(&status);
    close(fd);
    if (!fork()) {
        pause_ms(30);
        fd = open("f", O_RDONLY);
        _exit(read(fd, buf, 10) == 3 ? 3 : 1);
    }
    fd = open("f", O_WRONLY);
    SHOW(fd >= 0);
    SHOW(write(fd, "abc", 3));
    close(fd);
    wait(&status);
    printf("status %x\n", status);
    /* A writer that has gone again before the reader came to run. */
    if (!fork()) {
        pause_ms(30);
        close(open("f", O_WRONLY));
        _exit(0);
    }
    fd = open("f", O_RDONLY);
    SHOW(fd >= 0);
    SHOW(read(fd, buf, 10));
    close(fd);
    wait(&status);
}

static void on_alarm(int signo)
{
    (void)signo;
}

static void interrupted(void)
{
    struct sigaction sa = { .sa_handler = on_alarm };

    sigaction(SIGALRM, &sa, NULL);
    alarm(1);
    SHOW(open("f", O_RDONLY));
    SHOW(open("f", O_WRONLY | O_NONBLOCK)); /* it left nothing behind */
}

/* What was not read is gone with the last file. */
static void leftovers(void)
{
    char buf[10];
    int rw = open("f", O_RDWR);

    write(rw, "left", 4);
    close(rw);
    rw = open("f", O_RDWR | O_NONBLOCK);
    SHOW(read(rw, buf, 10));
    SHOW(unlink("f"));
    SHOW(write(rw, "still", 5));
    SHOW(read(rw, buf, 10));
    close(rw);
}

int main(void)
{
    char dir[] = "/tmp/fifo-XXXXXX";

    if (!mkdtemp(dir) || chdir(dir))
        return 1;
    nodes();
    nonblocking();
    blocking();
    interrupted();
    leftovers();
    chdir("/");
    SHOW(rmdir(dir));
    return 0;
}
