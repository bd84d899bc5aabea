/* sim/threads/work_shared.c - sockets in slots: many processes take whatever stands in one and do something
 * with it, while others put a new socket there. What they do need not succeed; it must not collide. */
#include "sim/threads/quiet.h"
#include "sim/threads/work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { SLOTS = 20, PORT = 7000, PORTS = 6 };

/* The hand-over alone orders two users of a file. */
static struct {
    uint32_t guard;
    struct passed_file *file;
} slots[SLOTS];

static void slot_lock(unsigned i)
{
    quiet_lock(&slots[i].guard);
    order_acquire(&slots[i]);
}

static void slot_unlock(unsigned i)
{
    order_release(&slots[i]);
    quiet_unlock(&slots[i].guard);
}

static struct passed_file *slot_take(unsigned i)
{
    slot_lock(i);
    struct passed_file *f = slots[i].file;
    if (f)
        passed_file_get(f);
    slot_unlock(i);
    return f;
}

static void slot_put(unsigned i, struct passed_file *f)
{
    slot_lock(i);
    struct passed_file *old = slots[i].file;
    slots[i].file = f;
    slot_unlock(i);
    if (old)
        passed_file_put(old);
}

static void slot_put_sock(struct sock *sk)
{
    struct passed_file *f = threads_file(sk);

    if (f)
        slot_put((unsigned)threads_chance(SLOTS), f);
    else
        sock_release(sk);
}

/* ---- a new one ---- */

static const struct {
    int family, type, protocol;
} kinds[] = {
    { AF_INET, SOCK_STREAM, 0 },         { AF_INET, SOCK_STREAM, 0 },
    { AF_INET, SOCK_STREAM, 0 },         { AF_INET, SOCK_DGRAM, 0 },
    { AF_INET, SOCK_DGRAM, 0 },          { AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
    { AF_INET, SOCK_RAW, IPPROTO_ICMP }, { AF_UNIX, SOCK_STREAM, 0 },
    { AF_UNIX, SOCK_DGRAM, 0 },          { AF_UNIX, SOCK_SEQPACKET, 0 },
    { AF_PACKET, SOCK_RAW, 0x0300 },
};

static void set_time_outs(struct sock *sk)
{
    struct {
        int64_t seconds, microseconds;
    } t = { 0, 30000 };

    sock_setsockopt(sk, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    sock_setsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static void open_new(void)
{
    struct sock *sk;
    unsigned k = (unsigned)threads_chance(ARRAY_SIZE(kinds));

    if (sock_create(world.hosts[threads_chance(2)].net, kinds[k].family, kinds[k].type, kinds[k].protocol,
                    &sk))
        return;
    set_time_outs(sk);
    slot_put_sock(sk);
    work_count("sockets");
}

/* ---- what is done with one ---- */

static socklen_t some_address(int family, struct sockaddr_storage *to)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)(PORT + threads_chance(PORTS))) };
    struct sockaddr_un un = { .sun_family = AF_UNIX,
                              .sun_path = { 0, 's', (char)('0' + threads_chance(4)) } };
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = 0x0300, .sll_ifindex = 1 };

    memset(to, 0, sizeof *to);
    in.sin_addr.s_addr = inet_addr(threads_chance(3)   ? "127.0.0.1"
                                   : threads_chance(2) ? "10.0.0.1"
                                                       : "10.0.0.2");
    if (family == AF_INET)
        memcpy(to, &in, sizeof in);
    else if (family == AF_UNIX)
        memcpy(to, &un, sizeof un);
    else
        memcpy(to, &ll, sizeof ll);
    return family == AF_INET   ? sizeof in
           : family == AF_UNIX ? (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 3)
                               : sizeof ll;
}

static void call_bind(struct sock *sk)
{
    struct sockaddr_storage to;
    socklen_t len = some_address(sock_family(sk), &to);

    vk_setsockopt_int(sk, SOL_SOCKET, SO_REUSEADDR, 1);
    sock_bind(sk, (struct sockaddr *)&to, len);
}

static void call_listen(struct sock *sk)
{
    call_bind(sk);
    sock_listen(sk, (int)threads_chance(4));
}

static void call_accept(struct sock *sk)
{
    struct sock *child;

    if (sock_accept(sk, threads_chance(2) ? MSG_DONTWAIT : 0, &child))
        return;
    set_time_outs(child);
    slot_put_sock(child);
    work_count("accepted");
}

static void call_connect(struct sock *sk)
{
    struct sockaddr_storage to;
    socklen_t len = some_address(sock_family(sk), &to);

    if (threads_chance(10) == 0)
        to.ss_family = AF_UNSPEC;
    if (!sock_connect(sk, (struct sockaddr *)&to, len, threads_chance(2) ? MSG_DONTWAIT : 0))
        work_count("connected");
}

static void call_send(struct sock *sk)
{
    static const uint8_t data[4000] = { 8 };

    if (vk_send(sk, data, 1 + threads_chance(sizeof data),
                MSG_NOSIGNAL | (threads_chance(2) ? MSG_DONTWAIT : 0)) > 0)
        work_count("sent");
}

static void call_sendto(struct sock *sk)
{
    static const uint8_t data[100] = { 8 };
    struct sockaddr_storage to;
    struct io_vector v = { (uintptr_t)data, sizeof data };
    struct message msg = { .name = &to };

    msg.name_len = some_address(sock_family(sk), &to);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    if (sock_sendmsg(sk, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        work_count("sent to");
}

static void call_receive(struct sock *sk)
{
    static const int flags[] = { 0,
                                 MSG_DONTWAIT,
                                 MSG_PEEK | MSG_DONTWAIT,
                                 MSG_ERRQUEUE | MSG_DONTWAIT,
                                 MSG_OOB | MSG_DONTWAIT,
                                 MSG_WAITALL };
    uint8_t data[4000];

    if (vk_recv(sk, data, sizeof data, flags[threads_chance(ARRAY_SIZE(flags))]) > 0)
        work_count("received");
}

static void call_setsockopt(struct sock *sk)
{
    static const int levels[] = { SOL_SOCKET, SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, SOL_PACKET };
    int level = levels[threads_chance(ARRAY_SIZE(levels))], option = (int)threads_chance(64);

    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO))
        return;
    vk_setsockopt_int(sk, level, option, (int)threads_chance(3) * (int)threads_chance(4000));
}

static void call_getsockopt(struct sock *sk)
{
    static const int levels[] = { SOL_SOCKET, SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, SOL_PACKET };
    uint8_t value[300];
    socklen_t len = sizeof value;

    sock_getsockopt(sk, levels[threads_chance(ARRAY_SIZE(levels))], (int)threads_chance(64), value, &len);
}

static void call_getname(struct sock *sk)
{
    struct sockaddr_storage name;

    sock_getname(sk, &name, threads_chance(2));
}

static void call_ioctl(struct sock *sk)
{
    static const unsigned requests[] = { FIONREAD, TIOCOUTQ, 0x8905 /* SIOCATMARK */,
                                         0x894b /* SIOCOUTQNSD */ };
    uint64_t result[4];

    sock_ioctl(sk, requests[threads_chance(ARRAY_SIZE(requests))], (uintptr_t)result);
}

static bool anything(void *sk)
{
    return sock_poll(sk) & (POLLIN | POLLERR | POLLHUP);
}

static void call_poll(struct sock *sk)
{
    process_poll(sock_waitq(sk), anything, sk, time_now() + ms(10));
}

static void call_shutdown(struct sock *sk)
{
    if (threads_chance(4) == 0)
        sock_shutdown(sk, (int)threads_chance(3));
}

static void (*const calls[])(struct sock *sk) = {
    call_bind,       call_listen,  call_accept, call_accept,  call_connect,  call_connect, call_send,
    call_send,       call_sendto,  call_sendto, call_receive, call_receive,  call_receive, call_setsockopt,
    call_getsockopt, call_getname, call_ioctl,  call_poll,    call_shutdown,
};

static void monkey(void *arg)
{
    (void)arg;
    while (work_goes_on()) {
        if (threads_chance(25) == 0)
            open_new();
        struct passed_file *f = slot_take((unsigned)threads_chance(SLOTS));
        if (!f)
            continue;
        for (unsigned i = 0; i < 3; i++)
            calls[threads_chance(ARRAY_SIZE(calls))](passed_file_sock(f));
        passed_file_put(f);
    }
}

void start_shared(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        open_new();
    for (unsigned i = 0; i < 12; i++)
        work_process("monkey", monkey, NULL);
}

void end_shared(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        slot_put(i, NULL);
}
