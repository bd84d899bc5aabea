/* user/tests/permissions.c - users, groups and capabilities: who may do what to files, processes and ports.
 */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { NOBODY = 54321, OTHER = 54322 };

static void whoami(void)
{
    uid_t r, e, s;
    gid_t gr, ge, gs;

    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    printf("  users %d %d %d, groups %d %d %d\n", (int)r, (int)e, (int)s, (int)gr, (int)ge, (int)gs);
}

/* Become somebody without rights; only a child does this. */
static void become(int id)
{
    setgroups(0, NULL);
    setresgid((gid_t)id, (gid_t)id, (gid_t)id);
    setresuid((uid_t)id, (uid_t)id, (uid_t)id);
}

/* Run fn in a child that is `id`. */
static void as(int id, void (*fn)(void))
{
    fflush(stdout);
    if (!fork()) {
        become(id);
        fn();
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void make(const char *name, mode_t mode)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0600);

    write(fd, name, strlen(name));
    fchmod(fd, mode);
    close(fd);
}

static void setuid_rules(void)
{
    whoami();
    SHOW(setuid(0));
    SHOW(setuid(OTHER));
    SHOW(setreuid(0, 0));
    SHOW(setresuid(-1, 0, -1));
    SHOW(setgid(0));
    SHOW(setgroups(0, NULL));
    whoami();
}

CASE(dropping_root_is_for_good)
{
    as(NOBODY, setuid_rules);
}

CASE(effective_and_saved_users)
{
    SHOW(seteuid(NOBODY));
    whoami();
    SHOW(seteuid(OTHER));
    SHOW(seteuid(0));
    whoami();
    SHOW(setresuid(NOBODY, OTHER, 0));
    whoami();
    SHOW(setuid(OTHER + 5));
    SHOW(setreuid(OTHER, -1));
    whoami();
    SHOW(setreuid(-1, 0));
    whoami();
    SHOW(setuid(NOBODY));
    whoami();
    SHOW(setuid(OTHER));
    whoami();
    SHOW(setuid(-1));
}

CASE(real_and_effective_groups)
{
    SHOW(setregid(NOBODY, OTHER));
    whoami();
    SHOW(setregid(-1, NOBODY));
    whoami();
    SHOW(setresgid(-1, -1, OTHER));
    SHOW(setgid(-1));
    SHOW(setgid(5));
    whoami();
}

CASE(supplementary_groups)
{
    gid_t list[8] = { 5, 7, 9 };

    SHOW(setgroups(3, list));
    memset(list, 0, sizeof list);
    SHOW(getgroups(0, NULL));
    SHOW(getgroups(2, list));
    SHOW(getgroups(8, list));
    printf("%d %d %d\n", (int)list[0], (int)list[1], (int)list[2]);
    SHOW(setgroups(70000, list));
    SHOW(getgroups(-1, list));
    SHOW(syscall(SYS_setgroups, 3, 8L));
}

CASE(users_for_files)
{
    make("file", 0600);
    SHOW(setfsuid(NOBODY));
    SHOW(setfsuid(-1));
    SHOW(open("file", O_RDONLY));
    SHOW(geteuid());
    SHOW(setfsuid(0));
    SHOW_OK(open("file", O_RDONLY));
}

static void try_opening(void)
{
    static const char *const names[] = { "mine", "group", "all", "none", "write-only" };

    for (int i = 0; i < 5; i++)
        for (int mode = O_RDONLY; mode <= O_RDWR; mode++) {
            int fd = open(names[i], mode);
            printf("  %s %d: %s\n", names[i], mode, fd < 0 ? errno_name(errno) : "ok");
            if (fd >= 0)
                close(fd);
        }
}

CASE(owner_group_and_others)
{
    chmod(".", 0755);
    make("mine", 0600);
    make("group", 0640);
    make("all", 0666);
    make("none", 0);
    make("write-only", 0222);
    chown("mine", NOBODY, 0);
    chown("group", 0, NOBODY);
    say("root");
    try_opening();
    say("nobody");
    as(NOBODY, try_opening);
    say("somebody else");
    as(OTHER, try_opening);
}

static void owner_is_worst_off(void)
{
    SHOW(open("file", O_RDONLY));
}

CASE(the_first_class_that_fits_decides)
{
    make("file", 0077);
    chown("file", NOBODY, NOBODY);
    as(NOBODY, owner_is_worst_off);
}

static void look_into(void)
{
    SHOW(open("closed/file", O_RDONLY));
    SHOW_OK(open("passage/file", O_RDONLY));
    SHOW(open("passage", O_RDONLY));
    SHOW(open("passage/none", O_RDONLY));
    SHOW(open("closed/none", O_RDONLY));
    SHOW(chdir("closed"));
    SHOW(chdir("passage"));
}

CASE(directories)
{
    chmod(".", 0755);
    mkdir("closed", 0700);
    mkdir("passage", 0755);
    make("closed/file", 0666);
    make("passage/file", 0666);
    chmod("passage", 0711);
    as(NOBODY, look_into);
}

static void change_names(void)
{
    SHOW(open("new", O_CREAT | O_WRONLY, 0600));
    SHOW(mkdir("new", 0700));
    SHOW(symlink("x", "new"));
    SHOW(link("theirs", "new"));
    SHOW(unlink("theirs"));
    SHOW(rename("theirs", "other"));
    SHOW(rmdir("dir"));
    SHOW(mkdir("dir", 0700));
    SHOW(unlink("none"));
}

CASE(names_in_a_directory_of_somebody_else)
{
    chmod(".", 0755);
    make("theirs", 0666);
    mkdir("dir", 0777);
    as(NOBODY, change_names);
}

static void in_sticky(void)
{
    int fd;

    SHOW(unlink("root's"));
    SHOW(rename("root's", "x"));
    fd = SHOW_OK(open("mine", O_CREAT | O_WRONLY, 0600));
    close(fd);
    SHOW(rename("mine", "root's"));
    SHOW(rename("mine", "still mine"));
    SHOW(unlink("still mine"));
    SHOW_OK(open("left", O_CREAT | O_WRONLY, 0600));
}

static void other_in_sticky(void)
{
    SHOW(unlink("left"));
}

CASE(a_sticky_directory)
{
    make("root's", 0666);
    chmod(".", 01777);
    as(NOBODY, in_sticky);
    as(OTHER, other_in_sticky);
    SHOW(unlink("left"));
}

static void show_file(const char *name)
{
    struct stat st;

    lstat(name, &st);
    printf("  %s: %o of %d, %d\n", name, st.st_mode, (int)st.st_uid, (int)st.st_gid);
}

static void change_attributes(void)
{
    SHOW(chmod("root's", 0777));
    SHOW(chown("root's", NOBODY, -1));
    SHOW(chmod("mine", 04755));
    show_file("mine");
    SHOW(chown("mine", 0, -1));
    SHOW(chown("mine", -1, 0));
    SHOW(chown("mine", NOBODY, NOBODY));
    show_file("mine");
    SHOW(chown("mine", -1, -1));
    SHOW(chmod("foreign group", 02755));
    show_file("foreign group");
    SHOW(utimensat(AT_FDCWD, "root's", NULL, 0));
    SHOW(utimensat(AT_FDCWD, "root's", (struct timespec[2]){ { 1, 1 }, { 1, 1 } }, 0));
    SHOW(utimensat(AT_FDCWD, "writable", NULL, 0));
    SHOW(utimensat(AT_FDCWD, "writable", (struct timespec[2]){ { 1, 1 }, { 1, 1 } }, 0));
    SHOW(utimensat(AT_FDCWD, "writable", (struct timespec[2]){ { 1, UTIME_OMIT }, { 1, UTIME_OMIT } }, 0));
    SHOW(truncate("root's", 0));
    SHOW(truncate("writable", 0));
}

CASE(mode_owner_and_times)
{
    chmod(".", 0755);
    make("root's", 0644);
    make("writable", 0666);
    make("mine", 0644);
    make("foreign group", 0644);
    chown("mine", NOBODY, NOBODY);
    chown("foreign group", NOBODY, 0);
    as(NOBODY, change_attributes);
    SHOW(utimensat(AT_FDCWD, "mine", (struct timespec[2]){ { 1, 1000000000 }, { 1, 1 } }, 0));
    SHOW(utimensat(AT_FDCWD, "mine", NULL, 64));
}

static void write_to_it(void)
{
    int fd = open("file", O_WRONLY);

    write(fd, "x", 1);
    close(fd);
}

CASE(writing_takes_the_setuid_bit)
{
    chmod(".", 0755);
    make("file", 06777);
    write_to_it();
    show_file("file");
    as(NOBODY, write_to_it);
    show_file("file");
    chmod("file", 06777);
    chown("file", NOBODY, -1);
    show_file("file");
}

static void create_some(void)
{
    umask(027);
    close(open("file", O_CREAT | O_WRONLY, 0666));
    mkdir("dir", 0777);
    symlink("x", "link");
    show_file("file");
    show_file("dir");
    show_file("link");
}

CASE(new_files_belong_to_their_maker)
{
    chmod(".", 0777);
    as(NOBODY, create_some);
}

CASE(a_setgid_directory_hands_its_group_on)
{
    chown(".", 0, OTHER);
    chmod(".", 02777);
    as(NOBODY, create_some);
}

static void ask_access(void)
{
    static const char *const names[] = { "all", "mine", "none", "program", "closed/file" };

    for (int i = 0; i < 5; i++)
        printf("  %s: %d %d %d %d\n", names[i], access(names[i], F_OK), access(names[i], R_OK),
               access(names[i], W_OK), access(names[i], X_OK));
    SHOW(access("all", 64));
}

CASE(access_asks_for_the_real_user)
{
    chmod(".", 0755);
    mkdir("closed", 0700);
    make("closed/file", 0666);
    make("all", 0666);
    make("mine", 0600);
    make("none", 0);
    make("program", 0755);
    chown("mine", NOBODY, NOBODY);
    say("root");
    ask_access();
    say("nobody");
    as(NOBODY, ask_access);
    setreuid(NOBODY, 0);
    say("root in fact, nobody's program");
    ask_access();
    SHOW(faccessat(AT_FDCWD, "none", R_OK, AT_EACCESS));
    SHOW_OK(open("none", O_RDONLY));
}

HELPER(who)
{
    (void)argc, (void)argv;
    whoami();
    return 0;
}

static void copy_program(const char *to, mode_t mode)
{
    char buf[8192];
    int in = open(this_program, O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0700);
    ssize_t n;

    while ((n = read(in, buf, sizeof buf)) > 0)
        write(out, buf, (size_t)n);
    fchmod(out, mode);
    close(in);
    close(out);
}

static void run_it(void)
{
    fflush(stdout);
    if (!fork()) {
        execl("./program", "./program", "who", (char *)0);
        printf("  %s\n", errno_name(errno));
        fflush(stdout);
        _exit(1);
    }
    wait(NULL);
}

CASE(setuid_programs)
{
    chmod(".", 0755);
    copy_program("program", 0755);
    as(NOBODY, run_it);
    chmod("program", 04755);
    as(NOBODY, run_it);
    chown("program", OTHER, OTHER);
    chmod("program", 06755);
    as(NOBODY, run_it);
    run_it();
    chmod("program", 02745);
    as(NOBODY, run_it);
    chmod("program", 04700);
    as(NOBODY, run_it);
    chmod("program", 0711); /* to be run, not to be read */
    as(NOBODY, run_it);
}

static void without_new_rights(void)
{
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    run_it();
}

CASE(no_new_privileges)
{
    chmod(".", 0755);
    copy_program("program", 04755);
    as(NOBODY, without_new_rights);
}

static int victim;

static void try_killing(void)
{
    int own = fork();

    if (!own) {
        pause();
        _exit(0);
    }
    SHOW(kill(victim, 0));
    SHOW(kill(victim, SIGTERM));
    SHOW(kill(victim, SIGCONT));
    SHOW(kill(own, 0));
    SHOW(kill(own, SIGKILL));
    SHOW(kill(getppid(), SIGUSR1));
    waitpid(own, NULL, 0);
}

CASE(whom_one_may_signal)
{
    victim = fork();
    if (!victim) {
        pause();
        _exit(0);
    }
    as(NOBODY, try_killing);
    SHOW(kill(victim, SIGKILL));
    waitpid(victim, NULL, 0);
}

static void try_sockets(void)
{
    struct sockaddr_in low = { .sin_family = AF_INET,
                               .sin_port = htons(703),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                       any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    SHOW(bind(fd, (struct sockaddr *)&low, sizeof low) == -1 ? errno == EACCES : -2);
    SHOW(bind(fd, (struct sockaddr *)&any, sizeof any));
    SHOW(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

CASE(low_ports_and_raw_sockets)
{
    as(NOBODY, try_sockets);
}

struct header {
    uint32_t version;
    int pid;
};
struct data {
    uint32_t effective, permitted, inheritable;
};

static void show_caps(void)
{
    struct header h = { 0x20080522, 0 };
    struct data d[2];

    if (syscall(SYS_capget, &h, d))
        printf("  %s\n", errno_name(errno));
    else
        printf("  net_raw, setuid: effective %d%d permitted %d%d\n", d[0].effective >> 13 & 1,
               d[0].effective >> 7 & 1, d[0].permitted >> 13 & 1, d[0].permitted >> 7 & 1);
}

static void keep_only_raw(void)
{
    struct header h = { 0x20080522, 0 };
    struct data d[2] = { { 1 << 13, 1 << 13, 0 } };

    show_caps();
    SHOW(syscall(SYS_capset, &h, d));
}

CASE(capabilities)
{
    struct header h = { 1, 0 };
    struct data d[2] = { { 1 << 13, 1 << 13, 0 } };

    show_caps();
    SHOW(syscall(SYS_capget, &h, NULL));
    printf("%x\n", h.version);
    h.version = 1;
    SHOW(syscall(SYS_capget, &h, d));
    h = (struct header){ 0x20080522, -1 };
    SHOW(syscall(SYS_capget, &h, d));
    SHOW(syscall(SYS_capget, 8L, d));
    h.pid = 1;
    SHOW(syscall(SYS_capset, &h, d));
    as(NOBODY, keep_only_raw);
    h.pid = 0;
    SHOW(syscall(SYS_capset, &h, d));
    show_caps();
    SHOW(setuid(NOBODY));
    d[0].permitted = 1 << 7;
    SHOW(syscall(SYS_capset, &h, d));
}

CASE(keeping_capabilities_over_a_change_of_user)
{
    struct header h = { 0x20080522, 0 };
    struct data d[2] = { { 1 << 13, 1 << 13, 0 } };

    SHOW(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    SHOW(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
    SHOW(setresuid(NOBODY, NOBODY, NOBODY));
    show_caps();
    SHOW(syscall(SYS_capset, &h, d));
    show_caps();
    SHOW_OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    SHOW(prctl(PR_CAPBSET_READ, 13, 0, 0, 0));
    SHOW(prctl(PR_CAPBSET_READ, 77, 0, 0, 0));
    SHOW(prctl(PR_CAPBSET_DROP, 13, 0, 0, 0));
}
