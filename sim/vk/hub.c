/* sim/vk/hub.c - the hub, and how one reaches it. Whoever comes first starts it; a lock on PATH.lock decides
 * who that is and whether an old socket is a dead hub's. */
#include "sim/vk/hub.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 256, BUFFER = 4 << 20 };

/* ---- frames on a stream ---- */

static size_t frame_length(const uint8_t *bytes)
{
    uint32_t length;

    memcpy(&length, bytes, sizeof length);
    return ntohl(length);
}

int hub_read(struct hub_reader *r, int fd, void (*fn)(void *arg, const uint8_t *frame, size_t n), void *arg)
{
    ssize_t got = recv(fd, r->bytes + r->n, sizeof r->bytes - r->n, MSG_DONTWAIT);
    size_t at = 0;

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    r->n += (size_t)got;
    while (r->n - at >= 4) {
        size_t n = frame_length(r->bytes + at);
        if (n > HUB_FRAME_MOST)
            return -1;
        if (r->n - at < 4 + n)
            break;
        fn(arg, r->bytes + at + 4, n);
        at += 4 + n;
    }
    memmove(r->bytes, r->bytes + at, r->n - at);
    r->n -= at;
    return 0;
}

/* A stream takes a part when it has room for a part; the rest of a frame that was begun must follow, so it is
 * waited for. */
void hub_write(int fd, const uint8_t *frame, size_t n)
{
    uint32_t length = htonl((uint32_t)n);
    struct iovec v[2] = { { &length, sizeof length }, { (void *)(uintptr_t)frame, n } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
    ssize_t sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

    while (sent > 0 && (size_t)sent < sizeof length + n) {
        size_t left = sizeof length + n - (size_t)sent;
        ssize_t more = left > n ? -1 : send(fd, frame + (n - left), left, MSG_NOSIGNAL);
        if (more <= 0)
            return;
        sent += more;
    }
}

/* ---- the hub ---- */

struct hub {
    struct pollfd fds[1 + CLIENTS]; /* the listener, and the clients */
    struct hub_reader *readers[1 + CLIENTS];
    nfds_t n;
    nfds_t sender;
};

static void spread(void *arg, const uint8_t *frame, size_t n)
{
    struct hub *h = arg;

    for (nfds_t i = 1; i < h->n; i++)
        if (i != h->sender)
            hub_write(h->fds[i].fd, frame, n);
}

static void admit(struct hub *h)
{
    int fd = accept(h->fds[0].fd, NULL, NULL), size = BUFFER;

    if (fd < 0)
        return;
    if (h->n > CLIENTS || !(h->readers[h->n] = calloc(1, sizeof *h->readers[0]))) {
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    h->fds[h->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void dismiss(struct hub *h, nfds_t i)
{
    close(h->fds[i].fd);
    free(h->readers[i]);
    h->n--;
    h->fds[i] = h->fds[h->n];
    h->readers[i] = h->readers[h->n];
}

static void serve(struct hub *h)
{
    for (h->sender = h->n - 1; h->sender > 0; h->sender--)
        if (h->fds[h->sender].revents && hub_read(h->readers[h->sender], h->fds[h->sender].fd, spread, h))
            dismiss(h, h->sender);
    if (h->fds[0].revents)
        admit(h);
}

static _Noreturn void run_hub(int listener, const char *path)
{
    static struct hub h;
    bool served = false;

    h.fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
    h.n = 1;
    while (!served || h.n > 1) {
        if (poll(h.fds, h.n, served ? -1 : 10000) == 0)
            break; /* whoever started it never came */
        serve(&h);
        served |= h.n > 1;
    }
    unlink(path);
    _exit(0);
}

/* ---- joining ---- */

static int try_connect(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), size = BUFFER;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Nobody shall wait for output of the process that happened to start the hub. */
static void let_go_of_the_terminal(void)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}

static int start_hub(const struct sockaddr_un *address)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t child;

    unlink(address->sun_path);
    if (listener < 0 || bind(listener, (const struct sockaddr *)address, sizeof *address) ||
        listen(listener, 64))
        return -1;
    child = fork();
    if (child == 0) {
        setsid();
        let_go_of_the_terminal();
        run_hub(listener, address->sun_path);
    }
    close(listener);
    return child < 0 ? -1 : 0;
}

int hub_join(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char lock_path[sizeof address.sun_path + 8];
    int lock, fd;

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX))
        return -1;
    fd = try_connect(&address);
    if (fd < 0 && start_hub(&address) == 0)
        fd = try_connect(&address);
    flock(lock, LOCK_UN); /* the hub has it open, too */
    close(lock);
    return fd;
}
