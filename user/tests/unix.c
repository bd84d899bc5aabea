/* user/tests/unix.c - local sockets: the three kinds, their names, errors, poll and the end of a connection.
 */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char buf[300000];
static int broken_pipes;

static void on_pipe(int signo)
{
    (void)signo;
    broken_pipes++;
}

static socklen_t address(struct sockaddr_un *a, const char *path)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    strcpy(a->sun_path, path);
    return sizeof *a;
}

/* An abstract name that only this process has. */
static socklen_t abstract(struct sockaddr_un *a, int number)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    return offsetof(struct sockaddr_un, sun_path) + 1 +
           sprintf(a->sun_path + 1, "towpath-%d-%d", (int)getpid(), number);
}

static void show_poll(int fd)
{
    struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0 };
    int n = poll(&p, 1, 0);

    printf("poll: %d, %x\n", n, p.revents & 0xffff);
}

static void show_error(int fd)
{
    int err = -1;
    socklen_t len = sizeof err;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
    printf("SO_ERROR %s\n", err ? errno_name(err) : "none");
}

static void making(void)
{
    int s[2];

    SHOW_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    SHOW_OK(socket(AF_UNIX, SOCK_DGRAM, 1));
    SHOW_OK(socket(AF_UNIX, SOCK_RAW, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 7));
    SHOW(socket(AF_UNIX, 4, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
    SHOW(socketpair(AF_INET, SOCK_STREAM, 0, s));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, s));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
    SHOW(socketpair(99, SOCK_STREAM, 0, s));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s));
    printf("%x %x\n", fcntl(s[0], F_GETFD), fcntl(s[1], F_GETFL) & O_NONBLOCK);
    close(s[0]), close(s[1]);
    for (int fd = 3; fd < 10; fd++)
        close(fd);
}

static void stream(void)
{
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    int s[2], n;

    say("--- stream");
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    SHOW(read(s[0], buf, 10));
    show_poll(s[0]);
    SHOW(write(s[0], "hello", 5));
    SHOW(write(s[0], " world", 6));
    SHOW(ioctl(s[1], FIONREAD, &n));
    printf("%d wait\n", n);
    show_poll(s[1]);
    SHOW(recv(s[1], buf, 3, MSG_PEEK));
    SHOW(recv(s[1], buf, 100, MSG_PEEK));
    SHOW(read(s[1], buf, 7));
    printf("%.7s\n", buf);
    SHOW(recv(s[1], buf, 100, MSG_TRUNC));
    SHOW(recv(s[1], buf, 100, MSG_OOB));
    SHOW(getsockname(s[0], (void *)&a, &len));
    printf("family %d, length %u\n", a.sun_family, len);
    len = sizeof a;
    SHOW(getpeername(s[0], (void *)&a, &len));
    printf("family %d, length %u\n", a.sun_family, len);
    address(&a, "nowhere");
    SHOW(sendto(s[0], "x", 1, 0, (void *)&a, sizeof a));
    SHOW(connect(s[0], (void *)&a, sizeof a));
    SHOW(lseek(s[0], 0, SEEK_SET));
    SHOW(write(s[0], (void *)1, 1));
    SHOW(write(s[0], "x", 1));
    SHOW(read(s[1], (void *)1, 1));
    SHOW(read(s[1], buf, 1));
    SHOW(write(s[0], buf, 0));
    SHOW(shutdown(s[0], 7));
    SHOW(shutdown(s[0], SHUT_WR));
    SHOW(read(s[1], buf, 1));
    show_poll(s[1]);
    show_poll(s[0]);
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    SHOW(write(s[1], "back", 4));
    SHOW(read(s[0], buf, 10));
    close(s[1]);
    show_poll(s[0]);
    SHOW(read(s[0], buf, 10));
    show_error(s[0]);
    close(s[0]);
}

static void broken(void)
{
    int s[2];

    say("--- broken");
    signal(SIGPIPE, on_pipe);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    SHOW(write(s[0], "unread", 6));
    SHOW(write(s[1], "left", 4));
    close(s[1]);
    show_poll(s[0]);
    SHOW(read(s[0], buf, 10));
    SHOW(read(s[0], buf, 10));
    SHOW(read(s[0], buf, 10));
    SHOW(write(s[0], "x", 1));
    printf("SIGPIPE %d times\n", broken_pipes);
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    printf("SIGPIPE %d times\n", broken_pipes);
    close(s[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    SHOW(shutdown(s[1], SHUT_RD));
    show_poll(s[0]);
    SHOW(write(s[0], "x", 1));
    printf("SIGPIPE %d times\n", broken_pipes);
    close(s[0]), close(s[1]);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    close(s[1]);
    SHOW(write(s[0], "x", 1));
    SHOW(write(s[0], "x", 1));
    close(s[0]);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
    close(s[1]);
    SHOW(write(s[0], "x", 1));
    printf("SIGPIPE %d times\n", broken_pipes);
    SHOW(read(s[0], buf, 1));
    close(s[0]);
}

/* A child writes more than fits, and every byte arrives. */
static void big_transfer(void)
{
    int s[2], status;
    unsigned long sum = 0, total = 0;
    ssize_t n;

    say("--- big");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    if (!fork()) {
        close(s[0]);
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = (char)(i * 7);
        for (int i = 0; i < 3; i++)
            if (write(s[1], buf, sizeof buf) != sizeof buf)
                _exit(4);
        _exit(3);
    }
    close(s[1]);
    while ((n = read(s[0], buf, 54321)) > 0)
        for (ssize_t i = 0; i < n; i++)
            sum = sum * 31 + (unsigned char)buf[i], total++;
    wait(&status);
    printf("%lu bytes, sum %lx, status %x\n", total, sum, status);
    close(s[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    if (!fork()) {
        for (int i = 0; i < 4; i++) {
            usleep(2000);
            write(s[1], "1234", 4);
        }
        _exit(0);
    }
    SHOW(recv(s[0], buf, 10, MSG_WAITALL));
    SHOW(recv(s[0], buf, 6, MSG_WAITALL));
    wait(&status);
    close(s[0]), close(s[1]);
}

static void datagrams(void)
{
    int s[2], n;

    say("--- datagrams");
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s);
    SHOW(send(s[0], "one", 3, 0));
    SHOW(send(s[0], "", 0, 0));
    SHOW(send(s[0], "three", 5, 0));
    SHOW(ioctl(s[1], FIONREAD, &n));
    printf("%d wait\n", n);
    SHOW(recv(s[1], buf, 2, MSG_PEEK));
    SHOW(recv(s[1], buf, 2, MSG_TRUNC));
    SHOW(recv(s[1], buf, 2, 0));
    SHOW(recv(s[1], buf, 2, 0));
    SHOW(recv(s[1], buf, 2, 0));
    SHOW(send(s[0], buf, 300000, 0));
    SHOW(shutdown(s[1], SHUT_RD));
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    SHOW(recv(s[1], buf, 2, 0));
    show_poll(s[1]);
    SHOW(shutdown(s[1], SHUT_WR));
    SHOW(send(s[1], "x", 1, 0));
    printf("SIGPIPE %d times\n", broken_pipes);
    show_poll(s[1]);
    close(s[0]), close(s[1]);
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s);
    SHOW(send(s[0], "one", 3, 0));
    SHOW(send(s[0], "three", 5, 0));
    SHOW(recv(s[1], buf, 2, 0));
    SHOW(recv(s[1], buf, 20, 0));
    SHOW(recv(s[1], buf, 20, 0));
    SHOW(shutdown(s[0], SHUT_WR));
    SHOW(recv(s[1], buf, 20, 0));
    show_poll(s[1]);
    close(s[0]), close(s[1]);
}

/* Three sockets with abstract names: who may send to whom. */
static void strangers(void)
{
    struct sockaddr_un a, b, c, from;
    socklen_t la = abstract(&a, 1), lb = abstract(&b, 2), lc = abstract(&c, 3), lf = sizeof from;
    int sa = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), sb = socket(AF_UNIX, SOCK_DGRAM, 0);
    int sc = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), sent = 0;

    say("--- strangers");
    SHOW(sendto(sa, "x", 1, 0, (void *)&b, lb));
    SHOW(bind(sa, (void *)&a, la));
    SHOW(bind(sa, (void *)&c, lc));
    SHOW(bind(sb, (void *)&a, la));
    SHOW(bind(sb, (void *)&b, lb));
    SHOW(sendto(sa, "hello", 5, 0, (void *)&b, lb));
    SHOW(recvfrom(sb, buf, 100, 0, (void *)&from, &lf));
    printf("from a: %d\n", lf == la && !memcmp(&from, &a, la));
    SHOW(sendto(sc, "who", 3, 0, (void *)&b, lb));
    lf = sizeof from;
    SHOW(recvfrom(sb, buf, 100, 0, (void *)&from, &lf));
    printf("length %u\n", lf);
    SHOW(send(sc, "x", 1, 0));
    SHOW(connect(sc, (void *)&b, lb));
    SHOW(send(sc, "x", 1, 0));
    SHOW(recv(sb, buf, 10, 0));
    SHOW(connect(sb, (void *)&a, la));
    SHOW(send(sc, "x", 1, 0));
    SHOW(connect(sc, (void *)&b, lb));
    SHOW(connect(sb, (void *)&(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)));
    while (send(sc, "fill", 4, 0) == 4)
        sent++;
    printf("%d, then %s\n", sent, errno_name(errno));
    show_poll(sc);
    SHOW(recv(sb, buf, 10, 0));
    show_poll(sc);
    show_poll(sb);
    close(sb);
    show_poll(sc);
    SHOW(send(sc, "x", 1, 0));
    SHOW(send(sc, "x", 1, 0));
    SHOW(listen(sa, 5));
    SHOW(accept(sa, NULL, NULL));
    close(sa), close(sc);
}

static void paths(const char *dir)
{
    struct sockaddr_un a, got;
    socklen_t len = sizeof got;
    struct stat st;
    int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_STREAM, 0);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);

    say("--- paths");
    if (chdir(dir))
        exit(1);
    umask(022);
    address(&a, "sock");
    SHOW(connect(t, (void *)&a, sizeof a));
    SHOW(bind(s, (void *)&a, 1));
    SHOW(bind(s, (void *)&a, sizeof a + 1));
    SHOW(bind(s, (void *)&a, sizeof a));
    SHOW(bind(t, (void *)&a, sizeof a));
    SHOW(stat("sock", &st));
    printf("mode %o\n", st.st_mode);
    SHOW(open("sock", O_RDWR));
    SHOW(getsockname(s, (void *)&got, &len));
    printf("%s, length %u\n", got.sun_path, len);
    SHOW(connect(t, (void *)&a, sizeof a));
    SHOW(connect(d, (void *)&a, sizeof a));
    SHOW(listen(t, 1));
    SHOW(listen(s, 1));
    SHOW(rename("sock", "moved"));
    SHOW(connect(t, (void *)&a, sizeof a));
    address(&a, "moved");
    SHOW(connect(t, (void *)&a, sizeof a));
    SHOW(unlink("moved"));
    SHOW(connect(d, (void *)&a, sizeof a));
    len = sizeof got;
    SHOW(getpeername(t, (void *)&got, &len));
    printf("%s, length %u\n", got.sun_path, len);
    close(open("file", O_CREAT | O_WRONLY, 0600));
    address(&a, "file");
    SHOW(connect(d, (void *)&a, sizeof a));
    address(&a, "none/such");
    SHOW(bind(d, (void *)&a, sizeof a));
    address(&a, "file/such");
    SHOW(bind(d, (void *)&a, sizeof a));
    SHOW(unlink("file"));
    close(s), close(t), close(d);
}

static void connections(void)
{
    struct sockaddr_un a, got;
    socklen_t la = abstract(&a, 9), len = sizeof got;
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c[4], s, n = 0;
    struct ucred peer;

    say("--- connections");
    for (int i = 0; i < 4; i++)
        c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    show_poll(l);
    SHOW(listen(l, 1));
    SHOW(read(l, buf, 1));
    SHOW(write(c[0], buf, 1));
    SHOW(accept(l, NULL, NULL));
    SHOW(bind(l, (void *)&a, la));
    SHOW(connect(c[0], (void *)&a, la));
    SHOW(listen(l, 1));
    show_poll(l);
    while (n < 4 && !connect(c[n], (void *)&a, la))
        n++;
    printf("%d, then %s\n", n, errno_name(errno));
    show_poll(l);
    SHOW(ioctl(l, FIONREAD, &s));
    SHOW(write(c[0], "early", 5));
    s = accept4(l, (void *)&got, &len, SOCK_CLOEXEC);
    printf("accepted %d, %d, name of length %u\n", s >= 0, fcntl(s, F_GETFD), len);
    SHOW(read(s, buf, 10));
    len = sizeof got;
    SHOW(getsockname(s, (void *)&got, &len));
    printf("the listener's: %d\n", len == la && !memcmp(&got, &a, la));
    len = sizeof peer;
    SHOW(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len));
    printf("%d %u %u\n", peer.pid == getpid(), peer.uid, peer.gid);
    len = sizeof peer;
    SHOW(getsockopt(l, SOL_SOCKET, SO_PEERCRED, &peer, &len));
    len = sizeof peer;
    SHOW(getsockopt(c[3], SOL_SOCKET, SO_PEERCRED, &peer, &len));
    printf("%d %d %d\n", peer.pid, peer.uid, peer.gid);
    SHOW(connect(c[0], (void *)&a, la));
    SHOW(connect(l, (void *)&a, la));
    SHOW(setsockopt(s, SOL_SOCKET, 9999, &n, sizeof n));
    SHOW(setsockopt(s, IPPROTO_TCP, 1, &n, sizeof n));
    SHOW(getsockopt(s, IPPROTO_TCP, 1, &n, &len));
    close(s);
    SHOW(read(c[0], buf, 1));
    SHOW(write(c[1], "lost", 4));
    close(l);
    show_poll(c[1]);
    SHOW(read(c[1], buf, 1));
    SHOW(read(c[1], buf, 1));
    SHOW(connect(c[3], (void *)&a, la));
    for (int i = 0; i < 4; i++)
        close(c[i]);
}

/* What another thread waits for, it gets. */
static void *late_connect(void *arg)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    usleep(10000);
    connect(s, arg, offsetof(struct sockaddr_un, sun_path) + 1 + strlen((char *)arg + 3));
    write(s, "late", 4);
    close(s);
    return NULL;
}

static void waiting(void)
{
    struct sockaddr_un a;
    socklen_t la = abstract(&a, 5);
    int l = socket(AF_UNIX, SOCK_STREAM, 0), s;
    struct timeval tv = { 0, 20000 };
    pthread_t t;

    say("--- waiting");
    bind(l, (void *)&a, la);
    listen(l, 1);
    SHOW(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SHOW(accept(l, NULL, NULL));
    tv = (struct timeval){ 0 };
    setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    pthread_create(&t, NULL, late_connect, &a);
    s = accept(l, NULL, NULL);
    SHOW(read(s, buf, 10));
    SHOW(read(s, buf, 10));
    pthread_join(t, NULL);
    close(s), close(l);
}

int main(void)
{
    char dir[] = "/tmp/unix-XXXXXX";

    setvbuf(stdout, NULL, _IONBF, 0);
    if (!mkdtemp(dir))
        return 1;
    making();
    stream();
    broken();
    big_transfer();
    datagrams();
    strangers();
    paths(dir);
    connections();
    waiting();
    return chdir("/") || rmdir(dir);
}
