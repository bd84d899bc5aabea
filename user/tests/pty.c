/* user/tests/pty.c - pseudo-terminals: pairs, line editing, settings, job control, hang-ups. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static char name[32];

static void settle(void)
{
    struct timespec t = { 0, 20000000 };

    nanosleep(&t, NULL);
}

static int open_pair(int *slave)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), n = -1, unlocked = 0;

    ioctl(master, TIOCGPTN, &n);
    snprintf(name, sizeof name, "/dev/pts/%d", n);
    ioctl(master, TIOCSPTLCK, &unlocked);
    *slave = open(name, O_RDWR | O_NOCTTY);
    return master;
}

/* Read until there are n bytes, or nothing comes for long; print them. */
static void get(const char *what, int fd, int n)
{
    char buf[512];
    int got = 0;
    struct pollfd p = { .fd = fd, .events = POLLIN };

    while (got < n && poll(&p, 1, 3000) == 1) {
        ssize_t more = read(fd, buf + got, sizeof buf - (size_t)got);
        if (more <= 0) {
            printf("(%s) ", more ? errno_name(errno) : "end");
            break;
        }
        got += (int)more;
    }
    printf("%s: ", what);
    for (int i = 0; i < got; i++)
        printf(buf[i] >= ' ' && buf[i] < 127 ? "%c" : "<%02x>", (unsigned char)buf[i]);
    printf("\n");
}

static void type(int master, const char *text)
{
    write(master, text, strlen(text));
}

static int ready(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

    return poll(&p, 1, 0) ? p.revents : 0;
}

static void pairs(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), n = -1, on = 0, slave, peer;
    struct stat st;

    SHOW(ioctl(master, TIOCGPTN, &n));
    snprintf(name, sizeof name, "/dev/pts/%d", n);
    SHOW(open(name, O_RDWR | O_NOCTTY));
    SHOW(ready(master));
    SHOW(ioctl(master, TIOCSPTLCK, &on));
    slave = open(name, O_RDWR | O_NOCTTY);
    SHOW(slave >= 0);
    SHOW(isatty(slave));
    SHOW(isatty(master));
    SHOW(ioctl(slave, TIOCGPTN, &n));
    SHOW(ioctl(slave, TIOCSPTLCK, &on));
    SHOW(fstat(slave, &st));
    printf("character device: %d, major %d, number as the name: %d\n", S_ISCHR(st.st_mode),
           (int)(st.st_rdev >> 8 & 0xff), (int)(st.st_rdev & 0xff) == n);
    SHOW(fstat(master, &st));
    printf("%o %x\n", st.st_mode & S_IFMT, (int)st.st_rdev);
    peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    SHOW(peer >= 0);
    SHOW(ttyname(peer) && !strcmp(ttyname(peer), name));
    SHOW(fstat(peer, &st));
    printf("the peer is a character device: %d, number as the name: %d\n", S_ISCHR(st.st_mode),
           (int)(st.st_rdev & 0xff) == n);
    type(master, "peer\n");
    get("read from the peer", peer, 5);
    SHOW(lseek(slave, 0, SEEK_SET));
    close(peer);
    close(master);
    close(slave);
    SHOW(stat(name, &st));
    SHOW(open("/dev/pts/none", O_RDWR));
}

static void settings(void)
{
    int slave, master = open_pair(&slave);
    struct termios t;
    struct winsize w = { 1, 2, 3, 4 };

    SHOW(tcgetattr(slave, &t));
    printf("%x %x %x %x\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
    for (int i = 0; i < 17; i++)
        printf("%d ", t.c_cc[i]);
    printf("\n");
    SHOW(ioctl(slave, TIOCGWINSZ, &w));
    printf("%d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
    w.ws_row = 50;
    SHOW(ioctl(master, TIOCSWINSZ, &w));
    w.ws_row = 0;
    SHOW(ioctl(slave, TIOCGWINSZ, &w));
    printf("%d\n", w.ws_row);
    t.c_lflag &= ~(unsigned)ECHO;
    SHOW(tcsetattr(master, TCSANOW, &t));
    t.c_lflag = 0;
    SHOW(tcgetattr(slave, &t));
    printf("%x\n", t.c_lflag);
    SHOW(tcsetattr(slave, 77, &t));
    SHOW(tcflush(slave, TCIOFLUSH));
    SHOW(tcflush(slave, 9));
    SHOW(tcdrain(slave));
    SHOW(tcflow(slave, 17));
    SHOW(ioctl(slave, TCGETS, NULL));
    SHOW(ioctl(slave, TCSETS, (void *)1));
    SHOW(ioctl(slave, 0x5499, NULL));
    close(master);
    close(slave);
}

static void editing(void)
{
    int slave, master = open_pair(&slave);
    struct termios t;

    type(master, "plain\n");
    get("echo", master, 7);
    get("line", slave, 6);
    type(master, "abx\x7f"
                 "c one two\x17three\n");
    get("echo", master, 37);
    get("line", slave, 14);
    type(master, "gone\x15kept\x01\x7f\n");
    get("echo", master, 30);
    get("line", slave, 5);
    type(master, "a\tb\x7f\x7f"
                 "c\n");
    get("tab", master, 13);
    get("line", slave, 3);
    type(master, "x\x12y\n");
    get("reprint", master, 9);
    get("line", slave, 3);
    type(master, "q\x16\x03q\n");
    get("literal", master, 8);
    get("line", slave, 4);
    type(master, "no newline\x04");
    get("end of file in a line", slave, 10);
    type(master, "\x04");
    get("end of file", slave, 1);
    type(master, "one\ntwo\n");
    get("one line a read", slave, 4);
    get("and the other", slave, 4);
    get("echo", master, 20);
    SHOW(write(slave, "a\nb\tc\r\n", 7));
    get("output", master, 9);
    tcgetattr(slave, &t);
    t.c_oflag &= ~(unsigned)OPOST;
    tcsetattr(slave, TCSANOW, &t);
    write(slave, "a\nb", 3);
    get("plain output", master, 3);
    close(master);
    close(slave);
}

static void raw(void)
{
    int slave, master = open_pair(&slave), n;
    struct termios t;
    char buf[16];

    tcgetattr(slave, &t);
    cfmakeraw(&t);
    t.c_cc[VMIN] = 3;
    t.c_cc[VTIME] = 0;
    SHOW(tcsetattr(slave, TCSANOW, &t));
    type(master, "ab");
    settle();
    SHOW(ready(slave));
    SHOW(ioctl(slave, FIONREAD, &n));
    printf("%d\n", n);
    type(master, "\x03");
    get("three bytes", slave, 3);
    t.c_cc[VMIN] = 0;
    tcsetattr(slave, TCSANOW, &t);
    SHOW(read(slave, buf, 10));
    t.c_cc[VTIME] = 1;
    tcsetattr(slave, TCSANOW, &t);
    SHOW(read(slave, buf, 10));
    type(master, "z");
    get("no echo", slave, 1);
    SHOW(ready(master));
    fcntl(slave, F_SETFL, O_NONBLOCK);
    t.c_cc[VMIN] = 1;
    tcsetattr(slave, TCSANOW, &t);
    SHOW(read(slave, buf, 10));
    fcntl(master, F_SETFL, O_NONBLOCK);
    SHOW(read(master, buf, 10));
    close(master);
    close(slave);
}

/* More goes in than fits: the writer waits for the reader. */
static void full(void)
{
    int slave, master = open_pair(&slave);
    static char buf[100000];
    size_t got = 0;
    ssize_t n;

    fcntl(slave, F_SETFL, O_NONBLOCK);
    memset(buf, 'x', sizeof buf);
    while (write(slave, buf, 1000) > 0)
        ;
    printf("refused: %s\n", errno_name(errno));
    fcntl(slave, F_SETFL, 0);
    fcntl(master, F_SETFL, O_NONBLOCK);
    while (read(master, buf, sizeof buf) > 0)
        settle();
    fcntl(master, F_SETFL, 0);
    if (!fork()) {
        close(master);
        write(slave, buf, sizeof buf);
        _exit(0);
    }
    close(slave);
    while ((n = read(master, buf, sizeof buf)) > 0)
        got += (size_t)n;
    printf("%zu bytes, then %s\n", got, errno_name(errno));
    wait(NULL);
    close(master);
}

static void ends(void)
{
    int slave, master = open_pair(&slave), ep = epoll_create1(0);
    struct epoll_event e = { .events = EPOLLIN };
    char buf[10];
    struct termios t;
    int group;

    epoll_ctl(ep, EPOLL_CTL_ADD, master, &e);
    SHOW(epoll_wait(ep, &e, 1, 0));
    write(slave, "bye", 3);
    close(slave);
    SHOW(epoll_wait(ep, &e, 1, 3000));
    get("what was left", master, 3);
    SHOW(ready(master));
    SHOW(read(master, buf, 10));
    SHOW(epoll_wait(ep, &e, 1, 0));
    printf("%x\n", e.events);
    slave = open(name, O_RDWR | O_NOCTTY);
    SHOW(slave >= 0);
    SHOW(ready(master));
    e.events = EPOLLIN;
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, slave, &e));
    close(master);
    SHOW(epoll_wait(ep, &e, 1, 3000));
    printf("%x\n", e.events);
    SHOW(ready(slave));
    SHOW(read(slave, buf, 10));
    SHOW(write(slave, "x", 1));
    SHOW(tcgetattr(slave, &t));
    SHOW(ioctl(slave, TIOCSPGRP, &group));
    SHOW(open(name, O_RDWR | O_NOCTTY));
    close(slave);
    close(ep);
}

/* ---- job control: in a child that leads a session on the slave ---- */

static volatile sig_atomic_t caught[32];

static void note(int signo)
{
    caught[signo]++;
}

static void report(const char *what)
{
    printf("%s:", what);
    for (int i = 1; i < 32; i++)
        if (caught[i])
            printf(" signal %d %d times", i, (int)caught[i]);
    printf("\n");
    memset((void *)caught, 0, sizeof caught);
}

static void catch (int signo)
{
    struct sigaction sa = { .sa_handler = note };

    sigaction(signo, &sa, NULL);
}

/* Wait until a child in a group of its own has stopped or ended, and tell how. */
static void tell(pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, WUNTRACED);
    if (WIFSTOPPED(status))
        printf("stopped by %d\n", WSTOPSIG(status));
    else
        printf("ended, status %x\n", status);
}

static void background(int slave, int master)
{
    char buf[10];
    pid_t pid = fork();

    if (!pid) {
        setpgid(0, 0);
        _exit(read(slave, buf, 10) == 3 ? 3 : errno);
    }
    tell(pid);
    setpgid(pid, pid);
    SHOW(tcsetpgrp(slave, pid));
    type(master, "in\n");
    kill(-pid, SIGCONT);
    tell(pid);
    signal(SIGTTOU, SIG_IGN);
    SHOW(tcsetpgrp(slave, getpgrp()));
    signal(SIGTTOU, SIG_DFL);
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        SHOW(tcsetpgrp(slave, getpgrp()));
        _exit(1);
    }
    tell(pid);
    kill(pid, SIGKILL);
    tell(pid);
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        signal(SIGTTIN, SIG_IGN);
        SHOW(read(slave, buf, 10));
        _exit(1);
    }
    tell(pid);
}

static void keys(int slave, int master)
{
    pid_t pid = fork();

    if (!pid) {
        setpgid(0, 0);
        pause();
        _exit(0);
    }
    setpgid(pid, pid);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(slave, pid);
    settle();
    type(master, "\x1a");
    tell(pid);
    kill(pid, SIGCONT);
    type(master, "\x03");
    tell(pid);
    tcsetpgrp(slave, getpgrp());
    signal(SIGTTOU, SIG_DFL);
    catch (SIGQUIT);
    type(master, "line\x1c");
    settle();
    report("quit key");
    type(master, "x\n");
    get("the line was dropped", slave, 2);
}

static void session(int slave, int master)
{
    struct winsize w = { 10, 20, 0, 0 };
    int value, tty;

    SHOW(setsid() == getpid());
    SHOW(open("/dev/tty", O_RDWR));
    SHOW(ioctl(slave, TIOCGPGRP, &value));
    SHOW(ioctl(slave, TIOCGSID, &value));
    SHOW(ioctl(slave, TIOCSCTTY, 0));
    SHOW(ioctl(slave, TIOCSCTTY, 0));
    SHOW(tcgetpgrp(slave) == getpgrp());
    SHOW(tcgetsid(slave) == getpid());
    SHOW(ioctl(master, TIOCGPGRP, &value));
    printf("the same: %d\n", value == getpgrp());
    tty = open("/dev/tty", O_RDWR);
    SHOW(tty >= 0);
    write(tty, "by /dev/tty", 11);
    get("master", master, 11);
    SHOW(tcsetpgrp(slave, 99999));
    SHOW(tcsetpgrp(slave, getpgid(getppid())));
    SHOW(tcsetpgrp(slave, -5));
    catch (SIGWINCH);
    ioctl(slave, TIOCSWINSZ, &w);
    ioctl(slave, TIOCSWINSZ, &w);
    report("window");
    w.ws_row = 11;
    ioctl(master, TIOCSWINSZ, &w);
    report("window by the master");
    background(slave, master);
    keys(slave, master);
    catch (SIGHUP);
    catch (SIGCONT);
    close(master);
    report("hang-up");
    SHOW(write(tty, "x", 1));
    SHOW(open("/dev/tty", O_RDWR));
}

static int in_session(void (*fn)(int, int))
{
    int slave, master = open_pair(&slave), status;
    pid_t pid = fork();

    if (!pid) {
        fn(slave, master);
        _exit(0);
    }
    close(slave);
    close(master);
    waitpid(pid, &status, 0);
    return status;
}

/* The leader ends: the group in front is told, and has no terminal any more, but files that work. */
static void leader_ends(int slave, int master)
{
    int p[2];
    char c;

    pipe(p);
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    if (!fork()) {
        catch (SIGHUP);
        write(p[1], "x", 1);
        while (!caught[SIGHUP])
            usleep(1000);
        report("the group in front");
        SHOW(write(slave, "x", 1));
        SHOW(open("/dev/tty", O_RDWR));
        SHOW(ready(master) & POLLHUP);
        _exit(0);
    }
    read(p[0], &c, 1);
}

int main(void)
{
    int p[2];
    char c;

    pairs();
    settings();
    editing();
    raw();
    full();
    ends();
    SHOW(in_session(session));
    pipe(p);
    if (!fork()) {
        in_session(leader_ends);
        _exit(0);
    }
    close(p[1]);
    read(p[0], &c, 1); /* until the last of them has ended */
    return 0;
}
