/* user/box.c - the small everyday commands in one program, chosen by the name it is called by (/bin/cat is a
 * link to /bin/box). Each knows only its plain use. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const char *name;

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", name, what, strerror(errno));
    return 1;
}

/* Copy everything from fd to standard output. */
static int copy_out(int fd, const char *what)
{
    static char buf[65536];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) > 0)
        for (ssize_t done = 0, w; done < n; done += w)
            if ((w = write(1, buf + done, (size_t)(n - done))) < 0)
                return fail("write");
    return n < 0 ? fail(what) : 0;
}

static int cat(int argc, char **argv)
{
    int status = argc == 1 ? copy_out(0, "-") : 0;

    for (int i = 1; i < argc; i++) {
        int fd = open(argv[i], O_RDONLY);
        status |= fd < 0 ? fail(argv[i]) : copy_out(fd, argv[i]);
        if (fd >= 0)
            close(fd);
    }
    return status;
}

static int echo(int argc, char **argv)
{
    int first = argc > 1 && !strcmp(argv[1], "-n") ? 2 : 1;

    for (int i = first; i < argc; i++)
        printf("%s%s", i > first ? " " : "", argv[i]);
    if (first == 1)
        putchar('\n');
    return fflush(stdout) ? fail("write") : 0;
}

static void list_entry(const char *dir, const char *entry)
{
    char path[4096], target[1024] = "";
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", dir, entry);
    if (lstat(path, &st)) {
        fail(path);
        return;
    }
    char type = S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : S_ISCHR(st.st_mode) ? 'c' : '-';
    ssize_t n = type == 'l' ? readlink(path, target, sizeof target - 1) : 0;
    target[n > 0 ? n : 0] = 0;
    printf("%c%03o %9lld %s%s%s\n", type, (unsigned)st.st_mode & 0777, (long long)st.st_size, entry,
           type == 'l' ? " -> " : "", target);
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int ls(int argc, char **argv)
{
    int longer = argc > 1 && !strcmp(argv[1], "-l"), first = 1 + longer;
    const char *dir = argc > first ? argv[first] : ".";
    struct dirent **entries;
    int n = scandir(dir, &entries, not_hidden, alphasort);

    if (n < 0) {
        if (errno != ENOTDIR)
            return fail(dir);
        puts(dir);
        return 0;
    }
    for (int i = 0; i < n; i++) {
        if (longer)
            list_entry(dir, entries[i]->d_name);
        else
            puts(entries[i]->d_name);
    }
    return 0;
}

static int wc(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : stdin;
    long lines = 0, words = 0, bytes = 0;
    int c, in_word = 0;

    if (!f)
        return fail(argv[1]);
    for (; (c = getc(f)) != EOF; bytes++) {
        int blank = c == ' ' || c == '\n' || c == '\t';
        lines += c == '\n';
        words += !blank && !in_word;
        in_word = !blank;
    }
    printf("%ld %ld %ld\n", lines, words, bytes);
    return 0;
}

static int head(int argc, char **argv)
{
    int lines = argc > 2 && !strcmp(argv[1], "-n") ? atoi(argv[2]) : 10, c;

    while (lines > 0 && (c = getchar()) != EOF) {
        putchar(c);
        lines -= c == '\n';
    }
    return 0;
}

static int grep(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    int found = 0;
    FILE *f = argc > 2 ? fopen(argv[2], "r") : stdin;

    if (argc < 2) {
        fprintf(stderr, "usage: grep text [file]\n");
        return 2;
    }
    if (!f)
        return fail(argv[2]), 2;
    while (getline(&line, &size, f) >= 0)
        if (strstr(line, argv[1])) {
            fputs(line, stdout);
            found = 1;
        }
    return !found;
}

static int make_dir(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        if (mkdir(argv[i], 0755))
            status = fail(argv[i]);
    return status;
}

static int rm(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        if (unlink(argv[i]) && (errno != EISDIR || rmdir(argv[i])))
            status = fail(argv[i]);
    return status;
}

static int sleep_for(int argc, char **argv)
{
    double s = argc > 1 ? atof(argv[1]) : 0;
    struct timespec t = { (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };

    return nanosleep(&t, NULL) ? fail("nanosleep") : 0;
}

static int kill_process(int argc, char **argv)
{
    int signo = SIGTERM, first = 1, status = 0;

    if (argc > 1 && argv[1][0] == '-') {
        signo = atoi(argv[1] + 1);
        first = 2;
    }
    for (int i = first; i < argc; i++)
        if (kill(atoi(argv[i]), signo))
            status = fail(argv[i]);
    return status;
}

static int name_of_system(int argc, char **argv)
{
    struct utsname u;

    (void)argc;
    (void)argv;
    if (uname(&u))
        return fail("uname");
    printf("%s %s %s %s\n", u.sysname, u.nodename, u.release, u.machine);
    return 0;
}

/* The first line of /proc/PID/stat: pid (name) state parent ... */
static int ps(int argc, char **argv)
{
    struct dirent **entries;
    int n = scandir("/proc", &entries, NULL, versionsort);

    (void)argc;
    (void)argv;
    if (n < 0)
        return fail("/proc");
    puts("  PID  PPID S NAME");
    for (int i = 0; i < n; i++) {
        char path[300], comm[64], state;
        int pid, ppid;
        snprintf(path, sizeof path, "/proc/%s/stat", entries[i]->d_name);
        FILE *f = atoi(entries[i]->d_name) > 0 ? fopen(path, "r") : NULL;
        if (!f)
            continue;
        if (fscanf(f, "%d (%63[^)]) %c %d", &pid, comm, &state, &ppid) == 4)
            printf("%5d %5d %c %s\n", pid, ppid, state, comm);
        fclose(f);
    }
    return 0;
}

static int dmesg(int argc, char **argv)
{
    int fd = open("/proc/kmsg", O_RDONLY);

    (void)argc;
    (void)argv;
    return fd < 0 ? fail("/proc/kmsg") : copy_out(fd, "/proc/kmsg");
}

static int power_off(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    sync();
    return reboot(!strcmp(name, "reboot") ? RB_AUTOBOOT : RB_POWER_OFF) ? fail(name) : 0;
}

static int yes_no(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return name[0] == 'f';
}

static const struct {
    const char *name;
    int (*fn)(int argc, char **argv);
} commands[] = { { "cat", cat },
                 { "dmesg", dmesg },
                 { "echo", echo },
                 { "false", yes_no },
                 { "grep", grep },
                 { "head", head },
                 { "kill", kill_process },
                 { "ls", ls },
                 { "mkdir", make_dir },
                 { "poweroff", power_off },
                 { "ps", ps },
                 { "reboot", power_off },
                 { "rm", rm },
                 { "sleep", sleep_for },
                 { "true", yes_no },
                 { "uname", name_of_system },
                 { "wc", wc } };

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;

    name = slash ? slash + 1 : argc ? argv[0] : "box";
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(name, commands[i].name)) {
            int status = commands[i].fn(argc, argv);
            return fflush(stdout) ? 1 : status;
        }
    fprintf(stderr, "box: no command '%s'; there are:", name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(stderr, " %s", commands[i].name);
    fputc('\n', stderr);
    return 127;
}
