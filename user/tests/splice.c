/* user/tests/splice.c - sendfile, splice, tee, vmsplice, copy_file_range; the size of pipes; readers that
 * share. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char buf[300000];

static unsigned sum(const char *bytes, ssize_t n)
{
    unsigned s = 0;

    for (ssize_t i = 0; i < n; i++)
        s = s * 31 + (unsigned char)bytes[i];
    return s;
}

static void fill(int fd, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(i * 7 + i / 4096);
    write(fd, buf, n);
    lseek(fd, 0, SEEK_SET);
}

/* Read all there is until an end or EAGAIN. */
static void drain(const char *what, int fd)
{
    ssize_t n, got = 0;

    while ((n = read(fd, buf + got, sizeof buf - (size_t)got)) > 0)
        got += n;
    printf("%s: %zd bytes, sum %x, then %s\n", what, got, sum(buf, got), n ? errno_name(errno) : "the end");
}

static int queued(int fd)
{
    int n = -1;

    ioctl(fd, FIONREAD, &n);
    return n;
}

static int temporary(void)
{
    char name[] = "/tmp/splice-XXXXXX";
    int fd = mkstemp(name);

    unlink(name);
    return fd;
}

static void sendfiles(void)
{
    int from = temporary(), to = temporary(), p[2], s[2], append;
    off_t at = 100;

    fill(from, 50000);
    pipe2(p, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    SHOW(sendfile(to, from, NULL, 20000));
    SHOW(lseek(from, 0, SEEK_CUR));
    SHOW(sendfile(to, from, &at, 100));
    SHOW(at);
    SHOW(lseek(from, 0, SEEK_CUR));
    SHOW(sendfile(to, from, NULL, 1000000));
    SHOW(sendfile(to, from, NULL, 10));
    lseek(to, 0, SEEK_SET);
    drain("file", to);
    at = 5;
    SHOW(sendfile(p[1], from, &at, 10000));
    printf("%d\n", queued(p[0]));
    drain("pipe", p[0]);
    at = 49990;
    SHOW(sendfile(s[0], from, &at, 100));
    drain("socket", s[1]);
    SHOW(sendfile(to, p[0], NULL, 10));
    SHOW(sendfile(to, s[0], NULL, 10));
    at = 0;
    SHOW(sendfile(to, p[0], &at, 10));
    SHOW(sendfile(p[0], from, NULL, 10));
    SHOW(sendfile(to, p[1], NULL, 10));
    SHOW(sendfile(99, from, NULL, 10));
    SHOW(sendfile(to, from, (off_t *)1, 10));
    at = -1;
    SHOW(sendfile(to, from, &at, 10));
    append = open("/tmp/splice-append", O_CREAT | O_WRONLY | O_APPEND, 0600);
    unlink("/tmp/splice-append");
    at = 0;
    SHOW(sendfile(append, from, &at, 10));
    SHOW(sendfile(from, from, &at, 0));
    close(append), close(from), close(to), close(p[0]), close(p[1]), close(s[0]), close(s[1]);
}

static void splices(void)
{
    int from = temporary(), to = temporary(), p[2], q[2], s[2], null = open("/dev/null", O_WRONLY);
    off_t at = 3, to_at = 10;

    fill(from, 100000);
    pipe2(p, O_NONBLOCK);
    pipe2(q, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    SHOW(splice(from, &at, p[1], NULL, 10000, 0));
    SHOW(at);
    SHOW(lseek(from, 0, SEEK_CUR));
    printf("%d\n", queued(p[0]));
    SHOW(splice(p[0], NULL, q[1], NULL, 5000, 0));
    printf("%d %d\n", queued(p[0]), queued(q[0]));
    SHOW(splice(p[0], NULL, to, &to_at, 1000000, 0));
    SHOW(to_at);
    drain("file", to);
    SHOW(splice(q[0], NULL, s[0], NULL, 1000000, SPLICE_F_MOVE));
    SHOW(splice(s[1], NULL, p[1], NULL, 3000, 0));
    drain("pipe", p[0]);
    drain("socket", s[1]);
    SHOW(splice(from, NULL, p[1], NULL, 1000000, 0));
    SHOW(splice(from, NULL, p[1], NULL, 10, 0));
    SHOW(lseek(from, 0, SEEK_CUR));
    SHOW(splice(p[0], NULL, null, NULL, 1000000, 0));
    SHOW(splice(p[0], NULL, null, NULL, 10, 0));
    SHOW(splice(p[0], NULL, q[1], NULL, 10, SPLICE_F_NONBLOCK));
    SHOW(splice(from, NULL, to, NULL, 10, 0));
    SHOW(splice(p[0], NULL, p[1], NULL, 10, 0));
    SHOW(splice(p[0], &at, q[1], NULL, 10, 0));
    SHOW(splice(from, NULL, p[1], &at, 10, 0));
    SHOW(splice(p[1], NULL, to, NULL, 10, 0));
    SHOW(splice(from, NULL, p[0], NULL, 10, 0));
    SHOW(splice(from, NULL, p[1], NULL, 10, 64));
    SHOW(splice(from, NULL, p[1], NULL, 0, 0));
    SHOW(splice(99, NULL, p[1], NULL, 10, 0));
    SHOW(splice(from, (off_t *)1, p[1], NULL, 10, 0));
    lseek(from, 0, SEEK_END);
    SHOW(splice(from, NULL, p[1], NULL, 10, 0));
    close(p[1]);
    SHOW(splice(p[0], NULL, to, NULL, 10, 0));
    close(from), close(to), close(p[0]), close(q[0]), close(q[1]), close(s[0]), close(s[1]), close(null);
}

/* A page that is in a pipe and in a file, or in two pipes, is not written by a write to either pipe. */
static void sharing(void)
{
    int from = temporary(), p[2], q[2];
    off_t at = 0;

    write(from, "file", 4);
    pipe2(p, O_NONBLOCK);
    pipe2(q, O_NONBLOCK);
    splice(from, &at, p[1], NULL, 4, 0);
    write(p[1], "pipe", 4);
    drain("both", p[0]);
    lseek(from, 0, SEEK_SET);
    drain("the file", from);
    write(p[1], "abc", 3);
    SHOW(tee(p[0], q[1], 100, 0));
    write(p[1], "de", 2);
    write(q[1], "DE", 2);
    drain("one", p[0]);
    drain("the other", q[0]);
    write(p[1], "abcdef", 6);
    SHOW(tee(p[0], q[1], 2, 0));
    drain("one", p[0]);
    drain("two bytes of it", q[0]);
    SHOW(tee(p[0], q[1], 2, 0));
    SHOW(tee(p[0], p[1], 2, 0));
    SHOW(tee(from, q[1], 2, 0));
    SHOW(tee(p[0], q[1], 0, 0));
    close(p[1]);
    SHOW(tee(p[0], q[1], 2, 0));
    close(from), close(p[0]), close(q[0]), close(q[1]);
}

static void vmsplices(void)
{
    struct iovec v[2] = { { buf, 5 }, { buf + 100, 6 } };
    int p[2], fd = temporary();

    pipe2(p, O_NONBLOCK);
    memcpy(buf, "hello", 5);
    memcpy(buf + 100, "world!", 6);
    SHOW(vmsplice(p[1], v, 2, 0));
    v[0].iov_base = buf + 200;
    v[1].iov_base = buf + 300;
    SHOW(vmsplice(p[0], v, 2, 0));
    printf("%.5s %.6s\n", buf + 200, buf + 300);
    SHOW(vmsplice(p[0], v, 2, SPLICE_F_NONBLOCK));
    SHOW(vmsplice(fd, v, 2, 0));
    SHOW(vmsplice(99, v, 2, 0));
    SHOW(vmsplice(p[1], v, 2000, 0));
    SHOW(vmsplice(p[1], (void *)8, 2, 0));
    SHOW(vmsplice(p[1], v, 0, 0));
    close(p[0]), close(p[1]), close(fd);
}

static void ranges(void)
{
    int from = temporary(), to = temporary(), p[2], dir = open("/tmp", O_RDONLY);
    off_t a = 10, b = 20000;

    pipe(p);
    fill(from, 30000);
    SHOW(copy_file_range(from, NULL, to, NULL, 1000, 0));
    SHOW(lseek(from, 0, SEEK_CUR));
    SHOW(lseek(to, 0, SEEK_CUR));
    SHOW(copy_file_range(from, &a, to, &b, 100000, 0));
    printf("%ld %ld\n", (long)a, (long)b);
    SHOW(copy_file_range(from, &a, to, &b, 10, 0));
    lseek(to, 0, SEEK_SET);
    drain("copied", to);
    a = 0, b = 100;
    SHOW(copy_file_range(from, &a, from, &b, 200, 0));
    SHOW(copy_file_range(from, &a, from, &b, 50, 0));
    SHOW(copy_file_range(from, &a, to, &b, 50, 1));
    SHOW(copy_file_range(p[0], NULL, to, &b, 50, 0));
    SHOW(copy_file_range(from, NULL, p[1], NULL, 50, 0));
    SHOW(copy_file_range(dir, NULL, to, NULL, 50, 0));
    SHOW(copy_file_range(99, NULL, to, NULL, 50, 0));
    close(from), close(to), close(p[0]), close(p[1]), close(dir);
}

static void sizes(void)
{
    int p[2], fd = open("/dev/null", O_RDONLY);

    pipe2(p, O_NONBLOCK);
    SHOW(fcntl(p[0], F_GETPIPE_SZ));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 5000));
    SHOW(write(p[1], buf, 100000));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 4096));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 100000));
    SHOW(write(p[1], buf, 200000));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 0) >= 0);
    drain("all of it", p[0]);
    SHOW(fcntl(fd, F_GETPIPE_SZ));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, -1));
    /* Small writes fill pages together, a byte that does not fit takes the next. */
    fcntl(p[1], F_SETPIPE_SZ, 4096);
    SHOW(write(p[1], buf, 4000));
    SHOW(write(p[1], buf, 96));
    SHOW(write(p[1], buf, 1));
    SHOW(read(p[0], buf, 4095));
    SHOW(write(p[1], buf, 1));
    SHOW(read(p[0], buf, 10));
    SHOW(write(p[1], buf, 1));
    close(p[0]), close(p[1]), close(fd);
}

/* Readers of one pipe: each byte goes to one of them. */
static void shared_readers(void)
{
    enum { READERS = 4, BYTES = 20000 };
    int p[2], result[2], count = 0, n;
    unsigned char seen[BYTES / 4] = { 0 };

    pipe(p);
    pipe(result);
    for (int i = 0; i < READERS; i++) {
        if (fork())
            continue;
        close(p[1]);
        while (read(p[0], &n, sizeof n) == sizeof n)
            write(result[1], &n, sizeof n);
        _exit(0);
    }
    if (!fork()) {
        for (n = 0; n < BYTES / 4; n++)
            write(p[1], &n, sizeof n);
        _exit(0);
    }
    close(p[1]);
    close(result[1]);
    while (read(result[0], &n, sizeof n) == sizeof n)
        count += n >= 0 && n < BYTES / 4 && !seen[n]++;
    for (int i = 0; i < READERS + 1; i++)
        wait(NULL);
    printf("%d numbers, each once\n", count);
    close(p[0]);
    close(result[0]);
}

int main(void)
{
    sendfiles();
    splices();
    sharing();
    vmsplices();
    ranges();
    sizes();
    shared_readers();
    return 0;
}
