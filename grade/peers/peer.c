/* grade/peers/peer.c - Towpath's end of a stream, and the runs; see peer.h. */
#include "grade/peers/peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TOGETHER_MOST = 200, TIME_WAIT = 6 };
static const char *const flow_names[FLOWS] = { "up", "down", "echo-peer", "echo-towpath", "udp" };

struct choice chosen = { .bytes = 200000, .seed = 1, .runs = 1, .delay = 1, .together = 1, .guest = -1 };
struct towpath_end towpath;
uint8_t pattern[CHUNK + PERIOD];

void fail(const char *format, ...)
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

/* ---- Towpath's end: calls that were begun, and what follows when they are done ---- */

static struct tp_call *opening, *source, *sink, *echo;
static bool echo_sends;
static uint8_t buffer[CHUNK];

struct sockaddr_in name_of(const char *address, uint16_t port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };

    inet_pton(AF_INET, address, &name.sin_addr);
    return name;
}

int64_t at_once(long number, int64_t a, int64_t b, int64_t c)
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

bool finished(struct tp_call **call, int64_t *result)
{
    if (!*call || !tp_call_done(*call, result))
        return false;
    tp_call_end(*call);
    *call = NULL;
    return true;
}

void towpath_begin_tcp(const char *own, const char *peer, uint16_t port)
{
    static struct sockaddr_in name;

    if (towpath.guest_port)
        return;
    towpath.fd = (int)at_once(SYS_socket, AF_INET, SOCK_STREAM, 0);
    name = name_of(chosen.peer_opens ? own : peer, port);
    if (!chosen.peer_opens) {
        opening = begin(SYS_connect, towpath.fd, (intptr_t)&name, sizeof name);
        return;
    }
    at_once(SYS_bind, towpath.fd, (intptr_t)&name, sizeof name);
    at_once(SYS_listen, towpath.fd, 8, 0);
    opening = begin(SYS_accept, towpath.fd, 0, 0);
}

static void opened(int64_t result)
{
    if (result < 0)
        fail("Towpath's connection does not open: %s", strerror((int)-result));
    if (chosen.peer_opens) {
        at_once(SYS_close, towpath.fd, 0, 0);
        towpath.fd = (int)result;
    }
    if (chosen.flow == ECHO_TOWPATH) {
        echo = begin(SYS_read, towpath.fd, (intptr_t)buffer, sizeof buffer);
        towpath.echoing = true;
        return;
    }
    source = tp_source_begin(towpath.process, towpath.fd, chosen.flow == DOWN ? 0 : chosen.bytes);
    sink = tp_sink_begin(towpath.process, towpath.fd);
}

static void end_stream(void)
{
    at_once(SYS_close, towpath.fd, 0, 0);
    towpath.done = true;
}

static void echo_done(int64_t result)
{
    if (result < 0)
        fail("Towpath's echo: %s", strerror((int)-result));
    if (!result) {
        end_stream();
        return;
    }
    echo_sends = !echo_sends; /* a write of a blocking socket takes all */
    echo = echo_sends ? begin(SYS_write, towpath.fd, (intptr_t)buffer, result)
                      : begin(SYS_read, towpath.fd, (intptr_t)buffer, sizeof buffer);
}

/* Frames across between the wire and the guest. What the guest has no room for is lost, as on any cable. */
static void carry_guest(void)
{
    uint8_t frame[TP_FRAME_MOST];
    ssize_t n;

    while ((n = recv(chosen.guest, frame, sizeof frame, MSG_DONTWAIT)) > 0)
        tp_inject(towpath.guest_port, 0, frame, (size_t)n);
    while ((n = tp_take(towpath.guest_port, frame, sizeof frame, NULL)) >= 0)
        if (send(chosen.guest, frame, (size_t)n, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
            fail("the guest takes no frame: %s", strerror(errno));
    towpath.done = true; /* what it does is seen at the peer's end */
}

void towpath_go_on(void)
{
    int64_t result, wanted = chosen.flow == UP ? 0 : (int64_t)chosen.bytes;

    if (towpath.guest_port) {
        carry_guest();
        return;
    }
    if (finished(&opening, &result))
        opened(result);
    if (finished(&echo, &result))
        echo_done(result);
    if (finished(&source, &result)) {
        if (result < 0)
            fail("Towpath's sender: %s", strerror((int)-result));
        at_once(SYS_shutdown, towpath.fd, SHUT_WR, 0);
    }
    if (!source && finished(&sink, &result)) {
        if (result != wanted)
            fail("Towpath's receiver: %ld instead of %ld", (long)result, (long)wanted);
        end_stream();
    }
}

/* ---- its world ---- */

void towpath_begin(const char *address)
{
    const struct tp_link link = { .loss = chosen.loss * 10000,
                                  .duplicate = chosen.duplicate * 10000,
                                  .reorder = chosen.reorder * 10000,
                                  .corrupt = chosen.corrupt * 10000,
                                  .reorder_delay_ns = SECOND / 200,
                                  .delay_ns = chosen.delay * (SECOND / 1000),
                                  .bits_per_second = 100000000 };
    char text[32];

    snprintf(text, sizeof text, "%s/24", address);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % PERIOD);
    tp_start(&(struct tp_world){ .seed = chosen.seed });
    towpath.wire = tp_wire_create("wire", &link);
    if (chosen.capture)
        tp_wire_capture(towpath.wire, chosen.capture);
    towpath.port = tp_port_create(towpath.wire);
    if (chosen.guest >= 0) {
        towpath.guest_port = tp_port_create(towpath.wire);
        return;
    }
    towpath.kernel = tp_kernel_create("towpath");
    tp_device_add(towpath.kernel, "eth0", towpath.wire, NULL);
    tp_address_set(towpath.kernel, "eth0", text);
    towpath.process = tp_process_create(towpath.kernel);
}

bool towpath_has_connections(bool time_wait_too)
{
    char text[4096], *line = text;
    unsigned state;

    if (towpath.guest_port)
        return false;
    tp_proc_net(towpath.kernel, "tcp", text, sizeof text);
    while ((line = strchr(line, '\n')) && line[1]) /* the heading's end first */
        if (sscanf(++line, "%*s %*s %*s %x", &state) == 1 && (time_wait_too || state != TIME_WAIT))
            return true;
    return false;
}

uint64_t host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

void linger_for_guest(void (*step)(void))
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;

    if (chosen.guest < 0)
        return;
    puts("over");
    fflush(stdout);
    while (!poll(&input, 1, 0) || read(STDIN_FILENO, &byte, 1) > 0)
        step();
}

void towpath_end_world(void)
{
    if (towpath.guest_port)
        return; /* with the process */
    if (tp_packets_alive(towpath.kernel))
        fail("%ld packet buffers are left over", (long)tp_packets_alive(towpath.kernel));
    if (towpath_has_connections(true))
        fail("a connection is left over");
    tp_process_exit(towpath.process);
    tp_port_destroy(towpath.port);
    tp_kernel_destroy(towpath.kernel);
    tp_wire_destroy(towpath.wire);
    tp_end();
}

/* ---- the runs ---- */

static void begin_run(pid_t *pid)
{
    *pid = fork();
    if (*pid)
        return;
    srand((unsigned)chosen.seed);
    peer_run();
    fflush(stdout);
    _exit(0);
}

/* Wait for one; its place. */
static unsigned end_run(pid_t pids[TOGETHER_MOST], const uint64_t seeds[TOGETHER_MOST], int *status)
{
    pid_t pid = waitpid(-1, status, 0);
    unsigned i = 0;

    while (pids[i] != pid)
        i++;
    pids[i] = 0;
    if (WIFSIGNALED(*status))
        printf("FAILED seed=%lu: signal %d\n", (unsigned long)seeds[i], WTERMSIG(*status));
    return i;
}

static void set(const char *name, const char *value)
{
    const struct {
        const char *name;
        unsigned *number;
    } numbers[] = { { "loss", &chosen.loss },        { "duplicate", &chosen.duplicate },
                    { "reorder", &chosen.reorder },  { "corrupt", &chosen.corrupt },
                    { "delay", &chosen.delay },      { "runs", &chosen.runs },
                    { "together", &chosen.together } };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(name, numbers[i].name))
            *numbers[i].number = (unsigned)strtoul(value, NULL, 0);
    if (!strcmp(name, "bytes"))
        chosen.bytes = strtoull(value, NULL, 0);
    if (!strcmp(name, "seed"))
        chosen.seed = strtoull(value, NULL, 0);
    if (!strcmp(name, "guest"))
        chosen.guest = (int)strtol(value, NULL, 0);
    if (!strcmp(name, "capture"))
        chosen.capture = value;
    if (!strcmp(name, "opener"))
        chosen.peer_opens = !strcmp(value, "peer");
    for (int i = 0; i < FLOWS && !strcmp(name, "flow"); i++)
        if (!strcmp(value, flow_names[i]))
            chosen.flow = (enum flow)i;
}

static unsigned good, given_up;

static void run_all(void)
{
    pid_t pids[TOGETHER_MOST] = { 0 };
    uint64_t seeds[TOGETHER_MOST];
    unsigned running = 0, begun = 0;
    int status;

    while (begun < chosen.runs || running) {
        if (begun < chosen.runs && running < chosen.together) {
            for (chosen.slot = 0; pids[chosen.slot];)
                chosen.slot++;
            seeds[chosen.slot] = chosen.seed;
            begin_run(&pids[chosen.slot]);
            chosen.seed++;
            begun++;
            running++;
            continue;
        }
        end_run(pids, seeds, &status);
        running--;
        good += status == 0;
        given_up += WIFEXITED(status) && WEXITSTATUS(status) == GIVEN_UP;
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value) {
            *value = 0;
            set(argv[i], value + 1);
        }
    }
    if (chosen.together > TOGETHER_MOST)
        chosen.together = TOGETHER_MOST;
    setvbuf(stdout, NULL, _IOLBF, 0);
    run_all();
    printf("%s, %s opens: %u of %u runs", flow_names[chosen.flow], chosen.peer_opens ? peer_name : "Towpath",
           good, chosen.runs);
    if (given_up)
        printf("; %u given up half open by %s", given_up, peer_name);
    printf("\n");
    return good + given_up != chosen.runs || given_up > chosen.runs / 20;
}
