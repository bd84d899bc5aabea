/* user/tests/errors_files.c - call by call, the errors that its page documents: names, directories, metadata.
 */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <stdint.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define BAD ((void *)8)

static char long_name[300], long_path[5000], buf[8192];
static struct stat st;
static int file, dir, none = 999;

/* f, a file; d, a directory with d/e; s -> f; dangling -> nothing; loop -> loop. */
static void make_files(void)
{
    memset(long_name, 'n', 256);
    for (size_t i = 0; i < sizeof long_path - 1; i++)
        long_path[i] = i % 2 ? 'x' : '/';
    file = open("f", O_RDWR | O_CREAT, 0644);
    write(file, "0123456789", 10);
    mkdir("d", 0755);
    close(open("d/e", O_CREAT | O_WRONLY, 0600));
    symlink("f", "s");
    symlink("nothing", "dangling");
    symlink("loop", "loop");
    dir = open("d", O_RDONLY | O_DIRECTORY);
}

/* What every call that walks a path may answer. */
#define BAD_PATHS(call)                                                                                      \
    SHOW(call(BAD));                                                                                         \
    SHOW(call(""));                                                                                          \
    SHOW(call("nothing/x"));                                                                                 \
    SHOW(call("f/x"));                                                                                       \
    SHOW(call("loop/x"));                                                                                    \
    SHOW(call("dangling/x"));                                                                                \
    SHOW(call(long_name));                                                                                   \
    SHOW(call(long_path))

#define OPEN(path) open(path, O_RDONLY)
CASE(open_paths)
{
    make_files();
    BAD_PATHS(OPEN);
    SHOW(OPEN("nothing"));
    SHOW(OPEN("dangling"));
    SHOW(OPEN("loop"));
    SHOW(OPEN("f/"));
    SHOW(OPEN("f/."));
    SHOW(OPEN("s/"));
    SHOW_OK(OPEN("d/"));
    SHOW_OK(OPEN("d/."));
    SHOW_OK(OPEN("d//e"));
}

CASE(open_flags)
{
    make_files();
    SHOW(open("d", O_WRONLY));
    SHOW(open("d", O_RDWR));
    SHOW(open("d", O_RDONLY | O_TRUNC));
    SHOW(open("d", O_RDONLY | O_CREAT, 0600));
    SHOW(open("f", O_RDONLY | O_DIRECTORY));
    SHOW(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("d", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("s", O_RDONLY | O_NOFOLLOW));
    SHOW(open("dangling", O_RDONLY | O_NOFOLLOW));
    SHOW(open("new/", O_RDWR | O_CREAT, 0600));
    SHOW(open("f/", O_RDWR | O_CREAT, 0600));
    SHOW(open("nothing/new", O_RDWR | O_CREAT, 0600));
    SHOW(open("f/new", O_RDWR | O_CREAT, 0600));
    SHOW(open("/", O_RDWR));
    SHOW(open(".", O_RDWR));
    SHOW(open("d/..", O_WRONLY | O_CREAT, 0600));
}

CASE(openat_errors)
{
    make_files();
    SHOW(openat(none, "f", O_RDONLY));
    SHOW(openat(-1, "f", O_RDONLY));
    SHOW(openat(file, "f", O_RDONLY));
    SHOW(openat(dir, "f", O_RDONLY));
    SHOW(openat(dir, BAD, O_RDONLY));
    SHOW(openat(dir, "", O_RDONLY));
    SHOW_OK(openat(dir, "e", O_RDONLY));
    SHOW_OK(openat(dir, "../f", O_RDONLY));
    SHOW_OK(openat(none, "/dev/null", O_RDONLY));
}

#define CREAT(path) creat(path, 0600)
CASE(creat_errors)
{
    make_files();
    BAD_PATHS(CREAT);
    SHOW(CREAT("d"));
    SHOW(CREAT("loop"));
    SHOW_OK(CREAT("dangling"));
    SHOW(access("nothing", F_OK));
}

#define STAT(path)  stat(path, &st)
#define LSTAT(path) lstat(path, &st)
CASE(stat_errors)
{
    make_files();
    BAD_PATHS(STAT);
    SHOW(STAT("dangling"));
    SHOW(STAT("loop"));
    SHOW(STAT("f/"));
    SHOW(syscall(SYS_stat, "f", BAD));
    SHOW(syscall(SYS_stat, "nothing", BAD));
}

CASE(lstat_errors)
{
    make_files();
    BAD_PATHS(LSTAT);
    SHOW(LSTAT("dangling"));
    SHOW(LSTAT("loop"));
    SHOW(LSTAT("dangling/"));
    SHOW(LSTAT("s/"));
    SHOW(syscall(SYS_lstat, "f", BAD));
}

CASE(fstat_errors)
{
    make_files();
    SHOW(syscall(SYS_fstat, none, &st));
    SHOW(syscall(SYS_fstat, -1, &st));
    SHOW(syscall(SYS_fstat, file, BAD));
}

CASE(newfstatat_errors)
{
    make_files();
    SHOW(syscall(SYS_newfstatat, none, "f", &st, 0));
    SHOW(syscall(SYS_newfstatat, file, "f", &st, 0));
    SHOW(syscall(SYS_newfstatat, dir, "f", &st, 0));
    SHOW(syscall(SYS_newfstatat, dir, "e", &st, 0x8000000));
    SHOW(syscall(SYS_newfstatat, dir, "", &st, 0));
    SHOW(syscall(SYS_newfstatat, dir, "", &st, AT_EMPTY_PATH));
    SHOW(syscall(SYS_newfstatat, none, "", &st, AT_EMPTY_PATH));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "dangling", &st, 0));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "dangling", &st, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(SYS_newfstatat, dir, BAD, &st, 0));
    SHOW(syscall(SYS_newfstatat, dir, "e", BAD, 0));
}

CASE(statx_errors)
{
    static uint32_t x[64];

    make_files();
    SHOW(syscall(SYS_statx, none, "f", 0, 0x7ff, x));
    SHOW(syscall(SYS_statx, file, "f", 0, 0x7ff, x));
    SHOW(syscall(SYS_statx, dir, "", 0, 0x7ff, x));
    SHOW(syscall(SYS_statx, dir, "", AT_EMPTY_PATH, 0x7ff, x));
    SHOW(syscall(SYS_statx, dir, "e", 0x8000000, 0x7ff, x));
    SHOW(syscall(SYS_statx, dir, "e", 0x6000, 0x7ff, x));
    SHOW(syscall(SYS_statx, dir, "e", 0, 0x80000000, x));
    SHOW(syscall(SYS_statx, dir, "e", 0, 0x7ff, BAD));
    SHOW(syscall(SYS_statx, dir, BAD, 0, 0x7ff, x));
}

#define ACCESS(path) access(path, F_OK)
CASE(access_errors)
{
    make_files();
    BAD_PATHS(ACCESS);
    SHOW(access("f", 8));
    SHOW(access("f", -1));
    SHOW(access("f", X_OK));
    SHOW(access("f", R_OK | W_OK));
    SHOW(access("d", R_OK | W_OK | X_OK));
    SHOW(access("dangling", F_OK));
    SHOW(access("loop", F_OK));
    SHOW(syscall(SYS_faccessat, none, "f", F_OK));
    SHOW(syscall(SYS_faccessat, file, "f", F_OK));
    SHOW(syscall(SYS_faccessat, dir, "e", 9));
    SHOW(syscall(SYS_faccessat2, dir, "e", F_OK, 0x8000));
    SHOW(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(SYS_faccessat2, dir, "", F_OK, AT_EMPTY_PATH));
}

#define TRUNCATE(path) truncate(path, 5)
CASE(truncate_errors)
{
    make_files();
    BAD_PATHS(TRUNCATE);
    SHOW(truncate("d", 5));
    SHOW(truncate("f", -1));
    SHOW(truncate("nothing", -1));
    SHOW(truncate("/dev/null", 5));
    SHOW(truncate("dangling", 5));
    SHOW(truncate("s", 5));
    SHOW(STAT("f") ? 0 : st.st_size);
}

CASE(ftruncate_errors)
{
    int readonly, p[2];

    make_files();
    readonly = open("f", O_RDONLY);
    pipe(p);
    SHOW(ftruncate(none, 5));
    SHOW(ftruncate(file, -1));
    SHOW(ftruncate(readonly, 5));
    SHOW(ftruncate(dir, 5));
    SHOW(ftruncate(p[1], 5));
    SHOW(ftruncate(open("/dev/null", O_RDWR), 5));
}

#define MKDIR(path) mkdir(path, 0755)
CASE(mkdir_errors)
{
    make_files();
    BAD_PATHS(MKDIR);
    SHOW(MKDIR("d"));
    SHOW(MKDIR("f"));
    SHOW(MKDIR("dangling"));
    SHOW(MKDIR("loop"));
    SHOW(MKDIR("/"));
    SHOW(MKDIR("."));
    SHOW(MKDIR("d/.."));
    SHOW(MKDIR("s/"));
    SHOW(MKDIR("f/"));
    SHOW(MKDIR("dangling/"));
    SHOW(MKDIR("g/."));
    SHOW(MKDIR("g/"));
    SHOW(MKDIR("g///"));
    SHOW(mkdirat(none, "h", 0755));
    SHOW(mkdirat(file, "h", 0755));
    SHOW(mkdirat(dir, "e", 0755));
    SHOW(mkdirat(dir, "h", 0755));
    SHOW(rmdir("d/h"));
}

CASE(rmdir_errors)
{
    make_files();
    BAD_PATHS(rmdir);
    SHOW(rmdir("nothing"));
    SHOW(rmdir("f"));
    SHOW(rmdir("d"));
    SHOW(rmdir("s"));
    symlink("d", "to_d");
    SHOW(rmdir("to_d/"));
    SHOW(unlink("to_d/"));
    SHOW(rmdir("f/"));
    SHOW(rmdir("dangling"));
    SHOW(rmdir("/"));
    SHOW(rmdir("."));
    SHOW(rmdir("d/."));
    SHOW(rmdir("d/.."));
    SHOW(rmdir(".."));
}

CASE(unlink_errors)
{
    make_files();
    BAD_PATHS(unlink);
    SHOW(unlink("nothing"));
    SHOW(unlink("d"));
    SHOW(unlink("d/"));
    SHOW(unlink("f/"));
    SHOW(unlink("nothing/"));
    SHOW(unlink("/"));
    SHOW(unlink("."));
    SHOW(unlink("loop"));
    SHOW(unlink("dangling"));
    SHOW(unlinkat(none, "f", 0));
    SHOW(unlinkat(file, "f", 0));
    SHOW(unlinkat(dir, "e", 0x1000));
    SHOW(unlinkat(dir, "e", AT_REMOVEDIR));
    SHOW(unlinkat(AT_FDCWD, "d", 0));
    SHOW(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    SHOW(unlinkat(dir, "e", 0));
    SHOW(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    SHOW(unlinkat(dir, "e", 0));
}

#define RENAME_FROM(path) rename(path, "new")
#define RENAME_TO(path)   rename("f", path)
CASE(rename_from_errors)
{
    make_files();
    BAD_PATHS(RENAME_FROM);
    SHOW(rename("nothing", "new"));
    SHOW(rename("f/", "new"));
    SHOW(rename("d", "f"));
    SHOW(rename("d", "d/sub"));
    SHOW(rename("d", "d/sub/sub"));
    SHOW(rename("d/.", "new"));
    SHOW(rename(".", "new"));
    SHOW(rename("d/..", "new"));
    SHOW(rename("/", "new"));
    SHOW(rename("loop", "new"));
    SHOW(rename("d", "d"));
    SHOW(rename("d/", "new/"));
    SHOW(access("new/e", F_OK));
}

CASE(rename_to_errors)
{
    make_files();
    BAD_PATHS(RENAME_TO);
    SHOW(rename("f", "d"));
    SHOW(rename("f", "d/"));
    SHOW(rename("f", "new/"));
    SHOW(rename("f", "."));
    SHOW(rename("f", "/"));
    mkdir("g", 0755);
    SHOW(rename("g", "d"));
    SHOW(rename("d", "g"));
    SHOW(rename("f", "f"));
    link("f", "same");
    SHOW(rename("f", "same"));
    SHOW(access("f", F_OK));
    SHOW(rename("f", "dangling"));
    SHOW(access("nothing", F_OK));
    SHOW(renameat(none, "a", AT_FDCWD, "b"));
    SHOW(renameat(AT_FDCWD, "dangling", none, "b"));
    SHOW(renameat(AT_FDCWD, "dangling", file, "b"));
}

CASE(renameat2_errors)
{
    make_files();
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 0x100));
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 3)); /* RENAME_NOREPLACE and RENAME_EXCHANGE */
    SHOW(syscall(SYS_renameat2, none, "f", AT_FDCWD, "g", 0));
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 0));
}

#define LINK_FROM(path) link(path, "new")
#define LINK_TO(path)   link("f", path)
CASE(link_errors)
{
    make_files();
    BAD_PATHS(LINK_FROM);
    BAD_PATHS(LINK_TO);
    SHOW(link("f", "d"));
    SHOW(link("f", "f"));
    SHOW(link("d", "new"));
    SHOW(link("f", "dangling"));
    SHOW(link("nothing", "f"));
    SHOW(link("f", "new/"));
    SHOW(link("dangling", "new")); /* the link itself */
    SHOW(readlink("new", buf, sizeof buf));
    SHOW(linkat(none, "f", AT_FDCWD, "x", 0));
    SHOW(linkat(AT_FDCWD, "f", none, "x", 0));
    SHOW(linkat(AT_FDCWD, "f", file, "x", 0));
    SHOW(linkat(AT_FDCWD, "f", AT_FDCWD, "x", 0x8000));
    SHOW(linkat(AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW));
    SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "x", AT_SYMLINK_FOLLOW));
    SHOW(LSTAT("x") ? -1 : S_ISREG(st.st_mode));
}

#define SYMLINK_TO(path) symlink("f", path)
CASE(symlink_errors)
{
    make_files();
    BAD_PATHS(SYMLINK_TO);
    SHOW(symlink(BAD, "new"));
    SHOW(symlink("", "new"));
    SHOW(symlink(long_path, "new"));
    SHOW(symlink("x", "f"));
    SHOW(symlink("x", "d"));
    SHOW(symlink("x", "dangling"));
    SHOW(symlink("x", "new/"));
    SHOW(symlinkat("x", none, "y"));
    SHOW(symlinkat("x", file, "y"));
    SHOW(symlinkat("x", dir, "y"));
    SHOW(readlink("d/y", buf, sizeof buf));
}

#define READLINK(path) readlink(path, buf, sizeof buf)
CASE(readlink_errors)
{
    make_files();
    BAD_PATHS(READLINK);
    SHOW(READLINK("f"));
    SHOW(READLINK("d"));
    SHOW(READLINK("s/"));
    SHOW(syscall(SYS_readlink, "s", buf, 0));
    SHOW(syscall(SYS_readlink, "s", buf, -1));
    SHOW(syscall(SYS_readlink, "dangling", buf, 3));
    SHOW(syscall(SYS_readlink, "s", BAD, 10));
    SHOW(readlinkat(none, "s", buf, 10));
    SHOW(readlinkat(file, "s", buf, 10));
    SHOW(readlinkat(dir, "", buf, 10));
}

#define CHMOD(path) chmod(path, 0600)
CASE(chmod_errors)
{
    make_files();
    BAD_PATHS(CHMOD);
    SHOW(chmod("dangling", 0600));
    SHOW(chmod("loop", 0600));
    SHOW(fchmod(none, 0600));
    SHOW(syscall(SYS_fchmodat, none, "f", 0600));
    SHOW(syscall(SYS_fchmodat, file, "f", 0600));
    SHOW(syscall(SYS_fchmodat, dir, "e", 04711));
    SHOW(STAT("d/e") ? -1 : (long)st.st_mode);
    SHOW(chmod("d", 01777));
    SHOW(STAT("d") ? -1 : (long)st.st_mode);
    SHOW(fchmod(file, 0177777));
    SHOW(STAT("f") ? -1 : (long)st.st_mode);
}

#define CHOWN(path) chown(path, (uid_t)-1, (gid_t)-1)
CASE(chown_errors)
{
    make_files();
    BAD_PATHS(CHOWN);
    SHOW(CHOWN("dangling"));
    SHOW(CHOWN("f"));
    SHOW(lchown("dangling", (uid_t)-1, (gid_t)-1));
    SHOW(lchown("nothing", (uid_t)-1, (gid_t)-1));
    SHOW(fchown(none, (uid_t)-1, (gid_t)-1));
    SHOW(fchown(file, (uid_t)-1, (gid_t)-1));
    SHOW(fchownat(none, "f", (uid_t)-1, (gid_t)-1, 0));
    SHOW(fchownat(file, "f", (uid_t)-1, (gid_t)-1, 0));
    SHOW(fchownat(dir, "e", (uid_t)-1, (gid_t)-1, 0x8000));
    SHOW(fchownat(dir, "", (uid_t)-1, (gid_t)-1, 0));
    SHOW(fchownat(dir, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH));
    SHOW(fchownat(AT_FDCWD, "dangling", (uid_t)-1, (gid_t)-1, AT_SYMLINK_NOFOLLOW));
}

CASE(chdir_errors)
{
    make_files();
    BAD_PATHS(chdir);
    SHOW(chdir("f"));
    SHOW(chdir("dangling"));
    SHOW(chdir("loop"));
    SHOW(fchdir(none));
    SHOW(fchdir(file));
    SHOW(fchdir(dir));
    SHOW(access("e", F_OK));
}

CASE(getcwd_errors)
{
    make_files();
    SHOW(syscall(SYS_getcwd, buf, 1));
    SHOW(syscall(SYS_getcwd, buf, 0));
    SHOW(syscall(SYS_getcwd, BAD, 4096));
    SHOW(mkdir("gone", 0700));
    SHOW(chdir("gone"));
    SHOW(rmdir("../gone"));
    SHOW(syscall(SYS_getcwd, buf, sizeof buf));
    SHOW(open("x", O_CREAT | O_WRONLY, 0600));
    SHOW(mkdir("x", 0700));
    SHOW(symlink("x", "y"));
    SHOW(access(".", F_OK));
    SHOW(access("..", F_OK));
}

CASE(getdents_errors)
{
    make_files();
    SHOW(syscall(SYS_getdents64, none, buf, sizeof buf));
    SHOW(syscall(SYS_getdents64, file, buf, sizeof buf));
    SHOW(syscall(SYS_getdents64, dir, buf, 1));
    SHOW(syscall(SYS_getdents64, dir, buf, 0));
    SHOW(syscall(SYS_getdents64, dir, BAD, 4096));
    SHOW(syscall(SYS_getdents64, dir, buf, sizeof buf) > 0);
    SHOW(syscall(SYS_getdents64, dir, buf, sizeof buf));
    int gone = (mkdir("gone", 0700), open("gone", O_RDONLY));
    rmdir("gone");
    SHOW(syscall(SYS_getdents64, gone, buf, sizeof buf));
}

CASE(utimensat_errors)
{
    struct timespec odd[2] = { { 1, 1000000000 }, { 1, 0 } },
                    now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
    struct timespec set[2] = { { 1000, 5 }, { 2000, 6 } };

    make_files();
    SHOW(syscall(SYS_utimensat, none, "f", NULL, 0));
    SHOW(syscall(SYS_utimensat, file, "f", NULL, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "nothing", NULL, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "f", odd, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "f", BAD, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, BAD, set, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "f", set, 0x8000));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, NULL, set, 0));
    SHOW(syscall(SYS_utimensat, file, NULL, set, 0));
    SHOW(STAT("f") ? -1 : st.st_atim.tv_sec);
    SHOW(STAT("f") ? -1 : st.st_mtim.tv_sec);
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "f", now, 0));
    SHOW(STAT("f") ? -1 : st.st_atim.tv_sec > 2000);
    SHOW(STAT("f") ? -1 : st.st_mtim.tv_sec);
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "dangling", set, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, "dangling", set, AT_SYMLINK_NOFOLLOW));
    SHOW(LSTAT("dangling") ? -1 : st.st_mtim.tv_sec);
}

static struct statfs fs;
#define STATFS(path) statfs(path, &fs)
CASE(statfs_errors)
{
    make_files();
    BAD_PATHS(STATFS);
    SHOW(syscall(SYS_statfs, "f", BAD));
    SHOW(fstatfs(none, &fs));
    SHOW(syscall(SYS_fstatfs, file, BAD));
    SHOW(fstatfs(file, &fs));
    SHOW(fs.f_namelen);
}

CASE(xattr_errors)
{
    make_files();
    SHOW(syscall(SYS_getxattr, "nothing", "user.x", buf, 10));
    SHOW(syscall(SYS_getxattr, BAD, "user.x", buf, 10));
    SHOW(syscall(SYS_getxattr, "f", BAD, buf, 10));
    SHOW(syscall(SYS_getxattr, "f", "", buf, 10));
    SHOW(syscall(SYS_fgetxattr, none, "user.x", buf, 10));
    SHOW(syscall(SYS_lgetxattr, "nothing", "user.x", buf, 10));
    SHOW(syscall(SYS_listxattr, "nothing", buf, 10));
    SHOW(syscall(SYS_flistxattr, none, buf, 10));
}

CASE(umask_and_modes)
{
    SHOW(umask(077));
    SHOW(umask(0177027));
    SHOW(umask(022));
    umask(027);
    close(open("a", O_CREAT | O_WRONLY, 0666));
    mkdir("b", 0777);
    mkdir("c", 01777);
    SHOW(STAT("a") ? -1 : (long)st.st_mode);
    SHOW(STAT("b") ? -1 : (long)st.st_mode);
    SHOW(STAT("c") ? -1 : (long)st.st_mode);
}
