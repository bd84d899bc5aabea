/* user/tests/badptr.c - system calls with pointers to nowhere: EFAULT, and the process lives. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static long bad; /* the address of this round */
static int file, directory, reader, writer, udp;

struct call {
    const char *name;
    long number;
    long a[6];
};
enum { BAD = -1000000, FILE_FD, DIRECTORY_FD, READER_FD, WRITER_FD, UDP_FD, GOOD };
static char good[4096];

static long argument(long a)
{
    switch (a) {
    case BAD:
        return bad;
    case FILE_FD:
        return file;
    case DIRECTORY_FD:
        return directory;
    case READER_FD:
        return reader;
    case WRITER_FD:
        return writer;
    case UDP_FD:
        return udp;
    case GOOD:
        return (long)good;
    default:
        return a;
    }
}

#define CALL(name, ...)                                                                                      \
    {                                                                                                        \
#name, SYS_##name,                                                                                   \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
static const struct call calls[] = {
    CALL(read, FILE_FD, BAD, 10),
    CALL(read, READER_FD, BAD, 10),
    CALL(write, FILE_FD, BAD, 10),
    CALL(write, WRITER_FD, BAD, 10),
    CALL(readv, FILE_FD, BAD, 2),
    CALL(writev, FILE_FD, BAD, 2),
    CALL(pread64, FILE_FD, BAD, 10, 0),
    CALL(pwrite64, FILE_FD, BAD, 10, 0),
    CALL(open, BAD, 0, 0),
    CALL(openat, AT_FDCWD, BAD, 0, 0),
    CALL(stat, BAD, GOOD),
    CALL(stat, BAD, BAD),
    CALL(fstat, FILE_FD, BAD),
    CALL(lstat, BAD, GOOD),
    CALL(newfstatat, AT_FDCWD, BAD, GOOD, 0),
    CALL(access, BAD, 0),
    CALL(mkdir, BAD, 0700),
    CALL(rmdir, BAD),
    CALL(unlink, BAD),
    CALL(rename, BAD, BAD),
    CALL(link, BAD, BAD),
    CALL(symlink, BAD, BAD),
    CALL(readlink, BAD, GOOD, 10),
    CALL(chmod, BAD, 0),
    CALL(chdir, BAD),
    CALL(truncate, BAD, 0),
    CALL(getcwd, BAD, 100),
    CALL(getdents64, DIRECTORY_FD, BAD, 4096),
    CALL(pipe, BAD),
    CALL(pipe2, BAD, 0),
    CALL(poll, BAD, 3, 0),
    CALL(select, 5, BAD, 0, 0, 0),
    CALL(select, 5, 0, 0, 0, BAD),
    CALL(sendfile, WRITER_FD, FILE_FD, BAD, 5),
    CALL(execve, BAD, 0, 0),
    CALL(rt_sigaction, 10, BAD, 0, 8),
    CALL(rt_sigaction, 10, 0, BAD, 8),
    CALL(rt_sigprocmask, 0, BAD, 0, 8),
    CALL(rt_sigprocmask, 0, 0, BAD, 8),
    CALL(rt_sigsuspend, BAD, 8),
    CALL(rt_sigtimedwait, BAD, 0, 0, 8),
    CALL(sigaltstack, BAD, 0),
    CALL(nanosleep, BAD, 0),
    CALL(clock_gettime, 0, BAD),
    CALL(clock_nanosleep, 0, 0, BAD, 0),
    CALL(gettimeofday, BAD, 0),
    CALL(setitimer, 0, BAD, 0),
    CALL(getitimer, 0, BAD),
    CALL(times, BAD),
    CALL(uname, BAD),
    CALL(sysinfo, BAD),
    CALL(getrusage, 0, BAD),
    CALL(prlimit64, 0, 7, 0, BAD),
    CALL(getrandom, BAD, 10, 0),
    CALL(futex, BAD, 0, 0, 0, 0, 0),
    CALL(arch_prctl, 0x1003, BAD),
    CALL(bind, UDP_FD, BAD, 16),
    CALL(connect, UDP_FD, BAD, 16),
    CALL(getsockname, UDP_FD, BAD, GOOD),
    CALL(getsockname, UDP_FD, GOOD, BAD),
    CALL(setsockopt, UDP_FD, SOL_SOCKET, SO_REUSEADDR, BAD, 4),
    CALL(getsockopt, UDP_FD, SOL_SOCKET, SO_TYPE, BAD, GOOD),
    CALL(getsockopt, UDP_FD, SOL_SOCKET, SO_TYPE, GOOD, BAD),
    CALL(sendto, UDP_FD, GOOD, 10, 0, BAD, 16),
    CALL(sendmsg, UDP_FD, BAD, 0),
    CALL(recvmsg, UDP_FD, BAD, MSG_DONTWAIT),
};

static void open_files(void)
{
    char path[] = "badptr-XXXXXX";
    int p[2];

    pipe(p);
    reader = p[0];
    writer = p[1];
    write(writer, "some bytes", 10);
    fcntl(reader, F_SETFL, O_NONBLOCK);
    file = mkstemp(path);
    write(file, path, sizeof path);
    lseek(file, 0, SEEK_SET);
    unlink(path);
    directory = open("/", O_RDONLY);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
}

static void try_all(long address)
{
    open_files();
    bad = address;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        long a[6], result;
        for (int j = 0; j < 6; j++)
            a[j] = argument(c->a[j]);
        memset(good, 0, sizeof good);
        good[0] = 100;
        errno = 0;
        result = syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
        printf("%zu %s: %s\n", i, c->name, result == -1 ? errno_name(errno) : "worked");
    }
}

CASE(a_low_address)
{
    try_all(8);
}

CASE(the_kernels_address)
{
    try_all((long)0xffffffff80100000);
}

CASE(the_direct_maps_address)
{
    try_all((long)0xffff888000000000);
}

CASE(a_non_canonical_address)
{
    try_all((long)0x8000000000000000);
}

CASE(just_below_the_top)
{
    try_all((long)0x00007ffffffff000 - 4);
}
