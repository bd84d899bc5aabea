/* grade/peers/lwip_peer.c - a virtual kernel and lwIP (Debian's liblwip, which nobody here wrote) on one
 * wire, in virtual time: streams both ways, each as client and as server, over a wire that loses, doubles and
 * reorders.
 *
 * usage: lwip-peer flow=up opener=lwip bytes=200000 loss=5 duplicate=1 reorder=5 delay=5 corrupt=0 runs=10
 * seed=1 Shares in percent, delay in milliseconds. Flows: up (to lwIP), down (from it), echo-lwip,
 * echo-towpath, udp. Each run is a process of its own with the next seed. A line for each run that fails, and
 * a closing line.
 *
 * lwIP runs without its thread: its clock (sys_now, which we define in its place) is that of the simulation,
 * its timers are called when they are due. So a run is the same each time. */
#include "sim/towpath.h"
#include <arpa/inet.h>
#include <errno.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GIVEN_UP = 77, PORT = 4000, PERIOD = 251, CHUNK = 8192, DATAGRAMS = 200, DATAGRAM_MOST = 3000 };
enum flow { UP, DOWN, ECHO_LWIP, ECHO_TOWPATH, UDP, FLOWS };
static const char *const flow_names[FLOWS] = { "up", "down", "echo-lwip", "echo-towpath", "udp" };
#define SECOND UINT64_C(1000000000)
#define LIMIT  (3600 * SECOND) /* of virtual time: a run that takes longer is stuck */

struct choice {
    enum flow flow;
    bool lwip_opens;
    uint64_t bytes, seed;
    unsigned loss, duplicate, reorder, corrupt, delay, runs;
    const char *capture;
};

static struct choice chosen;
static struct tp_wire *wire;
static struct tp_port *port;
static struct netif netif;
static uint8_t pattern[CHUNK + PERIOD]; /* tp_source's: byte i of a stream is i % 251 */

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *format, ...)
{
    va_list args;

    printf("FAILED seed=%lu after %.3f s: ", (unsigned long)chosen.seed, (double)tp_now() / 1e9);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

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
    tp_inject(port, 0, frame, length);
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

    while ((n = tp_take(port, frame, sizeof frame, NULL)) >= 0) {
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
    ip_addr_t peer = IPADDR4_INIT_BYTES(10, 0, 0, 1);

    lwip.size = chosen.flow == DOWN || chosen.flow == ECHO_TOWPATH ? chosen.bytes : 0;
    lwip.echoes = chosen.flow == ECHO_LWIP;
    if (chosen.lwip_opens) {
        tcp_err(pcb, lwip_broken);
        tcp_connect(pcb, &peer, PORT, lwip_opened);
        return;
    }
    tcp_bind(pcb, IP_ADDR_ANY, PORT);
    tcp_accept(tcp_listen(pcb), lwip_opened);
}

/* ---- Towpath's end: calls that were begun, and what follows when they are done ---- */

enum { LISTENING = 3, NO_CALL = -1 };
static struct {
    struct tp_kernel *kernel;
    struct tp_process *process;
    struct tp_call *opening, *source, *sink, *echo;
    int fd;
    bool echo_sends, done;
    uint8_t buffer[CHUNK];
} towpath;

static struct sockaddr_in name_of(const char *address)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    inet_pton(AF_INET, address, &name.sin_addr);
    return name;
}

static int64_t at_once(long number, int64_t a, int64_t b, int64_t c)
{
    int64_t result = tp_syscall(towpath.process, number, a, b, c, 0, 0, 0);

    if (result < 0)
        fail("call %ld of Towpath's: %s", number, strerror((int)-result));
    return result;
}

static struct tp_call *begin(long number, int64_t a, int64_t b, int64_t c)
{
    return tp_call_begin(towpath.process, number, (const int64_t[6]){ a, b, c });
}

/* Is it done? Then its result is in *result, and it is gone. */
static bool finished(struct tp_call **call, int64_t *result)
{
    if (!*call || !tp_call_done(*call, result))
        return false;
    tp_call_end(*call);
    *call = NULL;
    return true;
}

static void towpath_begin_tcp(void)
{
    static struct sockaddr_in name;

    towpath.fd = (int)at_once(SYS_socket, AF_INET, SOCK_STREAM, 0);
    name = name_of(chosen.lwip_opens ? "10.0.0.1" : "10.0.0.2");
    if (!chosen.lwip_opens) {
        towpath.opening = begin(SYS_connect, towpath.fd, (intptr_t)&name, sizeof name);
        return;
    }
    at_once(SYS_bind, towpath.fd, (intptr_t)&name, sizeof name);
    at_once(SYS_listen, towpath.fd, 8, 0);
    towpath.opening = begin(SYS_accept, towpath.fd, 0, 0);
}

static void towpath_opened(int64_t result)
{
    if (result < 0)
        fail("Towpath's connection does not open: %s", strerror((int)-result));
    if (chosen.lwip_opens) {
        at_once(SYS_close, towpath.fd, 0, 0);
        towpath.fd = (int)result;
    }
    if (chosen.flow == ECHO_TOWPATH) {
        towpath.echo = begin(SYS_read, towpath.fd, (intptr_t)towpath.buffer, sizeof towpath.buffer);
        return;
    }
    towpath.source = tp_source_begin(towpath.process, towpath.fd, chosen.flow == DOWN ? 0 : chosen.bytes);
    towpath.sink = tp_sink_begin(towpath.process, towpath.fd);
}

static void towpath_echo_done(int64_t result)
{
    if (result < 0)
        fail("Towpath's echo: %s", strerror((int)-result));
    if (!result) {
        at_once(SYS_close, towpath.fd, 0, 0);
        towpath.done = true;
        return;
    }
    towpath.echo_sends = !towpath.echo_sends; /* a write of a blocking socket takes all */
    towpath.echo = towpath.echo_sends
                       ? begin(SYS_write, towpath.fd, (intptr_t)towpath.buffer, result)
                       : begin(SYS_read, towpath.fd, (intptr_t)towpath.buffer, sizeof towpath.buffer);
}

static void towpath_go_on(void)
{
    int64_t result, wanted = chosen.flow == UP ? 0 : (int64_t)chosen.bytes;

    if (finished(&towpath.opening, &result))
        towpath_opened(result);
    if (finished(&towpath.echo, &result))
        towpath_echo_done(result);
    if (finished(&towpath.source, &result)) {
        if (result < 0)
            fail("Towpath's sender: %s", strerror((int)-result));
        at_once(SYS_shutdown, towpath.fd, SHUT_WR, 0);
    }
    if (!towpath.source && finished(&towpath.sink, &result)) {
        if (result != wanted)
            fail("Towpath's receiver: %ld instead of %ld", (long)result, (long)wanted);
        at_once(SYS_close, towpath.fd, 0, 0);
        towpath.done = true;
    }
}

/* ---- datagrams: each end sends some and returns the other's; those that come back are as they were ---- */

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

/* Datagram i of either end: what it is, its number, and as many bytes as the number says. On a wire that
 * damages, all fit in one frame: UDP's sum finds one bit that is wrong, but two, in two fragments, may cancel
 * out. */
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
    struct sockaddr_in own = name_of("10.0.0.1");

    udp.pcb = udp_new();
    udp_bind(udp.pcb, IP_ADDR_ANY, PORT);
    udp_recv(udp.pcb, lwip_datagram, NULL);
    udp.peer = name_of("10.0.0.2");
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

/* lwIP forgets a connection half open after 20 s (its TCP_SYN_RCVD_TIMEOUT), which is three SYN+ACKs, and
 * says nothing. A client that thinks it open, and only listens, waits for ever: no stack can know (RFC
 * 9293 3.8.4). */
static bool lwip_gave_up(void)
{
    return chosen.flow == ECHO_TOWPATH && !chosen.lwip_opens && !lwip.opened && !tcp_active_pcbs &&
           towpath.echo;
}

static void step(void)
{
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
    const struct tp_link link = { .loss = chosen.loss * 10000,
                                  .duplicate = chosen.duplicate * 10000,
                                  .reorder = chosen.reorder * 10000,
                                  .corrupt = chosen.corrupt * 10000,
                                  .reorder_delay_ns = SECOND / 200,
                                  .delay_ns = chosen.delay * (SECOND / 1000),
                                  .bits_per_second = 100000000 };
    ip4_addr_t address, mask, router;

    tp_start(&(struct tp_world){ .seed = chosen.seed });
    srand((unsigned)chosen.seed);
    wire = tp_wire_create("wire", &link);
    if (chosen.capture)
        tp_wire_capture(wire, chosen.capture);
    port = tp_port_create(wire);
    towpath.kernel = tp_kernel_create("towpath");
    tp_device_add(towpath.kernel, "eth0", wire, NULL);
    tp_address_set(towpath.kernel, "eth0", "10.0.0.1/24");
    towpath.process = tp_process_create(towpath.kernel);
    lwip_init();
    IP4_ADDR(&address, 10, 0, 0, 2);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&router, 10, 0, 0, 1);
    netif_add(&netif, &address, &mask, &router, NULL, netif_begin, ethernet_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
}

/* Both have closed: nothing may be left of it, on either side. */
static void end_world(void)
{
    char text[4096];

    while (tcp_active_pcbs)
        step();
    for (uint64_t end = tp_now() + 200 * SECOND; tp_now() < end;) /* lwIP still answers in TIME-WAIT */
        step();
    if (tp_packets_alive(towpath.kernel))
        fail("%ld packet buffers are left over", (long)tp_packets_alive(towpath.kernel));
    tp_proc_net(towpath.kernel, "tcp", text, sizeof text);
    if (strchr(text, '\n') && strchr(text, '\n')[1])
        fail("a connection is left over:\n%s", text);
    tp_process_exit(towpath.process);
    tp_port_destroy(port);
    tp_kernel_destroy(towpath.kernel);
    tp_wire_destroy(wire);
    tp_end();
}

static void run(void)
{
    begin_world();
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % PERIOD);
    if (chosen.flow == UDP) {
        udp_begin();
    } else {
        lwip_begin_tcp();
        towpath_begin_tcp();
    }
    while (!towpath.done || !lwip.done)
        step();
    if (chosen.flow != ECHO_LWIP && chosen.flow != UDP &&
        lwip.got != (chosen.flow == DOWN ? 0 : chosen.bytes))
        fail("lwIP got %lu bytes of %lu", (unsigned long)lwip.got, (unsigned long)chosen.bytes);
    end_world();
}

/* 0 if it went well; what went wrong is said. */
static int run_in_child(void)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        run();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("FAILED seed=%lu: signal %d\n", (unsigned long)chosen.seed, WTERMSIG(status));
    return status;
}

static void set(const char *name, const char *value)
{
    const struct {
        const char *name;
        unsigned *number;
    } numbers[] = { { "loss", &chosen.loss },       { "duplicate", &chosen.duplicate },
                    { "reorder", &chosen.reorder }, { "corrupt", &chosen.corrupt },
                    { "delay", &chosen.delay },     { "runs", &chosen.runs } };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(name, numbers[i].name))
            *numbers[i].number = (unsigned)strtoul(value, NULL, 0);
    if (!strcmp(name, "bytes"))
        chosen.bytes = strtoull(value, NULL, 0);
    if (!strcmp(name, "seed"))
        chosen.seed = strtoull(value, NULL, 0);
    if (!strcmp(name, "capture"))
        chosen.capture = value;
    if (!strcmp(name, "opener"))
        chosen.lwip_opens = !strcmp(value, "lwip");
    for (int i = 0; i < FLOWS && !strcmp(name, "flow"); i++)
        if (!strcmp(value, flow_names[i]))
            chosen.flow = (enum flow)i;
}

int main(int argc, char **argv)
{
    unsigned good = 0, given_up = 0;

    chosen = (struct choice){ .bytes = 200000, .seed = 1, .runs = 1, .delay = 1 };
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value) {
            *value = 0;
            set(argv[i], value + 1);
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < chosen.runs; i++, chosen.seed++) {
        int status = run_in_child();
        good += status == 0;
        given_up += WIFEXITED(status) && WEXITSTATUS(status) == GIVEN_UP;
    }
    printf("%s, %s opens: %u of %u runs", flow_names[chosen.flow], chosen.lwip_opens ? "lwIP" : "Towpath",
           good, chosen.runs);
    printf(given_up ? "; %u given up half open by lwIP\n" : "\n", given_up);
    return good + given_up != chosen.runs || given_up > chosen.runs / 20;
}
