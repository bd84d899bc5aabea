/* user/tests/errors_descriptors.c - call by call, the errors that its page documents: what takes a
 * descriptor. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define BAD ((void *)8)

static char buf[8192];
static int file, readonly, writeonly, dir, p[2], place, none = 999;

static void open_each_kind(void)
{
    file = open("f", O_RDWR | O_CREAT, 0644);
    write(file, "0123456789", 10);
    lseek(file, 0, SEEK_SET);
    readonly = open("f", O_RDONLY);
    writeonly = open("f", O_WRONLY);
    mkdir("d", 0755);
    dir = open("d", O_RDONLY | O_DIRECTORY);
    pipe2(p, O_NONBLOCK);
    place = open("f", O_PATH);
}

CASE(read_errors)
{
    open_each_kind();
    SHOW(read(none, buf, 1));
    SHOW(read(-1, buf, 1));
    SHOW(read(writeonly, buf, 1));
    SHOW(read(dir, buf, 1));
    SHOW(read(p[1], buf, 1));
    SHOW(read(p[0], buf, 1));
    SHOW(read(place, buf, 1));
    SHOW(read(file, BAD, 1));
    SHOW(read(file, BAD, 0));
    SHOW(read(none, BAD, 0));
    SHOW(read(writeonly, buf, 0));
    SHOW(read(file, buf, SSIZE_MAX) == 10);
    SHOW(read(file, BAD, 1)); /* at the end of the file nothing is copied */
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(syscall(SYS_read, file, buf, -1L));
}

CASE(write_errors)
{
    open_each_kind();
    SHOW(write(none, buf, 1));
    SHOW(write(-1, buf, 1));
    SHOW(write(readonly, buf, 1));
    SHOW(write(dir, buf, 1));
    SHOW(write(p[0], buf, 1));
    SHOW(write(place, buf, 1));
    SHOW(write(file, BAD, 1));
    SHOW(write(file, BAD, 0));
    SHOW(write(p[1], BAD, 1));
    SHOW(write(readonly, buf, 0));
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    SHOW(write(p[1], buf, 1));
    SHOW(write(p[1], buf, 0));
    SHOW(write(open("/dev/null", O_WRONLY), buf, 100));
    SHOW(write(open("/dev/full", O_WRONLY), buf, 100) < 0 ? 1 : 0);
}

CASE(pread_errors)
{
    open_each_kind();
    SHOW(pread(none, buf, 1, 0));
    SHOW(pread(writeonly, buf, 1, 0));
    SHOW(pread(file, buf, 1, -1));
    SHOW(pread(file, BAD, 1, 0));
    SHOW(pread(dir, buf, 1, 0));
    SHOW(pread(p[0], buf, 1, 0));
    SHOW(pread(p[0], buf, 1, -1));
    SHOW(pread(file, buf, 5, 1000000));
    SHOW(pread(file, buf, 5, 8));
}

CASE(pwrite_errors)
{
    open_each_kind();
    SHOW(pwrite(none, buf, 1, 0));
    SHOW(pwrite(readonly, buf, 1, 0));
    SHOW(pwrite(file, buf, 1, -1));
    SHOW(pwrite(file, BAD, 1, 0));
    SHOW(pwrite(p[1], buf, 1, 0));
    SHOW(pwrite(dir, buf, 1, 0));
    SHOW(pwrite(file, buf, 0, 100));
    SHOW(lseek(file, 0, SEEK_END));
}

CASE(readv_errors)
{
    struct iovec v[3] = { { buf, 3 }, { BAD, 3 }, { buf, 3 } }, over[2] = { { buf, SSIZE_MAX }, { buf, 1 } };
    struct iovec empty[2] = { { NULL, 0 }, { BAD, 0 } };

    open_each_kind();
    SHOW(readv(none, v, 1));
    SHOW(readv(writeonly, v, 1));
    SHOW(readv(file, v, -1));
    SHOW(readv(file, v, 1025));
    SHOW(readv(file, BAD, 1));
    SHOW(readv(file, v, 0));
    SHOW(readv(file, empty, 2));
    SHOW(readv(file, over, 2));
    SHOW(readv(file, v + 1, 2));
    SHOW(readv(dir, v, 1));
    SHOW(readv(p[0], v, 1));
}

CASE(writev_errors)
{
    struct iovec v[3] = { { buf, 3 }, { BAD, 3 }, { buf, 3 } }, negative[1] = { { buf, (size_t)-1 } };

    open_each_kind();
    SHOW(writev(none, v, 1));
    SHOW(writev(readonly, v, 1));
    SHOW(writev(file, v, -1));
    SHOW(writev(file, v, 1025));
    SHOW(writev(file, BAD, 1));
    SHOW(writev(file, negative, 1));
    SHOW(writev(file, v + 1, 1));
    SHOW(writev(file, v, 0));
    SHOW(writev(p[0], v, 1));
}

CASE(preadv_errors)
{
    struct iovec v[2] = { { buf, 3 }, { buf, 4 } };

    open_each_kind();
    SHOW(preadv(none, v, 2, 0));
    SHOW(preadv(file, v, 2, -1));
    SHOW(preadv(file, v, -1, 0));
    SHOW(preadv(p[0], v, 1, 0));
    SHOW(preadv(file, v, 2, 5));
    SHOW(pwritev(none, v, 2, 0));
    SHOW(pwritev(file, v, 2, -1));
    SHOW(pwritev(readonly, v, 2, 0));
    SHOW(pwritev(p[1], v, 1, 0));
    SHOW(pwritev(file, v, 2, 20));
    SHOW(lseek(file, 0, SEEK_END));
}

CASE(lseek_errors)
{
    open_each_kind();
    SHOW(lseek(none, 0, SEEK_SET));
    SHOW(lseek(p[0], 0, SEEK_SET));
    SHOW(lseek(file, -1, SEEK_SET));
    SHOW(lseek(file, -11, SEEK_END));
    SHOW(lseek(file, -10, SEEK_END));
    SHOW(lseek(file, -1, SEEK_CUR));
    SHOW(lseek(file, 0, 99));
    SHOW(lseek(file, 0, -1));
    SHOW(lseek(place, 0, SEEK_SET));
    SHOW(lseek(file, 100, SEEK_END));
    SHOW(read(file, buf, 1));
    SHOW(lseek(file, 10, SEEK_DATA));
    SHOW(lseek(file, 10, SEEK_HOLE));
    SHOW(lseek(file, 2, SEEK_HOLE));
    SHOW(lseek(file, LONG_MAX, SEEK_CUR));
}

CASE(close_errors)
{
    SHOW(close(-1));
    SHOW(close(none));
    SHOW(close(INT_MAX));
    SHOW(dup(0));
    SHOW(close(3));
    SHOW(close(3));
    SHOW(syscall(SYS_close_range, 5, 4, 0));
    SHOW(syscall(SYS_close_range, 5, 9, 0x80));
    SHOW(dup2(0, 10));
    SHOW(dup2(0, 12));
    SHOW(syscall(SYS_close_range, 9, 11, 0));
    SHOW(fcntl(10, F_GETFD));
    SHOW(fcntl(12, F_GETFD));
    SHOW(syscall(SYS_close_range, 9, ~0u, 4)); /* CLOSE_RANGE_CLOEXEC */
    SHOW(fcntl(12, F_GETFD));
}

CASE(dup_errors)
{
    SHOW(dup(none));
    SHOW(dup(-1));
    SHOW(dup2(none, 5));
    SHOW(dup2(0, -1));
    SHOW(dup2(0, 1024));
    SHOW(dup2(0, 0));
    SHOW(dup2(none, none));
    SHOW(dup3(0, 0, 0));
    SHOW(dup3(0, 5, 1));
    SHOW(dup3(none, 5, 0));
    SHOW(dup3(0, 1024, 0));
    SHOW(dup3(0, 7, O_CLOEXEC));
    SHOW(fcntl(7, F_GETFD));
    SHOW(dup(7));
    SHOW(fcntl(3, F_GETFD));
}

CASE(out_of_descriptors)
{
    int last = 0, now;

    while ((now = dup(0)) >= 0)
        last = now;
    printf("%s after %d\n", errno_name(errno), last);
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(pipe(p));
    SHOW(fcntl(0, F_DUPFD, 0));
    SHOW(close(500));
    SHOW(pipe(p));
    SHOW(dup(0));
}

CASE(fcntl_errors)
{
    open_each_kind();
    SHOW(fcntl(none, F_GETFD));
    SHOW(fcntl(file, 9999));
    SHOW(fcntl(file, F_DUPFD, -1));
    SHOW(fcntl(file, F_DUPFD, 1024));
    SHOW(fcntl(none, F_DUPFD, 0));
    SHOW(fcntl(file, F_DUPFD_CLOEXEC, 100));
    SHOW(fcntl(100, F_GETFD));
    SHOW(fcntl(place, F_SETFL, 0));
    SHOW(fcntl(place, F_GETFD));
    SHOW(fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_TRUNC));
    SHOW((fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_RDWR | O_APPEND | O_NONBLOCK));
    SHOW(lseek(file, 0, SEEK_END));
    SHOW(fcntl(p[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    SHOW(fcntl(p[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK));
}

CASE(ioctl_errors)
{
    int n = 7;

    open_each_kind();
    SHOW(ioctl(none, FIONREAD, &n));
    SHOW(ioctl(file, 0x12345, &n));
    SHOW(ioctl(dir, 0x12345, &n));
    SHOW(ioctl(p[0], 0x12345, &n));
    SHOW(ioctl(0, TCGETS, buf));
    SHOW(ioctl(p[0], TIOCGWINSZ, buf));
    SHOW(ioctl(place, FIONREAD, &n));
    SHOW(ioctl(p[0], FIONREAD, BAD));
    SHOW(ioctl(file, FIONREAD, &n));
    SHOW(n);
    SHOW(ioctl(p[0], FIONBIO, BAD));
    n = 0;
    SHOW(ioctl(p[0], FIONBIO, &n));
    SHOW(fcntl(p[0], F_GETFL) & O_NONBLOCK);
    SHOW(ioctl(file, FIOCLEX));
    SHOW(fcntl(file, F_GETFD));
    SHOW(ioctl(file, FIONCLEX));
    SHOW(fcntl(file, F_GETFD));
}

CASE(flock_errors)
{
    open_each_kind();
    SHOW(flock(none, LOCK_SH));
    SHOW(flock(place, LOCK_SH));
    SHOW(flock(file, LOCK_SH | LOCK_NB));
    SHOW(flock(file, LOCK_UN));
}

CASE(fsync_errors)
{
    open_each_kind();
    SHOW(fsync(none));
    SHOW(fdatasync(none));
    SHOW(fsync(p[0]));
    SHOW(fdatasync(p[1]));
    SHOW(fsync(place));
    SHOW(fsync(file));
    SHOW(fsync(dir));
    SHOW(fdatasync(readonly));
}

CASE(fadvise_errors)
{
    open_each_kind();
    SHOW(syscall(SYS_fadvise64, none, 0, 0, 0));
    SHOW(syscall(SYS_fadvise64, file, 0, 0, 99));
    SHOW(syscall(SYS_fadvise64, file, 0, -1L, 0));
    SHOW(syscall(SYS_fadvise64, p[0], 0, 0, 0));
    SHOW(syscall(SYS_fadvise64, file, 0, 0, 5));
}

CASE(sendfile_errors)
{
    off_t offset = -1, good = 2;

    open_each_kind();
    SHOW(sendfile(none, file, NULL, 1));
    SHOW(sendfile(file, none, NULL, 1));
    SHOW(sendfile(readonly, file, NULL, 1));
    SHOW(sendfile(p[1], writeonly, NULL, 1));
    SHOW(sendfile(p[1], file, BAD, 1));
    SHOW(sendfile(p[1], file, &offset, 1));
    SHOW(sendfile(p[1], file, &good, 0));
    SHOW(sendfile(p[1], file, &good, 100));
    SHOW(good);
    SHOW(read(p[0], buf, 100));
}

CASE(pipe_errors)
{
    SHOW(syscall(SYS_pipe, BAD));
    SHOW(syscall(SYS_pipe2, p, 1));
    SHOW(syscall(SYS_pipe2, p, O_APPEND));
    SHOW(syscall(SYS_pipe2, BAD, O_CLOEXEC));
    SHOW(open("/dev/null", O_RDONLY)); /* nothing was left open */
    SHOW(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    SHOW(fcntl(p[0], F_GETFD));
    SHOW(fcntl(p[1], F_GETFL) & O_NONBLOCK);
}

CASE(poll_errors)
{
    struct pollfd fd = { 0, POLLIN, 0 };
    struct timespec odd = { 0, 1000000000 }, negative = { -1, 0 };
    uint64_t mask = 0;

    SHOW(poll(BAD, 1, 0));
    SHOW(poll(BAD, 0, 0));
    SHOW(poll(&fd, 1025, 0));
    SHOW(syscall(SYS_ppoll, &fd, 1, &odd, NULL, 8));
    SHOW(syscall(SYS_ppoll, &fd, 1, &negative, NULL, 8));
    SHOW(syscall(SYS_ppoll, &fd, 1, BAD, NULL, 8));
    SHOW(syscall(SYS_ppoll, &fd, 1, NULL, &mask, 4));
    SHOW(syscall(SYS_ppoll, &fd, 1, NULL, BAD, 8));
}

CASE(select_errors)
{
    struct timeval negative = { -1, 0 }, odd = { 0, 2000000 };

    SHOW(syscall(SYS_select, -1, NULL, NULL, NULL, &odd));
    SHOW(syscall(SYS_select, 0, NULL, NULL, NULL, &negative));
    SHOW(syscall(SYS_select, 1, BAD, NULL, NULL, NULL));
    SHOW(syscall(SYS_select, 1, NULL, NULL, NULL, BAD));
    SHOW(syscall(SYS_pselect6, -1, NULL, NULL, NULL, NULL, NULL));
    SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){ 0, -1 }, NULL));
    SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){ 0, 0 }, BAD));
}
