/* net/unix/unix_test.c - local sockets in the virtual kernel: order, waiting, names, files in flight. */
#include "net/core/net_namespace.h"
#include "net/net.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

static struct net *begin(void)
{
    struct net *net = net_create("unix");

    CHECK(net);
    return net;
}

static void pair_of(struct net *net, int type, struct sock *s[2])
{
    CHECK_EQ(sock_pair(net, AF_UNIX, type, 0, s), 0);
}

static ssize_t send_with(struct sock *sk, const void *data, size_t n, int flags, struct passed_file *file)
{
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = NULL };
    ssize_t sent;

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    if (file) {
        msg.files = passed_files_alloc(1);
        msg.files->file[msg.files->n++] = file;
    }
    sent = sock_sendmsg(sk, &msg, flags);
    passed_files_free(msg.files);
    return sent;
}

static ssize_t receive_with(struct sock *sk, void *data, size_t n, int flags, struct passed_files **files)
{
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = NULL };
    ssize_t got;

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    got = sock_recvmsg(sk, &msg, flags);
    if (files)
        *files = msg.files;
    else
        passed_files_free(msg.files);
    return got;
}

static socklen_t path(struct sockaddr_un *a, const char *text)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    strcpy(a->sun_path, text);
    return sizeof *a;
}

TEST(a_local_stream_keeps_bytes_in_order_and_ends)
{
    struct net *net = begin();
    struct sock *s[2];
    char buf[10] = "";

    pair_of(net, SOCK_STREAM, s);
    CHECK_EQ(send_with(s[0], "abc", 3, 0, NULL), 3);
    CHECK_EQ(send_with(s[0], "def", 3, 0, NULL), 3);
    CHECK_EQ(receive_with(s[1], buf, 4, 0, NULL), 4);
    CHECK(!memcmp(buf, "abcd", 4));
    sock_release(s[0]);
    CHECK_EQ(receive_with(s[1], buf, 10, 0, NULL), 2);
    CHECK_EQ(receive_with(s[1], buf, 10, 0, NULL), 0);
    CHECK_EQ(send_with(s[1], "x", 1, 0, NULL), -EPIPE);
    sock_release(s[1]);
    net_destroy(net);
}

static void slow_reader(void *arg)
{
    static char buf[50000];

    for (;;) {
        sim_sleep(ms(1));
        ssize_t n = receive_with(arg, buf, sizeof buf, 0, NULL);
        if (n <= 0)
            break;
    }
    sock_release(arg);
}

TEST(a_local_writer_waits_for_a_slow_reader)
{
    static char big[1000000];
    struct net *net = begin();
    struct sock *s[2];

    pair_of(net, SOCK_STREAM, s);
    sim_spawn("reader", slow_reader, s[1]);
    CHECK_EQ(send_with(s[0], big, sizeof big, 0, NULL), (long long)sizeof big);
    CHECK(time_now() > ms(5));
    sock_release(s[0]);
    sim_join(sec(10));
    net_destroy(net);
}

static void client(void *arg)
{
    struct sockaddr_un a;
    socklen_t len = path(&a, "/server");
    struct sock *sk;
    char c;

    CHECK_EQ(sock_create(arg, AF_UNIX, SOCK_STREAM, 0, &sk), 0);
    CHECK_EQ(sock_connect(sk, (struct sockaddr *)&a, len, 0), 0);
    CHECK_EQ(send_with(sk, "!", 1, 0, NULL), 1);
    CHECK_EQ(receive_with(sk, &c, 1, 0, NULL), 0);
    sock_release(sk);
}

TEST(connect_waits_while_the_queue_of_a_local_listener_is_full)
{
    struct net *net = begin();
    struct sockaddr_un a;
    socklen_t len = path(&a, "/server");
    struct sock *l, *s;
    char c;

    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &l), 0);
    CHECK_EQ(sock_bind(l, (struct sockaddr *)&a, len), 0);
    CHECK_EQ(sock_listen(l, 0), 0);
    for (int i = 0; i < 5; i++)
        sim_spawn("client", client, net);
    sim_sleep(ms(1));
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(sock_accept(l, 0, &s), 0);
        CHECK_EQ(receive_with(s, &c, 1, 0, NULL), 1);
        sock_release(s);
    }
    sim_join(sec(1));
    sock_release(l);
    net_destroy(net);
}

static void refused_client(void *arg)
{
    struct sockaddr_un a;
    socklen_t len = path(&a, "/server");
    struct sock *sk;

    CHECK_EQ(sock_create(arg, AF_UNIX, SOCK_STREAM, 0, &sk), 0);
    CHECK_EQ(sock_connect(sk, (struct sockaddr *)&a, len, 0), -ECONNREFUSED);
    sock_release(sk);
}

TEST(a_local_listener_that_closes_lets_go_of_everybody)
{
    struct net *net = begin();
    struct sockaddr_un a;
    socklen_t len = path(&a, "/server");
    struct sock *l, *first;
    char c;

    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &l), 0);
    CHECK_EQ(sock_bind(l, (struct sockaddr *)&a, len), 0);
    CHECK_EQ(sock_listen(l, 0), 0);
    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &first), 0);
    CHECK_EQ(sock_connect(first, (struct sockaddr *)&a, len, 0), 0);
    sim_spawn("waits for room", refused_client, net);
    sim_sleep(ms(1));
    sock_release(l);
    sim_join(sec(1));
    CHECK_EQ(receive_with(first, &c, 1, 0, NULL), -ECONNRESET);
    CHECK_EQ(receive_with(first, &c, 1, 0, NULL), 0);
    sock_release(first);
    net_destroy(net);
}

TEST(memory_that_runs_out_leaves_local_sockets_whole)
{
    for (uint64_t n = 1; n <= 12; n++) {
        struct net *net = begin();
        struct sockaddr_un a;
        socklen_t len = path(&a, "/server");
        struct sock *l, *c, *s;
        CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &l), 0);
        sim_fail_nth_alloc(n);
        int err = sock_bind(l, (struct sockaddr *)&a, len);
        CHECK(!err || err == -ENOMEM);
        if (!err && !sock_listen(l, 1) && !sock_create(net, AF_UNIX, SOCK_STREAM, 0, &c)) {
            if (!sock_connect(c, (struct sockaddr *)&a, len, 0)) {
                ssize_t sent = send_with(c, "x", 1, 0, NULL);
                CHECK(sent == 1 || sent == -ENOBUFS);
                CHECK_EQ(sock_accept(l, 0, &s), 0);
                sock_release(s);
            }
            sock_release(c);
        }
        sim_fail_nth_alloc(0);
        sock_release(l);
        net_destroy(net);
    }
}

/* ---- files in flight ---- */

TEST(a_file_in_flight_lives_until_it_is_received_or_lost)
{
    struct net *net = begin();
    struct passed_file *f = sim_file(NULL);
    struct passed_files *files;
    struct sock *s[2];
    char c;

    pair_of(net, SOCK_STREAM, s);
    passed_file_get(f);
    CHECK_EQ(send_with(s[0], "x", 1, 0, f), 1);
    CHECK_EQ(passed_file_users(f), 2);
    CHECK_EQ(receive_with(s[1], &c, 1, MSG_PEEK, &files), 1);
    CHECK_EQ(passed_file_users(f), 3);
    passed_files_free(files);
    CHECK_EQ(receive_with(s[1], &c, 1, 0, &files), 1);
    CHECK(files && files->n == 1 && files->file[0] == f);
    passed_files_free(files);
    passed_file_get(f);
    CHECK_EQ(send_with(s[0], "x", 1, 0, f), 1);
    sock_release(s[0]);
    sock_release(s[1]);
    CHECK_EQ(passed_file_users(f), 1);
    passed_file_put(f);
    net_destroy(net);
}

TEST(a_file_that_cannot_be_sent_stays_with_its_sender)
{
    struct net *net = begin();
    struct passed_file *f = sim_file(NULL);
    struct sock *s[2];

    pair_of(net, SOCK_STREAM, s);
    sock_release(s[1]);
    passed_file_get(f);
    CHECK_EQ(send_with(s[0], "x", 1, 0, f), -EPIPE);
    CHECK_EQ(passed_file_users(f), 1);
    passed_file_put(f);
    sock_release(s[0]);
    net_destroy(net);
}

/* Both ends of a pair as files: closing one is putting it. */
static void file_pair(struct net *net, struct passed_file *f[2], struct sock *s[2])
{
    pair_of(net, SOCK_DGRAM, s);
    f[0] = sim_file(s[0]);
    f[1] = sim_file(s[1]);
}

static void send_file(struct sock *through, struct passed_file *f)
{
    passed_file_get(f);
    CHECK_EQ(send_with(through, "f", 1, 0, f), 1);
}

TEST(a_socket_in_its_own_queue_is_collected)
{
    struct net *net = begin();
    struct passed_file *f[2];
    struct sock *s[2];

    file_pair(net, f, s);
    send_file(s[0], f[1]); /* s[1] lies in its own queue */
    passed_file_put(f[1]);
    CHECK_EQ(net->sockets, 2);
    passed_file_put(f[0]);
    CHECK_EQ(net->sockets, 0);
    net_destroy(net);
}

TEST(circles_of_sockets_are_collected_and_what_is_reachable_is_not)
{
    struct net *net = begin();
    struct passed_file *f[2], *g[2], *h[2];
    struct sock *s[2], *t[2], *u[2];
    struct passed_files *files;
    char c;

    file_pair(net, f, s);
    file_pair(net, g, t);
    file_pair(net, h, u);
    send_file(s[0], g[1]); /* s[1] holds t[1], t[1] holds s[1]: a circle */
    send_file(t[0], f[1]);
    send_file(u[0], g[1]); /* and u[1], which stays open, holds t[1] */
    passed_file_put(f[1]);
    passed_file_put(g[1]);
    passed_file_put(f[0]);
    passed_file_put(g[0]);
    CHECK_EQ(net->sockets, 6); /* a closed one lives while what it sent is not read */
    CHECK_EQ(receive_with(u[1], &c, 1, 0, &files), 1);
    passed_files_free(files); /* now nobody reaches the circle; the next close finds it */
    passed_file_put(h[0]);
    passed_file_put(h[1]);
    CHECK_EQ(net->sockets, 0);
    net_destroy(net);
}

TEST(a_listener_held_by_a_connection_in_its_own_queue_is_collected)
{
    struct net *net = begin();
    struct sockaddr_un a;
    socklen_t len = path(&a, "/server");
    struct sock *l, *c;

    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &l), 0);
    CHECK_EQ(sock_bind(l, (struct sockaddr *)&a, len), 0);
    CHECK_EQ(sock_listen(l, 1), 0);
    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &c), 0);
    CHECK_EQ(sock_connect(c, (struct sockaddr *)&a, len, 0), 0);
    struct passed_file *f = sim_file(l);
    send_file(c, f);
    passed_file_put(f);
    sock_release(c);
    CHECK_EQ(net->sockets, 0);
    net_destroy(net);
}

TEST(a_deep_nest_of_sockets_is_let_go_of_without_recursion)
{
    struct net *net = begin();
    struct passed_file *inner[2], *outer[2];
    struct sock *s[2], *t[2];

    file_pair(net, inner, s);
    for (int i = 0; i < 1500; i++) { /* of 256 KiB of stack each level could have 170 bytes */
        file_pair(net, outer, t);
        send_file(t[0], inner[0]);
        send_file(t[0], inner[1]);
        passed_file_put(inner[0]);
        passed_file_put(inner[1]);
        inner[0] = outer[0];
        inner[1] = outer[1];
    }
    passed_file_put(inner[0]);
    passed_file_put(inner[1]);
    CHECK_EQ(net->sockets, 0);
    net_destroy(net);
}

TEST(files_in_flight_are_limited)
{
    struct net *net = begin();
    struct passed_file *f = sim_file(NULL);
    struct sock *s[2];
    ssize_t n = 1;
    unsigned flights = 0;

    pair_of(net, SOCK_STREAM, s);
    sock_setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &(int){ 8 << 20 }, sizeof(int));
    while (n == 1 && flights < 10000) {
        passed_file_get(f);
        n = send_with(s[0], "f", 1, MSG_DONTWAIT, f);
        flights += n == 1;
    }
    CHECK_EQ(n, -ETOOMANYREFS);
    CHECK_EQ(flights, 4096);
    sock_release(s[0]);
    sock_release(s[1]);
    CHECK_EQ(passed_file_users(f), 1);
    passed_file_put(f);
    net_destroy(net);
}

TEST(control_messages_are_read_within_their_bounds)
{
    struct {
        struct cmsghdr c;
        int32_t value, pad;
    } m[2] = { { { CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS }, 7, 0 }, { { CMSG_LEN(4), SOL_SOCKET, 9 }, 8, 0 } };
    struct message msg = { .control = m, .control_len = sizeof m };
    const struct cmsghdr *c = cmsg_first(&msg);

    CHECK(c == &m[0].c && cmsg_is_whole(&msg, c));
    CHECK(cmsg_next(&msg, c) == &m[1].c);
    CHECK(!cmsg_next(&msg, cmsg_next(&msg, c)));
    msg.control_len = sizeof m[0] + sizeof(struct cmsghdr) - 1;
    CHECK(!cmsg_next(&msg, c));
    m[0].c.cmsg_len = SIZE_MAX;
    CHECK(!cmsg_is_whole(&msg, c) && !cmsg_next(&msg, c));
    m[0].c.cmsg_len = 0;
    CHECK(!cmsg_is_whole(&msg, c) && !cmsg_next(&msg, c));
    msg.control_len = 3;
    CHECK(!cmsg_first(&msg));
}

TEST(a_control_message_without_room_is_cut)
{
    uint64_t room[4] = { 0 };
    struct message msg = { .control = room, .control_len = sizeof room };
    uint32_t value = 0x01020304;

    put_cmsg(&msg, SOL_SOCKET, 1, &value, sizeof value);
    CHECK_EQ(msg.control_used, 24);
    CHECK_EQ(msg.flags, 0);
    put_cmsg(&msg, SOL_SOCKET, 2, &value, sizeof value); /* not even the header fits */
    CHECK_EQ(msg.control_used, 24);
    CHECK_EQ(msg.flags, MSG_CTRUNC);
    msg = (struct message){ .control = room, .control_len = 18 };
    put_cmsg(&msg, SOL_SOCKET, 2, &value, sizeof value);
    CHECK_EQ(msg.control_used, 18);
    CHECK_EQ(((struct cmsghdr *)(void *)room)->cmsg_len, 18);
}

/* ---- datagrams and their names ---- */

static struct sock *named(struct net *net, int type, const char *text)
{
    struct sock *sk = NULL;
    struct sockaddr_un a;
    socklen_t n = path(&a, "");

    CHECK_EQ(sock_create(net, AF_UNIX, type, 0, &sk), 0);
    strcpy(a.sun_path + 1, text); /* an abstract name, unix(7): no file */
    CHECK_EQ(sock_bind(sk, (struct sockaddr *)&a, n), 0);
    return sk;
}

static int connect_to(struct sock *sk, const char *text)
{
    struct sockaddr_un a;
    socklen_t n = path(&a, "");

    strcpy(a.sun_path + 1, text);
    return sock_connect(sk, (struct sockaddr *)&a, n, MSG_DONTWAIT);
}

static ssize_t send_to(struct sock *sk, const char *text, const char *data)
{
    struct io_vector v = { (uintptr_t)data, strlen(data) };
    struct sockaddr_storage to = { 0 };
    struct sockaddr_un a;
    struct message msg = { .name = &to, .name_len = path(&a, "") };

    strcpy(a.sun_path + 1, text);
    memcpy(&to, &a, sizeof a);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, MSG_DONTWAIT);
}

TEST(a_local_datagram_is_whole_and_names_its_sender) /* unix(7), recvfrom(2) */
{
    struct net *net = begin();
    struct sock *a = named(net, SOCK_DGRAM, "a"), *b = named(net, SOCK_DGRAM, "b");
    struct sockaddr_storage from;
    char data[10];
    struct io_vector v = { (uintptr_t)data, sizeof data };
    struct message msg = { .name = &from };

    CHECK_EQ(send_to(a, "b", "first"), 5);
    CHECK_EQ(send_to(a, "b", "second"), 6);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_recvmsg(b, &msg, 0), 5);
    CHECK_EQ(((struct sockaddr_un *)&from)->sun_path[1], 'a');
    CHECK_EQ(receive_with(b, data, 3, 0, NULL), 3); /* the rest of it is gone */
    CHECK_EQ(receive_with(b, data, 3, MSG_DONTWAIT, NULL), -EAGAIN);
    CHECK_EQ(send_to(a, "nobody", "x"), -ECONNREFUSED);
    CHECK_EQ(send_with(a, "x", 1, MSG_DONTWAIT, NULL), -ENOTCONN);
    sock_release(a);
    sock_release(b);
    net_destroy(net);
}

TEST(a_connected_local_datagram_socket_hears_its_peer_only) /* unix(7), connect(2) */
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    struct net *net = begin();
    struct sock *a = named(net, SOCK_DGRAM, "a"), *b = named(net, SOCK_DGRAM, "b"),
                *c = named(net, SOCK_DGRAM, "c");
    char data[10];

    CHECK_EQ(connect_to(a, "nobody"), -ECONNREFUSED);
    CHECK_EQ(connect_to(a, "b"), 0);
    CHECK_EQ(send_to(c, "a", "x"), -EPERM);
    CHECK_EQ(send_to(b, "a", "from b"), 6);
    CHECK_EQ(receive_with(a, data, sizeof data, 0, NULL), 6);
    CHECK_EQ(send_with(a, "to b", 4, 0, NULL), 4);
    CHECK_EQ(receive_with(b, data, sizeof data, 0, NULL), 4);
    CHECK_EQ(sock_connect(a, &nobody, sizeof nobody, 0), 0);
    CHECK_EQ(send_to(c, "a", "x"), 1);
    sock_release(b);
    CHECK_EQ(send_to(a, "b", "x"), -ECONNREFUSED); /* the name went with it */
    sock_release(a);
    sock_release(c);
    net_destroy(net);
}

TEST(local_names_are_one_socket_s_and_of_its_type) /* unix(7), bind(2), connect(2) */
{
    struct net *net = begin();
    struct sock *a = named(net, SOCK_DGRAM, "a"), *other = NULL, *stream = NULL;
    struct sockaddr_un name;
    socklen_t n = path(&name, "");

    name.sun_path[1] = 'a';
    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_DGRAM, 0, &other), 0);
    CHECK_EQ(sock_create(net, AF_UNIX, SOCK_STREAM, 0, &stream), 0);
    CHECK_EQ(sock_bind(other, (struct sockaddr *)&name, n), -EADDRINUSE);
    CHECK_EQ(sock_bind(a, (struct sockaddr *)&name, n), -EINVAL); /* it has one */
    CHECK_EQ(connect_to(stream, "a"), -ECONNREFUSED);             /* abstract names are a type's */
    CHECK_EQ(sock_bind(stream, (struct sockaddr *)&name, n), 0);
    name.sun_family = AF_INET;
    CHECK_EQ(sock_bind(other, (struct sockaddr *)&name, n), -EINVAL);
    sock_release(a);
    sock_release(other);
    sock_release(stream);
    net_destroy(net);
}

/* ---- the end, poll, requests, options ---- */

TEST(a_local_stream_shut_down_on_one_side_goes_on_on_the_other) /* shutdown(2), poll(2) */
{
    struct net *net = begin();
    struct sock *s[2];
    char c;

    pair_of(net, SOCK_STREAM, s);
    CHECK_EQ(sock_poll(s[1]) & (POLLIN | POLLOUT | POLLHUP), POLLOUT);
    CHECK_EQ(sock_shutdown(s[0], SHUT_WR), 0);
    CHECK_EQ(send_with(s[0], "x", 1, MSG_NOSIGNAL, NULL), -EPIPE);
    CHECK_EQ(sock_poll(s[1]) & (POLLIN | POLLOUT | POLLRDHUP | POLLHUP), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(receive_with(s[1], &c, 1, 0, NULL), 0);
    CHECK_EQ(send_with(s[1], "y", 1, 0, NULL), 1);
    CHECK_EQ(receive_with(s[0], &c, 1, 0, NULL), 1);
    CHECK_EQ(sock_shutdown(s[1], SHUT_RDWR), 0);
    CHECK(sock_poll(s[0]) & POLLHUP && sock_poll(s[1]) & POLLHUP);
    sock_release(s[0]);
    sock_release(s[1]);
    net_destroy(net);
}

TEST(a_local_socket_says_how_much_waits) /* unix(7): FIONREAD */
{
    struct net *net = begin();
    struct sock *stream[2], *datagram[2];
    int n = 0;
    char c;

    pair_of(net, SOCK_STREAM, stream);
    pair_of(net, SOCK_DGRAM, datagram);
    CHECK_EQ(sock_ioctl(datagram[1], FIONREAD, (uintptr_t)&n), 0);
    CHECK_EQ(n, 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(send_with(stream[0], "abc", 3, 0, NULL), 3);
        CHECK_EQ(send_with(datagram[0], "abc", 3, 0, NULL), 3);
    }
    CHECK_EQ(receive_with(stream[1], &c, 1, 0, NULL), 1);
    CHECK_EQ(sock_ioctl(stream[1], FIONREAD, (uintptr_t)&n), 0);
    CHECK_EQ(n, 5); /* all that can be read */
    CHECK_EQ(sock_ioctl(datagram[1], FIONREAD, (uintptr_t)&n), 0);
    CHECK_EQ(n, 3); /* the next one */
    CHECK_EQ(sock_ioctl(stream[1], FIONREAD, 0), -EFAULT);
    CHECK_EQ(sock_ioctl(stream[1], 0x1234, (uintptr_t)&n), -ENOTTY);
    for (int i = 0; i < 2; i++) {
        sock_release(stream[i]);
        sock_release(datagram[i]);
    }
    net_destroy(net);
}

static ssize_t send_as(struct sock *sk, const struct ucred *who)
{
    struct {
        struct cmsghdr header;
        struct ucred who;
    } control = { { CMSG_LEN(sizeof *who), SOL_SOCKET, SCM_CREDENTIALS }, *who };
    struct io_vector v = { (uintptr_t) "x", 1 };
    struct message msg = { .control = &control, .control_len = sizeof control };

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, 0);
}

TEST(only_root_may_say_that_it_is_somebody_else) /* unix(7): SCM_CREDENTIALS, SO_PASSCRED, SO_PEERCRED */
{
    const struct ucred root = { 2, 0, 0 }, me = { 2, 1000, 1000 };
    struct net *net = begin();
    struct sock *s[2];
    struct ucred peer;
    socklen_t len = sizeof peer;
    int on = 1;

    sim_set_credentials(
        &(struct credentials){ .pid = 2, .uid = 1000, .euid = 1000, .gid = 1000, .egid = 1000 });
    pair_of(net, SOCK_STREAM, s);
    CHECK_EQ(sock_setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    CHECK_EQ(sock_setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, 1), -EINVAL);
    CHECK_EQ(send_as(s[0], &root), -EPERM);
    CHECK_EQ(send_as(s[0], &me), 1);
    CHECK_EQ(sock_getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
    CHECK(peer.pid == 2 && peer.uid == 1000 && peer.gid == 1000);
    sock_release(s[0]);
    sock_release(s[1]);
    net_destroy(net);
}
