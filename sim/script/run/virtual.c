/* sim/script/run/virtual.c - a virtual kernel (towpath.h) as the host of a script: one card on a wire that
 * takes no time, whose other end is ours. */
#include "sim/script/run/host.h"
#include "sim/towpath.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_SECONDS = 10, END_SECONDS = 7200, COUNTERS_SIZE = 1 << 16 };
#define HOST_MAC UINT64_C(0x020000000001)
#define PEER_MAC UINT64_C(0x020000000002)

struct virtual_host {
    struct host host;
    struct tp_wire *wire;
    struct tp_kernel *kernel;
    struct tp_port *port;
    struct tp_process *process;
    uint64_t began;
};

static struct virtual_host *of(struct host *h)
{
    return (struct virtual_host *)h;
}

static uint64_t now(struct host *h)
{
    return tp_now() - of(h)->began;
}

/* One moment at a time, so that the runner sees each frame when it comes. */
static void run(struct host *h, uint64_t until)
{
    uint64_t next = tp_next(), end = until + of(h)->began;

    tp_run_until(next < end ? next : end);
}

static void transmit(struct host *h, const uint8_t *frame, size_t n)
{
    tp_inject(of(h)->port, 0, frame, n);
    tp_run_for(0);
}

static size_t take(struct host *h, uint8_t *frame, size_t size, uint64_t *when)
{
    ssize_t n = tp_take(of(h)->port, frame, size, when);

    if (n <= 0)
        return 0;
    *when -= of(h)->began;
    return (size_t)n < size ? (size_t)n : size;
}

static void *begin(struct host *h, struct host_call *c)
{
    for (unsigned i = 0; i < c->n_buffers; i++)
        c->arguments[c->buffers[i].argument] = (int64_t)(intptr_t)c->buffers[i].at;
    return tp_call_begin(of(h)->process, c->number, c->arguments);
}

static bool done(struct host *h, void *call, int64_t *result)
{
    (void)h;
    if (!tp_call_done(call, result))
        return false;
    tp_call_end(call);
    return true;
}

static int set(struct host *h, const char *path, const char *value)
{
    return tp_knob_set(of(h)->kernel, path, value);
}

/* The nth word of the line at text, or NULL. */
static const char *word(const char *text, int n)
{
    for (; n > 0 && text && *text != '\n'; n--) {
        text += strcspn(text, " \n");
        text += *text == ' ';
    }
    return text && *text && *text != '\n' ? text : NULL;
}

/* Lines come in pairs: "Tcp: ActiveOpens PassiveOpens", "Tcp: 3 1". */
static bool counter_in(const char *text, const char *section, const char *name, int64_t *value)
{
    size_t n = strlen(section), length = strlen(name);

    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        const char *next = strchr(line, '\n'), *at;

        if (strncmp(line, section, n) || line[n] != ':' || !next || strncmp(next + 1, section, n))
            continue;
        for (int i = 1; (at = word(line, i)); i++)
            if (!strncmp(at, name, length) && strchr(" \n", at[length]) && (at = word(next + 1, i))) {
                *value = strtoll(at, NULL, 10);
                return true;
            }
    }
    return false;
}

static bool counter(struct host *h, const char *section, const char *name, int64_t *value)
{
    static const char *const files[] = { "snmp", "netstat" };
    static char text[COUNTERS_SIZE];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (tp_proc_net(of(h)->kernel, files[i], text, sizeof text) > 0 &&
            counter_in(text, section, name, value))
            return true;
    return false;
}

static int64_t packets(struct host *h)
{
    return tp_packets_alive(of(h)->kernel);
}

/* Two hours: every timer of a connection that nobody answers any more has run out by then. tp_end() panics
 * when memory is left. */
static const char *end(struct host *h)
{
    struct virtual_host *v = of(h);
    static char why[80];

    tp_process_exit(v->process);
    tp_port_destroy(v->port);
    tp_run_for(UINT64_C(1000000000) * END_SECONDS);
    if (packets(h))
        snprintf(why, sizeof why, "%lld sk_buffs are alive after everything was closed",
                 (long long)packets(h));
    tp_kernel_destroy(v->kernel);
    tp_wire_destroy(v->wire);
    tp_end();
    free(v);
    return *why ? why : NULL;
}

static void mac_bytes(uint8_t mac[6], uint64_t v)
{
    for (int i = 5; i >= 0; i--, v >>= 8)
        mac[i] = (uint8_t)v;
}

static void configure(struct virtual_host *v, const struct virtual_config *config)
{
    struct tp_device device = { .mtu = config->mtu };
    uint32_t ip = v->host.address, gw = v->host.peer;
    char text[32], gateway[32];

    snprintf(text, sizeof text, "%u.%u.%u.%u/%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255,
             config->address ? config->prefix : 24);
    snprintf(gateway, sizeof gateway, "%u.%u.%u.%u", gw >> 24, gw >> 16 & 255, gw >> 8 & 255, gw & 255);
    mac_bytes(device.mac, HOST_MAC);
    v->wire = tp_wire_create("wire", NULL);
    v->kernel = tp_kernel_create("host");
    if (config->capture && tp_wire_capture(v->wire, config->capture))
        perror(config->capture);
    if (tp_device_add(v->kernel, "eth0", v->wire, &device) || tp_address_set(v->kernel, "eth0", text))
        fprintf(stderr, "towpath-script: eth0 cannot be %s\n", text);
    tp_route_add(v->kernel, "0.0.0.0/0", gateway);
    v->port = tp_port_create(v->wire);
    v->process = tp_process_create(v->kernel);
}

struct host *virtual_start(const struct virtual_config *config)
{
    struct virtual_host *v = calloc(1, sizeof *v);
    uint8_t frame[TP_FRAME_MOST];

    if (!v || tp_start(&(struct tp_world){ .seed = config->seed, .panic = config->panic }))
        abort();
    v->host = (struct host){ .now = now,
                             .run = run,
                             .send = transmit,
                             .take = take,
                             .begin = begin,
                             .done = done,
                             .set = set,
                             .counter = counter,
                             .packets = packets,
                             .end = end,
                             .mac = HOST_MAC,
                             .peer_mac = PEER_MAC };
    v->host.address = config->address ? config->address : 0x0a000001;
    v->host.peer = v->host.address + 1;
    configure(v, config);
    tp_run_for(UINT64_C(1000000000) * START_SECONDS); /* what a host announces of itself is over */
    while (tp_take(v->port, frame, sizeof frame, NULL) >= 0)
        ;
    v->began = tp_now();
    return &v->host;
}
