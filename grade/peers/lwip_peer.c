/* grade/peers/lwip_peer.c - a virtual kernel and lwIP (Debian's liblwip, which
 * nobody here wrote) on one wire, in virtual time: streams both ways, each as
 * client and as server, over a wire that loses, doubles and reorders; and
 * datagrams. See peer.h.
 *
 * lwIP runs without its thread: its clock (sys_now, which we define in its
 * place) is that of the simulation, its timers are called when they are due. So
 * a run is the same each time. */
#include "grade/peers/peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DATAGRAMS = 200, DATAGRAM_MOST = 3000 };
#define LIMIT      (3600 * SECOND) /* of virtual time: a run that takes longer is stuck */
#define REAL_LIMIT (400 * SECOND)

const char *const peer_name = "lwIP";
static const char *other_address;
static struct netif netif;
/* ---- lwIP's world: its clock, its wire ---- */

u32_t sys_now(void)
{
    return (u32_t)(tp_now() / 1000000);
}

static err_t put_on_wire(struct netif *n, struct pbuf *p)
{
    uint8_t frame[TP_FRAME_MOST];
    u16_t length = pbuf_copy_partial(p, frame, sizeof frame, 0);

    (void)n;
    tp_inject(towpath.port, 0, frame, length);
    return ERR_OK;
}

static err_t netif_begin(struct netif *n)
{
    static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };

    memcpy(n->name, "tp", 2);
    memcpy(n->hwaddr, mac, sizeof mac);
    n->hwaddr_len = sizeof mac;
    n->mtu = 1500;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    n->output = etharp_output;
    n->linkoutput = put_on_wire;
    return ERR_OK;
}

static void take_from_wire(void)
{
    uint8_t frame[TP_FRAME_MOST];
    ssize_t n;

    while ((n = tp_take(towpath.port, frame, sizeof frame, NULL)) >= 0) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
        pbuf_take(p, frame, (u16_t)n);
        if (netif.input(p, &netif) != ERR_OK)
            pbuf_free(p);
    }
}

/* ---- lwIP's end of a stream ---- */

static struct {
    struct tcp_pcb *pcb;  /* NULL: not yet open, or closed */
    uint64_t size, sent;  /* what it has to send of the pattern */
    uint64_t got;         /* of the pattern, when it is not an echo */
    struct pbuf *pending; /* to be sent back */
    bool echoes, opened, peer_ended, own_ended, done;
} lwip;

static void lwip_close(void)
{
    tcp_arg(lwip.pcb, NULL);
    tcp_recv(lwip.pcb, NULL);
    tcp_sent(lwip.pcb, NULL);
    tcp_err(lwip.pcb, NULL);
    if (tcp_close(lwip.pcb) != ERR_OK)
        fail("lwIP cannot close");
    lwip.pcb = NULL;
    lwip.done = true;
}

static void lwip_send_back(void)
{
    while (lwip.pending) {
        u16_t n = (u16_t)min_u64(lwip.pending->len, tcp_sndbuf(lwip.pcb));
        if (!n || tcp_write(lwip.pcb, lwip.pending->payload, n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            return;
        tcp_recved(lwip.pcb, n);
        lwip.pending = pbuf_free_header(lwip.pending, n);
    }
}

static void lwip_send_pattern(void)
{
    while (lwip.sent < lwip.size) {
        u16_t n = (u16_t)min_u64(min_u64(lwip.size - lwip.sent, tcp_sndbuf(lwip.pcb)), CHUNK);
        if (!n || tcp_write(lwip.pcb, pattern + lwip.sent % PERIOD, n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            return;
        lwip.sent += n;
    }
}

/* Whatever can be done now is done. */
static void lwip_go_on(void)
{
    if (!lwip.pcb)
        return;
    lwip_send_back();
    lwip_send_pattern();
    tcp_output(lwip.pcb);
    bool all_sent = lwip.sent == lwip.size && !lwip.pending && (!lwip.echoes || lwip.peer_ended);
    if (all_sent && lwip.peer_ended)
        lwip_close();
    else if (all_sent && !lwip.own_ended && tcp_shutdown(lwip.pcb, 0, 1) == ERR_OK)
        lwip.own_ended = true;
}

static void lwip_look_at(const struct pbuf *p)
{
    for (; p; p = p->next)
        for (u16_t i = 0; i < p->len; i++)
            if (((const uint8_t *)p->payload)[i] != lwip.got++ % PERIOD)
                fail("lwIP got a wrong byte at %lu", (unsigned long)lwip.got - 1);
}

static err_t lwip_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg, (void)err;
    if (!p) {
        lwip.peer_ended = true;
    } else if (lwip.echoes) {
        if (lwip.pending)
            pbuf_cat(lwip.pending, p);
        else
            lwip.pending = p;
    } else {
        lwip_look_at(p);
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    }
    lwip_go_on();
    return ERR_OK;
}

static err_t lwip_acked(void *arg, struct tcp_pcb *pcb, u16_t n)
{
    (void)arg, (void)pcb, (void)n;
    lwip_go_on();
    return ERR_OK;
}

static void lwip_broken(void *arg, err_t err)
{
    (void)arg;
    fail("lwIP's connection broke: %d, %lu bytes sent, %lu received", err, (unsigned long)lwip.sent,
         (unsigned long)lwip.got);
}

static err_t lwip_opened(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    if (err != ERR_OK)
        fail("lwIP's connection does not open: %d", err);
    lwip.pcb = pcb;
    lwip.opened = true;
    tcp_recv(pcb, lwip_received);
    tcp_sent(pcb, lwip_acked);
    tcp_err(pcb, lwip_broken);
    lwip_go_on();
    return ERR_OK;
}

static void lwip_begin_tcp(void)
{
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t peer;

    ipaddr_aton(other_address, &peer);
    lwip.size = chosen.flow == DOWN || chosen.flow == ECHO_TOWPATH ? chosen.bytes : 0;
    lwip.echoes = chosen.flow == ECHO_PEER;
    if (chosen.peer_opens) {
        tcp_err(pcb, lwip_broken);
        tcp_connect(pcb, &peer, chosen.guest < 0 ? PORT : GUEST_ECHO, lwip_opened);
        return;
    }
    tcp_bind(pcb, IP_ADDR_ANY, PORT);
    tcp_accept(tcp_listen(pcb), lwip_opened);
}

/* ---- datagrams: each end sends some and returns the other's; those that come
 * back are as they were ---- */

static struct {
    struct udp_pcb *pcb;
    unsigned sent[2], back[2]; /* by lwIP, by Towpath */
    struct tp_call *receiving;
    struct sockaddr_in from;
    socklen_t from_len;
    struct sockaddr_in peer;
    uint8_t buffer[65536], out[DATAGRAM_MOST];
    uint64_t next_at;
} udp;
enum { BY_LWIP, BY_TOWPATH, QUESTION = 'q', ANSWER = 'a' };

/* Datagram i of either end: what it is, its number, and as many bytes as the
 * number says. On a wire that damages, all fit in one frame: UDP's sum finds
 * one bit that is wrong, but two, in two fragments, may cancel out. */
static size_t make_datagram(uint8_t *out, uint8_t what, unsigned i)
{
    size_t n = 4 + i * 37 % ((chosen.corrupt ? 1400 : DATAGRAM_MOST) - 4);

    out[0] = what;
    out[1] = (uint8_t)i;
    out[2] = (uint8_t)(i >> 8);
    out[3] = 0;
    for (size_t k = 4; k < n; k++)
        out[k] = (uint8_t)((k + i) % PERIOD);
    return n;
}

static void look_at_answer(const uint8_t *in, size_t n, int who)
{
    static uint8_t wanted[DATAGRAM_MOST];
    unsigned i = n >= 4 ? in[1] | in[2] << 8 : DATAGRAMS;

    if (i >= DATAGRAMS || n != make_datagram(wanted, ANSWER, i) || memcmp(in, wanted, n))
        fail("a datagram of %zu bytes came back otherwise to %s", n, who == BY_LWIP ? "lwIP" : "Towpath");
    udp.back[who]++;
}

static void lwip_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                          u16_t from_port)
{
    static uint8_t bytes[65535];
    u16_t n = pbuf_copy_partial(p, bytes, sizeof bytes, 0);

    (void)arg;
    if (n && bytes[0] == QUESTION) {
        bytes[0] = ANSWER;
        struct pbuf *answer = pbuf_alloc(PBUF_TRANSPORT, n, PBUF_RAM);
        pbuf_take(answer, bytes, n);
        udp_sendto(pcb, answer, from, from_port);
        pbuf_free(answer);
    } else {
        look_at_answer(bytes, n, BY_LWIP);
    }
    pbuf_free(p);
}

static void towpath_send(const uint8_t *bytes, size_t n, const struct sockaddr_in *to)
{
    int64_t result = tp_syscall(towpath.process, SYS_sendto, towpath.fd, (intptr_t)bytes, (int64_t)n, 0,
                                (intptr_t)to, sizeof *to);

    if (result != (int64_t)n)
        fail("Towpath's sendto: %ld", (long)result);
}

static void towpath_listen_on(void)
{
    udp.from_len = sizeof udp.from;
    udp.receiving = tp_call_begin(towpath.process, SYS_recvfrom,
                                  (const int64_t[6]){ towpath.fd, (intptr_t)udp.buffer, sizeof udp.buffer, 0,
                                                      (intptr_t)&udp.from, (intptr_t)&udp.from_len });
}

static void udp_begin(void)
{
    struct sockaddr_in own = name_of("10.0.0.1", PORT);

    udp.pcb = udp_new();
    udp_bind(udp.pcb, IP_ADDR_ANY, PORT);
    udp_recv(udp.pcb, lwip_datagram, NULL);
    udp.peer = name_of("10.0.0.2", PORT);
    towpath.fd = (int)at_once(SYS_socket, AF_INET, SOCK_DGRAM, 0);
    at_once(SYS_bind, towpath.fd, (intptr_t)&own, sizeof own);
    towpath_listen_on();
}

static void udp_questions(void)
{
    ip_addr_t towpath_address = IPADDR4_INIT_BYTES(10, 0, 0, 1);
    size_t n = make_datagram(udp.out, QUESTION, udp.sent[BY_LWIP]++);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)n, PBUF_RAM);

    pbuf_take(p, udp.out, (u16_t)n);
    udp_sendto(udp.pcb, p, &towpath_address, PORT);
    pbuf_free(p);
    n = make_datagram(udp.out, QUESTION, udp.sent[BY_TOWPATH]++);
    towpath_send(udp.out, n, &udp.peer);
}

static void udp_go_on(void)
{
    int64_t n;

    if (towpath.done)
        return;
    while (finished(&udp.receiving, &n)) {
        if (n < 0)
            fail("Towpath's recvfrom: %s", strerror((int)-n));
        if (n && udp.buffer[0] == QUESTION) {
            udp.buffer[0] = ANSWER;
            towpath_send(udp.buffer, (size_t)n, &udp.from);
        } else {
            look_at_answer(udp.buffer, (size_t)n, BY_TOWPATH);
        }
        towpath_listen_on();
    }
    if (tp_now() >= udp.next_at && udp.sent[BY_LWIP] < DATAGRAMS) {
        udp_questions();
        udp.next_at = tp_now() + SECOND / 100;
    }
    bool clean = !chosen.loss && !chosen.duplicate && !chosen.corrupt;
    if (udp.sent[BY_LWIP] < DATAGRAMS || tp_now() < udp.next_at + 40 * SECOND) /* and what waits in parts */
        return;
    for (int who = 0; who < 2; who++)
        if (clean ? udp.back[who] != DATAGRAMS : !udp.back[who])
            fail("%u of %u datagrams came back to %s", udp.back[who], udp.sent[who],
                 who == BY_LWIP ? "lwIP" : "Towpath");
    tp_call_interrupt(udp.receiving);
    finished(&udp.receiving, &n);
    at_once(SYS_close, towpath.fd, 0, 0);
    udp_remove(udp.pcb);
    lwip.done = towpath.done = true;
}

/* ---- a run ---- */

/* lwIP forgets a connection half open after 20 s (its TCP_SYN_RCVD_TIMEOUT),
 * which is three SYN+ACKs, and says nothing. A client that thinks it open, and
 * only listens, waits for ever: no stack can know (RFC 9293 3.8.4). */
static bool lwip_gave_up(void)
{
    return chosen.flow == ECHO_TOWPATH && !chosen.peer_opens && !lwip.opened && !tcp_active_pcbs &&
           towpath.echoing;
}

/* With a guest at the other end the simulation's clock is the host's. */
static void real_step(void)
{
    static uint64_t start;
    struct pollfd p = { .fd = chosen.guest, .events = POLLIN };

    if (!start)
        start = host_now();
    if (host_now() - start > REAL_LIMIT)
        fail("stuck: lwIP %s; it sent %lu, got %lu", lwip.done ? "done" : "waits", (unsigned long)lwip.sent,
             (unsigned long)lwip.got);
    tp_run_until(host_now() - start);
    towpath_go_on();
    take_from_wire();
    sys_check_timeouts();
    lwip_go_on();
    towpath_go_on();
    poll(&p, 1, 2);
}

static void step(void)
{
    if (chosen.guest >= 0) {
        real_step();
        return;
    }
    tp_run_for(0);
    take_from_wire();
    sys_check_timeouts();
    if (chosen.flow == UDP) {
        udp_go_on();
    } else {
        lwip_go_on();
        towpath_go_on();
    }
    uint64_t now_ms = tp_now() / 1000000, sleep_ms = sys_timeouts_sleeptime();
    uint64_t next = min_u64(tp_next(), sleep_ms == UINT32_MAX ? TP_NEVER : (now_ms + sleep_ms) * 1000000);
    if (chosen.flow == UDP && !towpath.done)
        next = min_u64(next, tp_now() + SECOND / 100);
    if (next > LIMIT && lwip_gave_up())
        _exit(GIVEN_UP);
    if (next > LIMIT)
        fail("stuck: Towpath %s, lwIP %s; lwIP sent %lu, got %lu", towpath.done ? "done" : "waits",
             lwip.done ? "done" : "waits", (unsigned long)lwip.sent, (unsigned long)lwip.got);
    tp_run_until(next);
}

static void begin_world(void)
{
    ip4_addr_t address, mask, router;

    towpath_begin(other_address);
    lwip_init();
    ip4addr_aton(chosen.guest < 0 ? "10.0.0.2" : "10.0.2.2", &address); /* with a guest: grade/wire.py */
    IP4_ADDR(&mask, 255, 255, 255, 0);
    ip4addr_aton(other_address, &router);
    netif_add(&netif, &address, &mask, &router, NULL, netif_begin, ethernet_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
}

/* Both have closed: nothing may be left of it, on either side. */
static void end_world(void)
{
    while (tcp_active_pcbs)
        step();
    linger_for_guest(step);
    if (chosen.guest < 0)
        for (uint64_t end = tp_now() + 200 * SECOND; tp_now() < end;) /* lwIP still answers in TIME-WAIT */
            step();
    towpath_end_world();
}

void peer_run(void)
{
    other_address = chosen.guest < 0 ? "10.0.0.1" : "10.0.2.15";
    begin_world();
    if (chosen.flow == UDP) {
        udp_begin();
    } else {
        lwip_begin_tcp();
        towpath_begin_tcp("10.0.0.1", "10.0.0.2", PORT);
    }
    while (!towpath.done || !lwip.done)
        step();
    if (chosen.flow != ECHO_PEER && chosen.flow != UDP &&
        lwip.got != (chosen.flow == DOWN ? 0 : chosen.bytes))
        fail("lwIP got %lu bytes of %lu", (unsigned long)lwip.got, (unsigned long)chosen.bytes);
    end_world();
}
