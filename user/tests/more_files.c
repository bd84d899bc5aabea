/* user/tests/more_files.c - what files do besides failing: offsets, links, times, names, directories. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <dirent.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char buf[70000];
static struct stat st;

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    write(fd, text, strlen(text));
    close(fd);
}

/* The file's text in one line. */
static void show_text(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, buf, 100);

    printf("%s: %.*s\n", path, n > 0 ? (int)n : 0, buf);
    close(fd);
}

CASE(a_copied_descriptor_shares_the_offset)
{
    write_text("f", "abcdefghij");
    int one = open("f", O_RDONLY), two = dup(one), other = open("f", O_RDONLY);
    SHOW(read(one, buf, 3));
    SHOW(read(two, buf, 1));
    printf("%c\n", *buf);
    SHOW(read(other, buf, 1));
    printf("%c\n", *buf);
    SHOW(lseek(two, 0, SEEK_SET));
    SHOW(lseek(one, 0, SEEK_CUR));
}

CASE(a_child_shares_the_offset)
{
    write_text("f", "abcdefghij");
    int fd = open("f", O_RDONLY);
    if (!fork()) {
        read(fd, buf, 4);
        _exit(0);
    }
    wait(NULL);
    SHOW(read(fd, buf, 1));
    printf("%c\n", *buf);
}

CASE(appending)
{
    write_text("f", "start ");
    int one = open("f", O_WRONLY | O_APPEND), two = open("f", O_WRONLY | O_APPEND);
    for (int i = 0; i < 3; i++) {
        write(one, "1", 1);
        write(two, "2", 1);
    }
    SHOW(lseek(one, 0, SEEK_SET));
    SHOW(write(one, "end", 3));
    SHOW(lseek(one, 0, SEEK_CUR));
    SHOW(pwrite(two, "X", 1, 0)); /* goes to the end, too: a bug of Linux that became its ABI (pwrite(2)) */
    show_text("f");
}

CASE(beyond_the_end)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);

    SHOW(pwrite(fd, "x", 1, 5000));
    SHOW(fstat(fd, &st));
    SHOW(st.st_size);
    SHOW(read(fd, buf, 6000));
    int zero = 1;
    for (int i = 0; i < 5000; i++)
        zero &= !buf[i];
    SHOW(zero);
    SHOW(pread(fd, buf, 10, 5001));
    SHOW(ftruncate(fd, 100000));
    SHOW(pread(fd, buf, 10, 99995));
    SHOW(ftruncate(fd, 3));
    SHOW(ftruncate(fd, 10));
    SHOW(pread(fd, buf, 100, 0));
    SHOW(write(fd, "", 0));
}

CASE(truncated_while_open)
{
    write_text("f", "abcdefghij");
    int fd = open("f", O_RDONLY), other;
    SHOW(lseek(fd, 8, SEEK_SET));
    other = open("f", O_WRONLY | O_TRUNC);
    SHOW(read(fd, buf, 10));
    SHOW(write(other, "xy", 2));
    SHOW(read(fd, buf, 10));
    SHOW(pread(fd, buf, 10, 0));
}

CASE(removed_while_open)
{
    write_text("f", "still here");
    int fd = open("f", O_RDWR);
    SHOW(unlink("f"));
    SHOW(access("f", F_OK));
    SHOW(fstat(fd, &st));
    SHOW(st.st_nlink);
    SHOW(read(fd, buf, 100));
    SHOW(write(fd, "more", 4));
    SHOW(lseek(fd, 0, SEEK_END));
    write_text("f", "another");
    SHOW(pread(fd, buf, 100, 0));
}

CASE(renamed_while_open)
{
    write_text("f", "first");
    write_text("g", "second");
    int f = open("f", O_RDONLY), g = open("g", O_RDONLY);
    SHOW(rename("f", "g"));
    SHOW(read(f, buf, 100));
    SHOW(read(g, buf, 100));
    show_text("g");
    SHOW(fstat(g, &st));
    SHOW(st.st_nlink);
    SHOW(fstat(f, &st));
    SHOW(st.st_nlink);
}

CASE(hard_links)
{
    struct stat other;

    write_text("f", "text");
    SHOW(link("f", "g"));
    SHOW(link("g", "h"));
    SHOW(stat("f", &st));
    SHOW(st.st_nlink);
    stat("h", &other);
    SHOW(st.st_ino == other.st_ino && st.st_dev == other.st_dev);
    write_text("g", "changed");
    show_text("h");
    SHOW(unlink("f"));
    SHOW(rename("g", "h")); /* the same file: nothing happens */
    SHOW(access("g", F_OK));
    SHOW(stat("h", &st));
    SHOW(st.st_nlink);
}

CASE(symbolic_links_in_a_chain)
{
    char from[20], to[20];

    write_text("f0", "reached");
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof from, "f%d", i);
        snprintf(to, sizeof to, "f%d", i - 1);
        symlink(to, from);
    }
    show_text("f40"); /* 40 are followed, not 41 */
    SHOW(open("f41", O_RDONLY));
}

CASE(symbolic_links_along_the_way)
{
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    write_text("d/f", "in d");
    symlink("d", "to_d");
    symlink("../f", "d/e/up");
    symlink("to_d/e", "to_e");
    symlink("to_d/", "slash");
    show_text("to_d/f");
    show_text("d/e/up");
    show_text("to_e/up");
    show_text("to_e/../f");
    show_text("slash/f");
    SHOW(lstat("to_d", &st));
    SHOW(S_ISLNK(st.st_mode));
    SHOW(st.st_size);
    SHOW(lstat("to_d/", &st));
    SHOW(S_ISDIR(st.st_mode));
    SHOW(unlink("to_d"));
    SHOW(open("to_e/up", O_RDONLY));
}

CASE(a_file_made_through_a_link)
{
    mkdir("d", 0755);
    symlink("d/made", "s");
    int fd = open("s", O_WRONLY | O_CREAT, 0600);
    write(fd, "x", 1);
    show_text("d/made");
    SHOW(open("s", O_WRONLY | O_CREAT | O_EXCL, 0600));
    SHOW(unlink("s"));
    SHOW(access("d/made", F_OK));
}

CASE(the_longest_names)
{
    char name[257];

    memset(name, 'n', sizeof name);
    name[255] = 0;
    SHOW_OK(creat(name, 0600));
    SHOW(access(name, F_OK));
    SHOW(unlink(name));
    name[255] = 'n';
    name[256] = 0;
    SHOW(creat(name, 0600));
    SHOW(mkdir(name, 0700));
    SHOW(symlink("x", name));
    memset(buf, '/', 4095);
    buf[4095] = 0;
    SHOW(access(buf, F_OK));
    buf[4095] = '/';
    buf[4096] = 0;
    SHOW(access(buf, F_OK));
}

CASE(deep_directories)
{
    for (int i = 0; i < 100; i++)
        if (mkdir("d", 0700) || chdir("d"))
            printf("stuck at %d\n", i);
    write_text("bottom", "deep");
    SHOW(getcwd(buf, sizeof buf) != NULL);
    SHOW(strlen(strstr(buf, "/d/")));
    for (int i = 0; i < 100; i++)
        chdir("..");
    *buf = 0;
    for (int i = 0; i < 100; i++)
        strcat(buf, "d/");
    strcat(buf, "bottom");
    SHOW(access(buf, F_OK));
}

CASE(times_change_with_the_file)
{
    struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };

    write_text("f", "x");
    SHOW(utimensat(AT_FDCWD, "f", old, 0));
    SHOW(stat("f", &st));
    SHOW(st.st_atim.tv_sec);
    SHOW(st.st_mtim.tv_sec);
    SHOW(st.st_ctim.tv_sec > 1000000);
    write_text("f", "y");
    SHOW(stat("f", &st));
    SHOW(st.st_mtim.tv_sec > 1000000);
    utimensat(AT_FDCWD, "f", old, 0);
    SHOW(chmod("f", 0600));
    SHOW(stat("f", &st));
    SHOW(st.st_mtim.tv_sec);
    SHOW(truncate("f", 10));
    SHOW(stat("f", &st));
    SHOW(st.st_mtim.tv_sec > 1000000);
}

CASE(times_of_a_directory)
{
    struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };

    mkdir("d", 0755);
    utimensat(AT_FDCWD, "d", old, 0);
    write_text("d/f", "x");
    SHOW(stat("d", &st));
    SHOW(st.st_mtim.tv_sec > 1000000);
    utimensat(AT_FDCWD, "d", old, 0);
    write_text("d/f", "y"); /* no name changes */
    SHOW(stat("d", &st));
    SHOW(st.st_mtim.tv_sec);
    unlink("d/f");
    SHOW(stat("d", &st));
    SHOW(st.st_mtim.tv_sec > 1000000);
}

CASE(a_directory_that_changes_while_it_is_read)
{
    char name[20];
    int seen = 0;
    DIR *d;

    mkdir("d", 0755);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "d/%d", i);
        write_text(name, "");
    }
    d = opendir("d");
    for (struct dirent *e; (e = readdir(d));) {
        if (*e->d_name == '.')
            continue;
        snprintf(name, sizeof name, "d/%.10s", e->d_name);
        seen += !unlink(name); /* each is met once although they go meanwhile */
    }
    SHOW(seen);
    rewinddir(d);
    seen = 0;
    while (readdir(d))
        seen++;
    SHOW(seen);
    SHOW(rmdir("d"));
}

CASE(where_a_directory_was_left)
{
    char name[20], at[20] = "";
    long place = 0;
    int n = 0, same;
    DIR *d;

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "%d", i);
        write_text(name, "");
    }
    d = opendir(".");
    for (struct dirent *e; (e = readdir(d)) && n < 10; n++)
        if (n == 5) {
            place = telldir(d);
            strcpy(at, (e = readdir(d)) ? e->d_name : "");
        }
    seekdir(d, place);
    same = !strcmp(readdir(d)->d_name, at);
    SHOW(same);
}

CASE(kinds_of_entries)
{
    mkdir("d", 0755);
    write_text("f", "");
    symlink("f", "s");
    char kinds[3][40] = { "", "", "" };
    DIR *d = opendir(".");
    for (struct dirent *e; (e = readdir(d));)
        if (*e->d_name == 'd' || *e->d_name == 'f' || *e->d_name == 's')
            snprintf(kinds[(*e->d_name == 'f') + 2 * (*e->d_name == 's')], 40, "%.5s is %d", e->d_name,
                     e->d_type);
    for (int i = 0; i < 3; i++)
        say(kinds[i]);
}

CASE(what_stat_says)
{
    int p[2];

    pipe(p);
    write_text("f", "12345");
    mkdir("d", 0750);
    SHOW(stat("f", &st));
    printf("%o %ld\n", st.st_mode, (long)st.st_size);
    SHOW(stat("d", &st));
    printf("%o\n", st.st_mode);
    SHOW(fstat(p[0], &st));
    printf("%o %ld\n", st.st_mode & S_IFMT, (long)st.st_size);
    SHOW(stat("/dev/null", &st));
    printf("%o %lx\n", st.st_mode, (long)st.st_rdev);
    SHOW(stat("/dev/zero", &st));
    printf("%o %lx\n", st.st_mode, (long)st.st_rdev);
    SHOW(stat("/dev/urandom", &st));
    printf("%o %lx\n", st.st_mode & S_IFMT, (long)st.st_rdev);
}

CASE(devices)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
        random = open("/dev/urandom", O_RDONLY);
    char other[16] = "";

    SHOW(write(null, buf, 5000));
    SHOW(read(null, buf, 10));
    SHOW(lseek(null, 100, SEEK_SET) >= 0);
    memset(buf, 1, 100);
    SHOW(read(zero, buf, 100));
    SHOW(!buf[0] && !buf[99]);
    SHOW(write(zero, buf, 100));
    SHOW(read(random, buf, 16));
    SHOW(read(random, other, 16));
    SHOW(!memcmp(buf, other, 16));
    SHOW(pread(null, buf, 10, 50));
    SHOW(ftruncate(null, 0));
}

CASE(two_names_for_an_open_file)
{
    char path[40];

    write_text("f", "text");
    int fd = open("f", O_RDONLY), again;
    read(fd, buf, 2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY); /* opened anew: its offset is its own */
    SHOW(again >= 0);
    SHOW(read(again, buf, 10));
    ssize_t n = readlink(path, buf, sizeof buf);
    SHOW(n > 2 && !memcmp(buf + n - 2, "/f", 2));
}

CASE(vectors_in_one_go)
{
    struct iovec v[1024];
    int fd = open("f", O_RDWR | O_CREAT, 0600);

    for (int i = 0; i < 1024; i++)
        v[i] = (struct iovec){ (char *)"ab" + i % 2, 1 };
    SHOW(writev(fd, v, 1024));
    SHOW(lseek(fd, 0, SEEK_SET));
    for (int i = 0; i < 1024; i++)
        v[i] = (struct iovec){ buf + i * 3, 3 };
    SHOW(readv(fd, v, 1024));
    printf("%.6s\n", buf);
}

CASE(mkstemp_and_friends)
{
    char name[] = "tempXXXXXX", directory[] = "dirXXXXXX";

    SHOW_OK(mkstemp(name));
    SHOW(stat(name, &st));
    printf("%o\n", st.st_mode);
    SHOW(mkdtemp(directory) != NULL);
    SHOW(stat(directory, &st));
    printf("%o\n", st.st_mode);
    FILE *f = tmpfile();
    SHOW(f != NULL);
    SHOW(fputs("text", f) >= 0);
    rewind(f);
    SHOW(fgets(buf, 10, f) == buf);
    say(buf);
}
