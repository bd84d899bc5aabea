/* grade/peers/linux_peer.c - a virtual kernel and the host's Linux on one wire, in real time: Linux's end is
 * a TAP device, and between it and the kernel is our wire with its faults. To be run in a network namespace
 * of its own, where it may make TAPs. See peer.h.
 *
 * The simulation's clock is kept at the host's. Both ends of the stream are in this process: Linux's is a
 * socket that does not wait. When all is done, the time that TIME-WAIT takes passes at once. */
#include "grade/peers/peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_SECONDS = 400, PORTS = 20000, FIRST_PORT = 20000 };
static uint64_t begun; /* when the run began, by host_now() */
const char *const peer_name = "Linux";

static char own[16], peer[16]; /* 10.77.N.1 and .2, N for each of those that run together */
static int tap;

static struct {
    int fd, listener; /* -1: not yet, or no more */
    bool connecting, opened, own_ended, peer_ended, done;
    uint64_t size, sent, got;
    uint8_t pending[65536]; /* to be sent back */
    size_t pending_from, pending_to;
} end = { .fd = -1, .listener = -1 };

static int64_t must(int64_t result, const char *what)
{
    if (result < 0)
        fail("%s: %s", what, strerror(errno));
    return result;
}

/* ---- the TAP ---- */

static void set_address(int control, struct ifreq *r, unsigned long request, const char *address)
{
    struct sockaddr_in name = name_of(address, 0);

    memcpy(&r->ifr_addr, &name, sizeof name);
    must(ioctl(control, request, r), "the TAP's address");
}

static void open_tap(void)
{
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };

    snprintf(r.ifr_name, sizeof r.ifr_name, "peer%u", chosen.slot);
    tap = (int)must(open("/dev/net/tun", O_RDWR | O_NONBLOCK), "/dev/net/tun");
    must(ioctl(tap, TUNSETIFF, &r), "TUNSETIFF");
    set_address(control, &r, SIOCSIFADDR, peer);
    set_address(control, &r, SIOCSIFNETMASK, "255.255.255.0");
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    must(ioctl(control, SIOCSIFFLAGS, &r), "SIOCSIFFLAGS");
    close(control);
}

/* Frames across, both ways. What Linux has no room for is lost, as on any cable. */
static void carry(void)
{
    uint8_t frame[TP_FRAME_MOST];
    ssize_t n;

    while ((n = read(tap, frame, sizeof frame)) > 0)
        tp_inject(towpath.port, 0, frame, (size_t)n);
    while ((n = tp_take(towpath.port, frame, sizeof frame, NULL)) >= 0)
        if (write(tap, frame, (size_t)n) < 0 && errno != EAGAIN && errno != EINVAL && errno != EIO)
            fail("the TAP takes no frame: %s", strerror(errno));
}

/* ---- Linux's end of the stream ---- */

static void linux_begin(uint16_t port)
{
    struct sockaddr_in name = name_of(chosen.peer_opens ? own : peer, port);
    int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");

    end.size = chosen.flow == DOWN || chosen.flow == ECHO_TOWPATH ? chosen.bytes : 0;
    if (chosen.peer_opens) {
        end.fd = fd;
        end.connecting = true;
        if (connect(fd, (struct sockaddr *)&name, sizeof name) && errno != EINPROGRESS)
            fail("Linux's connect: %s", strerror(errno));
        return;
    }
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), "SO_REUSEADDR");
    must(bind(fd, (struct sockaddr *)&name, sizeof name), "bind");
    must(listen(fd, 8), "listen");
    end.listener = fd;
}

static bool linux_open(void)
{
    int err = 0;
    socklen_t len = sizeof err;
    struct pollfd p = { .fd = end.fd, .events = POLLOUT };

    if (end.listener >= 0) {
        end.fd = accept4(end.listener, NULL, NULL, SOCK_NONBLOCK);
        if (end.fd < 0)
            return false;
        close(end.listener);
        end.listener = -1;
        return true;
    }
    if (poll(&p, 1, 0) <= 0)
        return false;
    getsockopt(end.fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err)
        fail("Linux's connection does not open: %s", strerror(err));
    end.connecting = false;
    return true;
}

/* False: there is no more. */
static bool moved(ssize_t n, const char *what)
{
    if (n < 0 && errno != EAGAIN)
        fail("Linux's %s: %s; %lu bytes sent, %lu received", what, strerror(errno), (unsigned long)end.sent,
             (unsigned long)end.got);
    return n > 0;
}

static void linux_send(void)
{
    ssize_t n = 1;

    while (end.sent < end.size && n > 0) {
        n = send(end.fd, pattern + end.sent % PERIOD, min_u64(end.size - end.sent, CHUNK), MSG_NOSIGNAL);
        if (moved(n, "send"))
            end.sent += (uint64_t)n;
    }
    while (end.pending_from < end.pending_to && n > 0) {
        n = send(end.fd, end.pending + end.pending_from, end.pending_to - end.pending_from, MSG_NOSIGNAL);
        if (moved(n, "send"))
            end.pending_from += (size_t)n;
    }
}

static void look_at(const uint8_t *bytes, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != end.got++ % PERIOD)
            fail("Linux got a wrong byte at %lu", (unsigned long)end.got - 1);
}

static void linux_receive(void)
{
    ssize_t n = 1;

    while (!end.peer_ended && end.pending_from == end.pending_to && n > 0) {
        n = recv(end.fd, end.pending, sizeof end.pending, 0);
        end.peer_ended = n == 0;
        if (!moved(n, "recv"))
            return;
        if (chosen.flow != ECHO_PEER) {
            look_at(end.pending, n);
            continue;
        }
        end.pending_from = 0;
        end.pending_to = (size_t)n;
        linux_send();
    }
}

/* Has Towpath acknowledged our FIN? */
static bool fin_acknowledged(void)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    must(getsockopt(end.fd, IPPROTO_TCP, TCP_INFO, &info, &len), "TCP_INFO");
    return info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_TIME_WAIT;
}

/* Whatever can be done now is done. */
static void linux_go_on(void)
{
    if (end.done || (!end.opened && !(end.opened = linux_open())))
        return;
    linux_send();
    linux_receive();
    bool all_sent = end.sent == end.size && end.pending_from == end.pending_to &&
                    (chosen.flow != ECHO_PEER || end.peer_ended);
    if (all_sent && !end.own_ended)
        end.own_ended = must(shutdown(end.fd, SHUT_WR), "shutdown") == 0;
    if (!end.own_ended || !end.peer_ended || !fin_acknowledged())
        return;
    close(end.fd);
    end.fd = -1;
    end.done = true;
}

/* ---- a run ---- */

/* Until something comes, or is due in the simulation; or a moment, for what poll() does not tell. */
static void wait_for_something(uint64_t now)
{
    uint64_t most = SECOND / 50, due = tp_next();
    bool sends = end.connecting || end.sent < end.size || end.pending_from < end.pending_to;
    bool receives = !end.peer_ended && end.pending_from == end.pending_to;
    struct pollfd p[] = { { .fd = tap, .events = POLLIN },
                          { .fd = chosen.guest, .events = POLLIN },
                          { .fd = end.listener >= 0   ? end.listener
                                  : sends || receives ? end.fd
                                                      : -1,
                            .events = (short)((receives ? POLLIN : 0) | (sends ? POLLOUT : 0)) } };
    uint64_t wait = due <= now ? 0 : min_u64(due - now, most);

    ppoll(p, 3, &(struct timespec){ 0, (long)wait }, NULL);
}

static bool all_over(void)
{
    return towpath.done && end.done && !towpath_has_connections(false);
}

/* A guest has its own, and those of the hosts about it (grade/wire.py). */
static void choose_addresses(uint16_t *port)
{
    snprintf(own, sizeof own, "10.77.%u.1", chosen.slot);
    snprintf(peer, sizeof peer, "10.77.%u.2", chosen.slot);
    *port = (uint16_t)(FIRST_PORT + chosen.seed % PORTS);
    if (chosen.guest < 0)
        return;
    snprintf(own, sizeof own, "10.0.2.15");
    snprintf(peer, sizeof peer, "10.0.2.2");
    *port = chosen.peer_opens ? GUEST_ECHO : PORT;
}

static void step(void)
{
    uint64_t now = host_now() - begun;

    if (now > LIMIT_SECONDS * SECOND)
        fail("stuck: Towpath %s, Linux %s; Linux sent %lu, got %lu", towpath.done ? "done" : "waits",
             end.done ? "done" : "waits", (unsigned long)end.sent, (unsigned long)end.got);
    tp_run_until(now);
    carry();
    towpath_go_on();
    if (!end.done)
        linux_go_on();
    carry();
    wait_for_something(now);
}

void peer_run(void)
{
    uint16_t port;

    choose_addresses(&port);
    towpath_begin(own);
    open_tap();
    begun = host_now();
    linux_begin(port);
    towpath_begin_tcp(own, peer, port);
    while (!all_over())
        step();
    linger_for_guest(step);
    if (chosen.flow != ECHO_PEER && end.got != (chosen.flow == DOWN ? 0 : chosen.bytes))
        fail("Linux got %lu bytes of %lu", (unsigned long)end.got, (unsigned long)chosen.bytes);
    if (chosen.guest < 0)
        tp_run_for(200 * SECOND); /* in no time: TIME-WAIT */
    close(tap);
    towpath_end_world();
}
