/* net/core/user_call_test.c - a user's arguments: what is copied, what is refused, and what the copies tell
 * (net/syscalls.h). */
#include "net/ipv4/host_test.h"
#include "net/syscalls.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define USER(p) ((uintptr_t)(p))
enum { NOWHERE = 8 }; /* an address that is nobody's */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = __builtin_bswap16(port),
                                 .sin_addr.s_addr = __builtin_bswap32(0x7f000001) };
}

TEST(an_address_is_copied_within_its_room) // getsockname(2)
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct sockaddr_in me = loopback(4000);
    uint8_t got[sizeof me + 1];
    socklen_t len = 6;

    CHECK_EQ(user_bind(sk, USER(&me), 129), -EINVAL);
    CHECK_EQ(user_bind(sk, NOWHERE, sizeof me), -EFAULT);
    CHECK_EQ(user_bind(sk, USER(&me), sizeof me), 0);
    memset(got, 0xee, sizeof got);
    CHECK_EQ(user_getname(sk, USER(got), USER(&len), false), 0);
    CHECK_EQ(len, sizeof me);
    CHECK(!memcmp(got, &me, 6) && got[6] == 0xee);
    len = (socklen_t)-1;
    CHECK_EQ(user_getname(sk, USER(got), USER(&len), false), -EINVAL);
    CHECK_EQ(user_getname(sk, USER(got), NOWHERE, false), -EFAULT);
    CHECK_EQ(user_getname(sk, USER(got), USER(&len), true), -ENOTCONN);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_low_port_needs_a_right) // capabilities(7): CAP_NET_BIND_SERVICE
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct sockaddr_in low = loopback(1023), high = loopback(1024);

    sim_set_credentials(&(struct credentials){ .pid = 2, .uid = 1000, .euid = 1000 });
    CHECK_EQ(user_bind(sk, USER(&low), sizeof low), -EACCES);
    CHECK_EQ(user_bind(sk, USER(&low), 4), -EINVAL); /* the socket's own refusal */
    CHECK_EQ(user_bind(sk, USER(&high), sizeof high), 0);
    vk_close(sk);
    sim_set_credentials(&(struct credentials){ .pid = 1 });
    sk = vk_socket(h.vk, SOCK_DGRAM);
    CHECK_EQ(user_bind(sk, USER(&low), sizeof low), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(an_option_s_length_is_bounded) // setsockopt(2)
{
    static const uint8_t large[20000];
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    int value = 1;
    socklen_t len = sizeof large;
    uint8_t got[sizeof large];

    CHECK_EQ(user_setsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(&value), -1), -EINVAL);
    CHECK_EQ(user_setsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, NOWHERE, 4), -EFAULT);
    CHECK_EQ(user_setsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(large), sizeof large), 0);
    sim_fail_nth_alloc(1);
    CHECK_EQ(user_setsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(large), sizeof large), -ENOMEM);
    CHECK_EQ(user_getsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(got), USER(&len)), 0);
    CHECK_EQ(len, sizeof(int));
    len = (socklen_t)-1;
    CHECK_EQ(user_getsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(got), USER(&len)), -EINVAL);
    len = 2; /* as much as there is room for */
    memset(got, 0xee, 4);
    CHECK_EQ(user_getsockopt(sk, SOL_SOCKET, SO_KEEPALIVE, USER(got), USER(&len)), 0);
    CHECK_EQ(got[2], 0xee);
    vk_close(sk);
    host_destroy(&h);
}

/* Two sockets of which the second is connected to the first. */
static void datagram_pair(struct host *h, struct sock *pair[2])
{
    struct sockaddr_in to = loopback(4000);

    pair[0] = vk_socket(h->vk, SOCK_DGRAM);
    pair[1] = vk_socket(h->vk, SOCK_DGRAM);
    CHECK_EQ(user_bind(pair[0], USER(&to), sizeof to), 0);
    CHECK_EQ(user_connect(pair[1], USER(&to), sizeof to, 0), 0);
}

TEST(a_message_is_gathered_and_scattered) // sendmsg(2), recvmsg(2); few vectors and many
{
    struct host h = host_create();
    struct sock *pair[2];
    char text[] = "the barge", got[16] = "";
    struct iovec few[2] = { { text, 4 }, { text + 4, 5 } }, many[9];
    struct sockaddr_in from;
    struct msghdr m = { .msg_iov = few, .msg_iovlen = 2 };

    datagram_pair(&h, pair);
    CHECK_EQ(user_sendmsg(pair[1], USER(&m), 0, NULL), 9);
    for (int i = 0; i < 9; i++)
        many[i] = (struct iovec){ got + i, 1 };
    m = (struct msghdr){ .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = many, .msg_iovlen = 9 };
    CHECK_EQ(user_recvmsg(pair[0], USER(&m), 0, NULL), 9);
    CHECK(!strcmp(got, text));
    CHECK_EQ(m.msg_namelen, sizeof from);
    CHECK_EQ(from.sin_port, __builtin_bswap16(vk_port(pair[1])));

    CHECK_EQ(user_send_vectors(pair[1], USER(many), 9, 0), 9);
    memset(got, 0, sizeof got);
    few[0].iov_base = got;
    few[1].iov_base = got + 4;
    CHECK_EQ(user_recv_vectors(pair[0], USER(few), 2, 0), 9);
    CHECK(!strcmp(got, text));
    vk_close(pair[0]);
    vk_close(pair[1]);
    host_destroy(&h);
}

TEST(a_bad_message_is_refused_and_leaves_nothing) // sendmsg(2): EFAULT, EINVAL, EMSGSIZE, ENOBUFS
{
    struct host h = host_create();
    struct sock *pair[2];
    char byte = 0;
    struct iovec one = { &byte, 1 }, negative = { &byte, (size_t)-1 }, nowhere = { (void *)NOWHERE, 1 };
    struct sockaddr_in to = loopback(4000);
    const struct {
        struct msghdr m;
        int err;
    } bad[] = {
        { { .msg_iov = (void *)NOWHERE, .msg_iovlen = 1 }, -EFAULT },
        { { .msg_iov = &one, .msg_iovlen = IO_VECTORS_MOST + 1 }, -EMSGSIZE },
        { { .msg_iov = &negative, .msg_iovlen = 1 }, -EINVAL },
        { { .msg_iov = &nowhere, .msg_iovlen = 1 }, -EFAULT },
        { { .msg_iov = &one, .msg_iovlen = 1, .msg_name = &to, .msg_namelen = (socklen_t)-1 }, -EINVAL },
        { { .msg_iov = &one, .msg_iovlen = 1, .msg_name = (void *)NOWHERE, .msg_namelen = 16 }, -EFAULT },
        { { .msg_iov = &one, .msg_iovlen = 1, .msg_control = &byte, .msg_controllen = CONTROL_MOST + 1 },
          -ENOBUFS },
        { { .msg_iov = &one, .msg_iovlen = 1, .msg_control = (void *)NOWHERE, .msg_controllen = 64 },
          -EFAULT },
    };

    datagram_pair(&h, pair);
    CHECK_EQ(user_sendmsg(pair[1], NOWHERE, 0, NULL), -EFAULT);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_EQ(user_sendmsg(pair[1], USER(&bad[i].m), 0, NULL), bad[i].err);
    CHECK_EQ(user_send_vectors(pair[1], USER(&one), IO_VECTORS_MOST + 1, 0), -EINVAL);
    CHECK_EQ(user_sendto(pair[1], NOWHERE, 1, 0, 0, 0), -EFAULT);
    CHECK_EQ(user_sendto(pair[1], USER(&byte), 1, 0, USER(&to), 129), -EINVAL);
    CHECK_EQ(user_recvfrom(pair[0], USER(&byte), 1, MSG_DONTWAIT, 0, 0), -EAGAIN); /* nothing was sent */
    vk_close(pair[0]);
    vk_close(pair[1]);
    host_destroy(&h);
}

TEST(many_messages_end_at_the_first_error) // sendmmsg(2), recvmmsg(2)
{
    struct host h = host_create();
    struct sock *pair[2];
    char text[] = "abc", got[3] = "";
    struct iovec out[3], in[3];
    struct mmsghdr sent[3] = { 0 }, received[3] = { 0 };
    int err;

    datagram_pair(&h, pair);
    for (int i = 0; i < 3; i++) {
        out[i] = (struct iovec){ i == 2 ? (void *)NOWHERE : text + i, 1 };
        in[i] = (struct iovec){ got + i, 1 };
        sent[i].msg_hdr = (struct msghdr){ .msg_iov = &out[i], .msg_iovlen = 1 };
        received[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
    }
    CHECK_EQ(user_sendmmsg(pair[1], USER(sent), 3, 0, NULL, &err), 2);
    CHECK_EQ(err, -EFAULT);
    CHECK_EQ(user_sendmmsg(pair[1], USER(sent + 2), 1, 0, NULL, &err), -EFAULT);
    CHECK_EQ(user_recvmmsg(pair[0], USER(received), 3, MSG_WAITFORONE, TIME_NEVER, NULL), 2);
    CHECK(!memcmp(got, "ab", 3));
    CHECK_EQ(received[1].msg_len, 1);
    CHECK_EQ(user_recvmmsg(pair[0], USER(received), 3, MSG_DONTWAIT, TIME_NEVER, NULL), -EAGAIN);
    CHECK_EQ(user_sendmmsg(pair[1], USER(sent), 2, 0, NULL, &err), 2);
    CHECK_EQ(user_recvmmsg(pair[0], USER(received), 3, 0, time_now(), NULL), 1); /* the time is up */
    vk_close(pair[0]);
    vk_close(pair[1]);
    host_destroy(&h);
}
