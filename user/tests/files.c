/* user/tests/files.c - files, directories and links: what Linux does, we do. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char buf[10000];

static void show_size(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        printf("%s: %s\n", path, errno_name(errno));
    else
        printf("%s: mode %o, %ld bytes, %ld links\n", path, st.st_mode, (long)st.st_size,
               S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    write(fd, text, strlen(text));
    close(fd);
}

CASE(reading_and_writing)
{
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);

    SHOW(open("f", O_RDWR | O_CREAT | O_EXCL, 0640));
    SHOW(write(fd, "hello, world", 12));
    SHOW(lseek(fd, -5, SEEK_END));
    SHOW(read(fd, buf, 100));
    printf("%.5s\n", buf);
    SHOW(read(fd, buf, 100));
    SHOW(pread(fd, buf, 5, 7));
    SHOW(pwrite(fd, "W", 1, 7));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, 0, 9));
    SHOW(lseek(fd, 9000, SEEK_SET));
    SHOW(write(fd, "end", 3));
    SHOW(pread(fd, buf, sizeof buf, 0));
    printf("holes are zero: %d, %.12s, %.3s\n", buf[12] == 0 && buf[8999] == 0, buf, buf + 9000);
    SHOW(ftruncate(fd, 5));
    SHOW(ftruncate(fd, 4200));
    SHOW(pread(fd, buf, sizeof buf, 0));
    printf("%s\n", buf);
    SHOW(ftruncate(fd, -1));
    show_size("f");
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(read(fd, buf, 1));
}

CASE(vectors_and_flags)
{
    struct iovec v[3] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
    int fd = open("g", O_WRONLY | O_CREAT | O_APPEND, 0600), other;

    SHOW(writev(fd, v, 3));
    SHOW(writev(fd, v, -1));
    SHOW(read(fd, buf, 1));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "fg", 2));
    show_size("g");
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    other = fcntl(fd, F_DUPFD, 50);
    printf("F_DUPFD %d\n", other);
    SHOW(fcntl(other, F_GETFD));
    SHOW(dup2(other, 60));
    SHOW(dup2(other, 60));
    SHOW(dup2(61, 62));
    SHOW(dup3(other, other, 0));
    SHOW(close(60));
    SHOW(close(other));
    SHOW(close(fd));
    fd = open("g", O_RDONLY);
    SHOW(write(fd, "x", 1));
    v[0] = (struct iovec){ buf, 3 };
    v[2] = (struct iovec){ buf + 100, 10 };
    SHOW(readv(fd, v, 3));
    printf("%.3s %.4s\n", buf, buf + 100);
    SHOW(ioctl(fd, 0x5401, buf)); /* TCGETS */
    close(fd);
}

CASE(names)
{
    write_text("g", "abcdefg");
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("d/e/f", 0755));
    SHOW(rename("g", "d/g"));
    SHOW(access("g", F_OK));
    SHOW(access("d/g", R_OK));
    SHOW(access("d/g", X_OK));
    SHOW(link("d/g", "h"));
    show_size("h");
    SHOW(unlink("d/g"));
    show_size("h");
    SHOW(unlink("d"));
    SHOW(rmdir("h"));
    SHOW(rename("d", "d/sub"));
    SHOW(open("d/../h/", O_RDONLY));
    SHOW(open("h/x", O_RDONLY));
    SHOW(open("d", O_WRONLY));
    SHOW(open("", O_RDONLY));
    memset(buf, 'n', 5000);
    buf[256] = 0;
    SHOW(open(buf, O_RDONLY | O_CREAT, 0600));
    buf[256] = 'n';
    buf[5000] = 0;
    SHOW(open(buf, O_RDONLY));
    SHOW(mkdir("d/e", 0700));
    SHOW(rmdir("d"));
    SHOW(rename("d/e", "i"));
    SHOW(rmdir("d"));
    SHOW(rmdir("."));
}

CASE(links)
{
    write_text("h", "abcdefg");
    SHOW(symlink("h", "s"));
    SHOW(symlink("s2", "s1"));
    SHOW(symlink("s1", "s2"));
    SHOW(symlink("created", "dangling"));
    SHOW(readlink("s", buf, sizeof buf));
    printf("%.1s\n", buf);
    SHOW(readlink("h", buf, sizeof buf));
    SHOW(readlink("dangling", buf, 3));
    show_size("s");
    SHOW(open("s1", O_RDONLY));
    SHOW(open("s", O_RDONLY | O_NOFOLLOW));
    SHOW(open("/proc/self", O_RDONLY | O_NOFOLLOW));
    int place = open("/proc/self", O_PATH | O_NOFOLLOW);
    SHOW(read(place, buf, 1));
    SHOW(close(place));
    place = open("s", O_PATH | O_NOFOLLOW);
    SHOW(write(place, buf, 1));
    SHOW(close(place));
    SHOW(open("dangling", O_RDONLY));
    SHOW(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW_OK(open("dangling", O_RDWR | O_CREAT, 0600));
    show_size("created");
    SHOW(unlink("s"));
    show_size("h");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
    DIR *d = opendir(path);
    char *found[100];
    size_t n = 0;

    for (struct dirent *e; d && (e = readdir(d));)
        found[n++] = strdup(e->d_name);
    qsort(found, n, sizeof *found, by_name);
    for (size_t i = 0; i < n; i++)
        printf("%s ", found[i]);
    printf("(%zu)\n", n);
    closedir(d);
}

CASE(directories)
{
    char name[20];

    SHOW(mkdir("i", 0755));
    SHOW(chdir("i"));
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "file%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    list(".");
    for (int i = 0; i < 60; i += 2) {
        snprintf(name, sizeof name, "file%d", i);
        unlink(name);
    }
    list("../i");
    SHOW(getcwd(name, 2) == NULL ? -1 : 0);
    getcwd(buf, sizeof buf);
    printf("the end of the path: %s\n", buf + strlen(buf) - 2);
    SHOW(chdir("file1"));
    SHOW(chdir("nothing"));
    SHOW(chdir(".."));
    list(".");
}

/* What statx tells, and where extended attributes are asked for; musl has no call for the former yet. */
CASE(newer_stat)
{
    uint32_t x[64];

    write_text("h", "abcdefg");
    symlink("created", "dangling");
    SHOW(syscall(SYS_statx, AT_FDCWD, "h", 0, 0x7ff, x));
    printf("mode %o, links %u, size %u\n", x[7] & 0xffff, x[4], x[10]);
    SHOW(syscall(SYS_statx, AT_FDCWD, "dangling", AT_SYMLINK_NOFOLLOW, 0x7ff, x));
    printf("mode %o\n", x[7] & 0xffff);
    SHOW(syscall(SYS_statx, AT_FDCWD, "nothing", 0, 0x7ff, x));
    SHOW(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, 0x7ff, (void *)8));
}

CASE(sending_a_file)
{
    write_text("h", "abcdefg");
    int in = open("h", O_RDONLY), out = open("copy", O_RDWR | O_CREAT, 0600);
    off_t offset = 2;

    SHOW(sendfile(out, in, &offset, 100));
    printf("offset %ld\n", (long)offset);
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(sendfile(out, in, NULL, 3));
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(pread(out, buf, 100, 0));
    printf("%.8s\n", buf);
    SHOW(sendfile(in, out, NULL, 3));
    close(in);
    close(out);
}
