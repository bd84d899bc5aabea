/* sim/vk/vk_uplink.c - the wire that leads out of the process: other virtual kernels, QEMU guests, the host.
 *
 * A hub is a stream socket on which each frame has its length before it, as QEMU's -netdev stream speaks it;
 * the other kinds carry a frame a datagram. What cannot be sent at once is lost, as on a wire. */
#include "sim/vk/daemon.h"
#include "sim/vk/hub.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct uplink {
    struct source source;
    bool stream; /* a hub */
    struct hub_reader reader;
    struct sockaddr_in group; /* of a multicast wire, to which frames are sent; else no address */
} uplink = { .source.fd = -1 };

/* ---- frames in ---- */

static void inject(void *arg, const uint8_t *frame, size_t n)
{
    (void)arg;
    tp_inject(vk.port, 0, frame, n); /* a frame that is too long is lost */
}

/* On a multicast wire a station hears itself. */
static bool is_own(const uint8_t *frame, size_t n)
{
    return uplink.group.sin_port && n >= 12 && !memcmp(frame + 6, vk.mac, sizeof vk.mac);
}

static void datagram_ready(void)
{
    uint8_t frame[65536];
    ssize_t n;

    for (int i = 0; i < 64 && (n = read(uplink.source.fd, frame, sizeof frame)) > 0; i++)
        if (!is_own(frame, (size_t)n))
            inject(NULL, frame, (size_t)n);
}

static void uplink_ready(struct source *s, uint32_t events)
{
    if (!uplink.stream) {
        datagram_ready();
        return;
    }
    if (hub_read(&uplink.reader, s->fd, inject, NULL) || events & EPOLLERR)
        vk_die("the hub is gone");
}

/* ---- frames out ---- */

static ssize_t send_datagram(const uint8_t *frame, size_t n)
{
    if (!uplink.group.sin_port)
        return write(uplink.source.fd, frame, n);
    return sendto(uplink.source.fd, frame, n, 0, (const struct sockaddr *)&uplink.group, sizeof uplink.group);
}

void vk_uplink_flush(void)
{
    uint8_t frame[TP_FRAME_MOST];
    ssize_t n;

    while ((n = tp_take(vk.port, frame, sizeof frame, NULL)) >= 0) {
        if (uplink.source.fd < 0)
            continue;
        if (uplink.stream)
            hub_write(uplink.source.fd, frame, (size_t)n);
        else if (send_datagram(frame, (size_t)n) < 0 && errno != EAGAIN && errno != ENOBUFS)
            vk_die("the wire is gone: %m");
    }
}

/* ---- opening ---- */

static int open_tap(const char *name)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (strlen(name) >= sizeof ifr.ifr_name)
        vk_die("tap:%s: the name is too long", name);
    strcpy(ifr.ifr_name, name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
        vk_die("tap:%s: %m", name);
    return fd;
}

/* QEMU's -netdev socket,mcast=ADDRESS:PORT: a frame a datagram. The socket is not connected to the group,
 * since it would then hear nobody: no datagram comes from the group's address. */
static int open_multicast(const char *where)
{
    struct sockaddr_in group = { .sin_family = AF_INET };
    struct ip_mreq join = { .imr_interface.s_addr = htonl(INADDR_ANY) };
    char address[16];
    const char *colon = strchr(where, ':');
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (!colon || (size_t)(colon - where) >= sizeof address)
        vk_die("mcast:%s: ADDRESS:PORT is wanted", where);
    memcpy(address, where, (size_t)(colon - where));
    address[colon - where] = 0;
    group.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, address, &group.sin_addr) != 1 || !IN_MULTICAST(ntohl(group.sin_addr.s_addr)))
        vk_die("mcast:%s: no multicast address", where);
    join.imr_multiaddr = group.sin_addr;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&group, sizeof group) ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one))
        vk_die("mcast:%s: %m", where);
    uplink.group = group;
    return fd;
}

static int open_descriptor(const char *number)
{
    int fd = atoi(number);

    if (fcntl(fd, F_SETFL, O_NONBLOCK))
        vk_die("fd:%s: %m", number);
    return fd;
}

void vk_uplink_open(const char *specification)
{
    static const struct {
        const char *prefix;
        int (*open)(const char *rest);
    } kinds[] = {
        { "hub:", hub_join }, { "mcast:", open_multicast }, { "tap:", open_tap }, { "fd:", open_descriptor }
    };

    if (!strcmp(specification, "none"))
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(specification, kinds[i].prefix, n))
            continue;
        uplink.stream = kinds[i].open == hub_join;
        uplink.source = (struct source){ .fd = kinds[i].open(specification + n),
                                         .interest = EPOLLIN,
                                         .ready = uplink_ready };
        if (uplink.source.fd < 0)
            vk_die("%s: %m", specification);
        if (source_add(&uplink.source))
            vk_die("%s: cannot be watched", specification);
        return;
    }
    vk_die("%s: a wire is hub:PATH, mcast:ADDRESS:PORT, tap:NAME, fd:NUMBER or none", specification);
}
