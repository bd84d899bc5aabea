/* net/tcp/tcp_reuseport_test.c - listeners that share a port share its connections: SO_REUSEPORT, socket(7).
 */
#include "net/tcp/tcp_script_test.h"

enum { LISTENERS = 4, FLOWS = 400 };

static void share(struct script *s, struct sock *listeners[LISTENERS])
{
    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = vk_socket(s->vk, SOCK_STREAM);
        CHECK_EQ(vk_setsockopt_int(listeners[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
        CHECK_EQ(vk_bind(listeners[i], NULL, HOST_PORT), 0);
        CHECK_EQ(vk_listen(listeners[i], FLOWS), 0);
    }
}

static unsigned half_open_of(const struct sock *listener)
{
    return tcp_sk((struct sock *)listener)->listener->n_half_open;
}

TEST(listeners_that_share_a_port_get_about_as_many_connections_each)
{
    struct script s = script_begin();
    struct sock *listeners[LISTENERS];
    unsigned all = 0;
    share(&s, listeners);
    for (int i = 0; i < FLOWS; i++, s.sport++) {
        peer_sends_at(&s, SYN, PEER_ISS, 0, NULL, 0);
        tap_flush(s.tap);
    }
    for (int i = 0; i < LISTENERS; i++) {
        CHECK(half_open_of(listeners[i]) > FLOWS / LISTENERS / 2);
        CHECK(half_open_of(listeners[i]) < 2 * FLOWS / LISTENERS);
        all += half_open_of(listeners[i]);
    }
    CHECK_EQ(all, FLOWS);
    for (int i = 0; i < LISTENERS; i++)
        vk_close(listeners[i]);
    script_end(&s);
}

TEST(a_handshake_ends_where_it_began) /* though the listeners are fewer by then */
{
    struct script s = script_begin();
    struct sock *listeners[LISTENERS], *first = NULL;
    share(&s, listeners);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    for (int i = 0; i < LISTENERS; i++) {
        if (half_open_of(listeners[i]))
            first = listeners[i];
        else
            vk_close(listeners[i]);
    }
    CHECK(first);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(first, MSG_DONTWAIT, &s.sk), 0);
    vk_close(first);
    script_end(&s);
}
