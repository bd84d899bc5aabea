/* sim/vk/vk_main.c - towpath-vk: one virtual kernel in real time.
 *
 *     towpath-vk --address 10.1.0.1/24 --listen /tmp/a.sock [--wire hub:/tmp/wire] [--route 0.0.0.0/0
 * --gateway 10.1.0.254]
 *                [--capture FILE.pcapng] [--log]
 *
 * Programs use it with LD_PRELOAD=libtowpath-shim.so and TOWPATH_VK=/tmp/a.sock. It says "ready" on its
 * standard output when they may, and ends when it is told to (SIGTERM, SIGINT). */
#include "sim/vk/daemon.h"
#include "sim/vk/vk_loop.h"
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct daemon vk;

static struct options {
    const char *address, *listen, *wire, *route, *gateway, *capture;
    bool log;
} options = { .wire = "none", .route = "0.0.0.0/0" };

static volatile sig_atomic_t told_to_end;

void vk_die(const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "towpath-vk: ");
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    exit(1);
}

static void log_line(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static void end(int signal)
{
    (void)signal;
    told_to_end = 1;
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {
        { "address", required_argument, NULL, 'a' }, { "listen", required_argument, NULL, 's' },
        { "wire", required_argument, NULL, 'w' },    { "route", required_argument, NULL, 'r' },
        { "gateway", required_argument, NULL, 'g' }, { "capture", required_argument, NULL, 'c' },
        { "log", no_argument, NULL, 'l' },           { 0 },
    };
    const char **const places[] = {
        ['a'] = &options.address, ['s'] = &options.listen,  ['w'] = &options.wire,
        ['r'] = &options.route,   ['g'] = &options.gateway, ['c'] = &options.capture
    };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (c == '?')
            exit(2);
        if (c == 'l')
            options.log = true;
        else
            *places[c] = optarg;
    }
    if (!options.address || !options.listen || optind < argc)
        vk_die(
            "usage: towpath-vk --address A.B.C.D/N --listen SOCKET [--wire hub:PATH|mcast:ADDRESS:PORT|tap:NAME|"
            "fd:NUMBER|none] [--route A.B.C.D/N] [--gateway A.B.C.D] [--capture FILE] [--log]");
}

static void must(const char *what, int err)
{
    if (err < 0)
        vk_die("%s: %s", what, strerror(-err));
}

/* A kernel whose address nobody else on the wire has, and so whose MAC address, made from it, nobody has
 * either. */
static void make_kernel(void)
{
    struct tp_device device = { .mac = { 0x02, 0x02 } };
    unsigned byte[4];

    vk.wire = tp_wire_create("wire", NULL);
    vk.kernel = tp_kernel_create("vk");
    if (sscanf(options.address, "%u.%u.%u.%u", &byte[0], &byte[1], &byte[2], &byte[3]) == 4)
        for (int i = 0; i < 4; i++)
            device.mac[2 + i] = (uint8_t)byte[i];
    memcpy(vk.mac, device.mac, sizeof vk.mac);
    must("eth0", tp_device_add(vk.kernel, "eth0", vk.wire, &device));
    vk.port = tp_port_create(vk.wire);
    if (options.capture)
        must(options.capture, tp_wire_capture(vk.wire, options.capture));
    must(options.address, tp_address_set(vk.kernel, "eth0", options.address));
    if (options.gateway)
        must(options.gateway, tp_route_add(vk.kernel, options.route, options.gateway));
    vk.process = tp_process_create(vk.kernel);
}

int main(int argc, char **argv)
{
    struct tp_world world = { .log = NULL };
    struct timespec ts;

    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    clock_gettime(CLOCK_REALTIME, &ts);
    world.seed = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + ((uint64_t)getpid() << 40);
    world.log = options.log ? log_line : NULL;
    must("start", tp_start(&world));
    make_kernel();
    vk_loop_init();
    vk_uplink_open(options.wire);
    vk_clients_listen(options.listen);
    printf("ready\n");
    fflush(stdout);
    while (!told_to_end)
        vk_loop_round();
    unlink(options.listen);
    return 0;
}
