/* sim/example/transfer.c - how the library is used: two kernels on a lossy wire, one megabyte from one to the
 * other.
 *
 *     usage: transfer [SEED [CAPTURE.pcapng]]
 *
 * Prints how long it took in virtual time and the digest; the same seed prints the same. */
#include "sim/towpath.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { SIZE = 1 << 20, PORT = 5001 };

static void must(const char *what, int64_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "transfer: %s: %s\n", what, strerror((int)-result));
    exit(1);
}

static struct tp_kernel *host(const char *name, struct tp_wire *wire, const char *address)
{
    struct tp_kernel *k = tp_kernel_create(name);

    must("device", tp_device_add(k, "eth0", wire, NULL));
    must("address", tp_address_set(k, "eth0", address));
    return k;
}

static int64_t call(struct tp_process *p, long number, int64_t a, const void *b, int64_t c)
{
    return tp_syscall(p, number, a, (int64_t)(intptr_t)b, c, 0, 0, 0);
}

/* A connection between the two: its ends' descriptors. */
static void join(struct tp_process *client, struct tp_process *server, int64_t *out, int64_t *in)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    struct sockaddr_in to = any;
    int64_t listener = tp_syscall(server, SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0);

    inet_pton(AF_INET, "10.0.0.2", &to.sin_addr);
    must("bind", call(server, SYS_bind, listener, &any, sizeof any));
    must("listen", tp_syscall(server, SYS_listen, listener, 1, 0, 0, 0, 0));
    *out = tp_syscall(client, SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
    must("connect", call(client, SYS_connect, *out, &to, sizeof to));
    *in = tp_syscall(server, SYS_accept, listener, 0, 0, 0, 0, 0);
    must("accept", *in);
}

/* One write that waits for room as often as it must, while the other side reads. */
static size_t transfer(struct tp_process *client, int64_t out, struct tp_process *server, int64_t in)
{
    static char sent[SIZE], got[SIZE];
    struct tp_call *writing;
    size_t n = 0;
    int64_t result;

    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (char)(i * 2654435761u >> 13);
    writing = tp_call_begin(client, SYS_write, (const int64_t[6]){ out, (intptr_t)sent, SIZE });
    while (n < SIZE && (result = call(server, SYS_read, in, got + n, (int64_t)(SIZE - n))) > 0)
        n += (size_t)result;
    must("write", tp_call_done(writing, &result) ? result : -1);
    tp_call_end(writing);
    return memcmp(sent, got, SIZE) ? 0 : n;
}

int main(int argc, char **argv)
{
    const struct tp_world world = { .seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1 };
    const struct tp_link link = { .delay_ns = 10000000, .bits_per_second = 100000000, .loss = 10000 };
    struct tp_process *client, *server;
    struct tp_kernel *a, *b;
    struct tp_wire *wire;
    int64_t out, in;
    size_t n;

    must("start", tp_start(&world));
    wire = tp_wire_create("wire", &link);
    if (argc > 2)
        must(argv[2], tp_wire_capture(wire, argv[2]));
    a = host("a", wire, "10.0.0.1/24");
    b = host("b", wire, "10.0.0.2/24");
    client = tp_process_create(a);
    server = tp_process_create(b);
    join(client, server, &out, &in);
    n = transfer(client, out, server, in);
    printf("%zu bytes in %.3f s of virtual time, digest %016llx\n", n, (double)tp_now() / 1e9,
           (unsigned long long)tp_digest());
    tp_process_exit(client);
    tp_process_exit(server);
    tp_run_for(300000000000u); /* TIME-WAIT, and what else the kernels remember for a while */
    tp_kernel_destroy(a);
    tp_kernel_destroy(b);
    tp_wire_destroy(wire);
    tp_end();
    return n == SIZE ? 0 : 1;
}
