/* sim/threads/work_tcp.c - TCP: streams whose bytes are checked, questions and answers, and connections that
 * are made and broken off. */
#include "sim/threads/work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { BULK_PORT = 5001, ECHO_PORT = 5002, CHURN_PORT = 5003 };
enum { CHUNK = 8192, BULK = 200000, QUESTIONS = 40, QUESTION = 300 };

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset ^ offset >> 8);
}

static void fill(uint8_t *data, uint64_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = byte_at(offset + i);
}

static void check(const uint8_t *data, uint64_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (data[i] != byte_at(offset + i))
            panic("byte %lu of a stream is wrong", offset + i);
}

static void set_time_outs(struct sock *sk)
{
    struct {
        int64_t seconds, microseconds;
    } t = { 20, 0 };

    sock_setsockopt(sk, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    sock_setsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static struct sock *open_socket(unsigned host)
{
    struct sock *sk;

    return sock_create(world.hosts[host].net, AF_INET, SOCK_STREAM, 0, &sk) ? NULL : sk;
}

static struct sock *listen_on(unsigned host, uint16_t port, int backlog)
{
    struct sock *sk = open_socket(host);

    if (!sk)
        return NULL;
    vk_setsockopt_int(sk, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!vk_bind(sk, NULL, port) && !vk_listen(sk, backlog))
        return sk;
    vk_close(sk);
    return NULL;
}

static struct sock *connect_to(unsigned from, unsigned to, uint16_t port)
{
    struct sock *sk = open_socket(from);

    if (!sk)
        return NULL;
    set_time_outs(sk);
    if (!vk_connect(sk, world_address(from, to), port))
        return sk;
    vk_close(sk);
    return NULL;
}

/* ---- bulk: acceptors read to the end, checking; then one byte back ---- */

static uint64_t read_all(struct sock *sk)
{
    uint8_t data[CHUNK];
    uint64_t offset = 0;
    ssize_t n;

    while ((n = vk_recv(sk, data, sizeof data, 0)) > 0) {
        check(data, offset, (size_t)n);
        offset += (uint64_t)n;
    }
    return offset;
}

static struct sock *bulk_listeners[HOSTS], *echo_listeners[HOSTS];

static void bulk_server(void *arg)
{
    while (work_goes_on()) {
        struct sock *sk = vk_accept(bulk_listeners[arg_host(arg)], NULL);
        if (!sk)
            continue;
        set_time_outs(sk);
        if (read_all(sk) == BULK && vk_send(sk, "!", 1, MSG_NOSIGNAL) == 1)
            work_count("streams");
        vk_close(sk);
    }
}

static void write_all(struct sock *sk)
{
    uint8_t data[CHUNK];
    uint64_t offset = 0;

    while (offset < BULK) {
        size_t n = MIN((size_t)(BULK - offset), (size_t)(1 + threads_chance(sizeof data)));
        fill(data, offset, n);
        ssize_t sent = vk_send(sk, data, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        offset += (uint64_t)sent;
    }
}

static void bulk_client(void *arg)
{
    unsigned from = arg_host(arg), to = arg_n(arg);
    char answer;

    while (work_goes_on()) {
        struct sock *sk = connect_to(from, to, BULK_PORT);
        if (!sk)
            continue;
        write_all(sk);
        sock_shutdown(sk, 1);
        if (vk_recv(sk, &answer, 1, 0) == 1)
            work_count("answers to streams");
        vk_close(sk);
    }
}

/* ---- questions and answers: one process writes, another reads, on either end ---- */

static void echo_back(struct sock *sk)
{
    uint8_t data[QUESTION];
    ssize_t n;

    while ((n = vk_recv(sk, data, sizeof data, 0)) > 0)
        if (vk_send_all(sk, data, (size_t)n) < 0)
            break;
}

static void echo_server(void *arg)
{
    while (work_goes_on()) {
        struct sock *sk = vk_accept(echo_listeners[arg_host(arg)], NULL);
        if (!sk)
            continue;
        set_time_outs(sk);
        vk_setsockopt_int(sk, IPPROTO_TCP, TCP_NODELAY, 1);
        echo_back(sk);
        vk_close(sk);
    }
}

static void questioner(void *arg)
{
    struct passed_file *f = arg;
    uint8_t data[QUESTION];

    for (unsigned i = 0; i < QUESTIONS && work_goes_on(); i++) {
        fill(data, i * QUESTION, sizeof data);
        if (vk_send_all(passed_file_sock(f), data, sizeof data) < 0)
            break;
    }
    sock_shutdown(passed_file_sock(f), 1);
    passed_file_put(f);
}

static bool readable(void *sk)
{
    return sock_poll(sk) & (POLLIN | POLLERR | POLLHUP);
}

static void hear_answers(struct sock *sk)
{
    uint8_t data[QUESTION];
    uint64_t offset = 0;
    ssize_t n;

    while (process_poll(sock_waitq(sk), readable, sk, time_now() + sec(20))) {
        n = vk_recv(sk, data, sizeof data, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && n != -EAGAIN))
            break;
        if (n < 0)
            continue;
        check(data, offset, (size_t)n);
        offset += (uint64_t)n;
    }
    if (offset == QUESTIONS * QUESTION)
        work_count("rounds of questions");
}

/* The questioner is a process of its own; its socket is ours too. */
static void echo_client(void *arg)
{
    unsigned from = arg_host(arg), to = arg_n(arg);

    while (work_goes_on()) {
        struct sock *sk = connect_to(from, to, ECHO_PORT);
        struct passed_file *f = sk ? threads_file(sk) : NULL;
        if (!f) {
            if (sk)
                vk_close(sk);
            continue;
        }
        passed_file_get(f);
        struct process *p = process_start("questioner", questioner, f);
        hear_answers(sk);
        process_interrupt(p);
        process_join(p);
        passed_file_put(f);
    }
}

void start_tcp(void)
{
    static const uint8_t pairs[][2] = {
        { HOST_A, HOST_B }, { HOST_B, HOST_A }, { HOST_A, HOST_C }, { HOST_A, HOST_A }
    };

    for (unsigned host = 0; host < HOSTS; host++) {
        bulk_listeners[host] = listen_on(host, BULK_PORT, 4);
        echo_listeners[host] = listen_on(host, ECHO_PORT, 4);
        for (unsigned n = 0; n < 2 && bulk_listeners[host]; n++)
            work_process("bulk server", bulk_server, work_arg(host, n));
        for (unsigned n = 0; n < 2 && echo_listeners[host]; n++)
            work_process("echo server", echo_server, work_arg(host, n));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        work_process("bulk client", bulk_client, work_arg(pairs[i][0], pairs[i][1]));
        work_process("echo client", echo_client, work_arg(pairs[i][0], pairs[i][1]));
    }
}

void end_tcp(void)
{
    for (unsigned host = 0; host < HOSTS; host++) {
        if (bulk_listeners[host])
            vk_close(bulk_listeners[host]);
        if (echo_listeners[host])
            vk_close(echo_listeners[host]);
    }
}

/* ---- connections that come and go ---- */

static void churn_server(void *arg)
{
    while (work_goes_on()) {
        struct sock *sk = listen_on(arg_host(arg), CHURN_PORT, 3), *child;
        if (!sk) { /* the other one has the port */
            process_sleep(ms(5));
            continue;
        }
        for (unsigned i = 0; i < 30 && work_goes_on(); i++) {
            if (sock_accept(sk, MSG_DONTWAIT, &child)) {
                process_sleep(ms(3));
                continue;
            }
            work_count("accepted");
            if (threads_chance(2))
                vk_send(child, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            vk_close(child);
        }
        vk_close(sk); /* connections that nobody accepted go with it */
    }
}

static void break_off(struct sock *sk)
{
    struct {
        int32_t on, seconds;
    } linger = { 1, 0 };
    char byte;

    switch (threads_chance(4)) {
    case 0:
        sock_setsockopt(sk, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        break; /* close() resets */
    case 1:
        vk_send(sk, "y", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        break;
    case 2:
        sock_shutdown(sk, (int)threads_chance(3));
        break;
    default:
        vk_recv(sk, &byte, 1, MSG_DONTWAIT);
    }
}

static void churn_client(void *arg)
{
    unsigned from = arg_host(arg), to = arg_n(arg);

    while (work_goes_on()) {
        struct sock *sk = open_socket(from);
        if (!sk)
            continue;
        struct sockaddr_in in = { .sin_family = AF_INET };
        in.sin_port = htons(CHURN_PORT);
        in.sin_addr.s_addr = htonl(vk_parse_ip(world_address(from, to), NULL));
        int err = sock_connect(sk, (struct sockaddr *)&in, sizeof in, threads_chance(4) ? 0 : MSG_DONTWAIT);
        work_count(err == 0 ? "connected" : err == -ECONNREFUSED ? "refused" : "not connected");
        break_off(sk);
        vk_close(sk);
    }
}

void start_churn(void)
{
    for (unsigned host = 0; host < HOSTS; host++)
        for (unsigned n = 0; n < 2; n++)
            work_process("churn server", churn_server, work_arg(host, n));
    for (unsigned from = 0; from < HOSTS; from++)
        for (unsigned to = 0; to < 2; to++)
            work_process("churn client", churn_client, work_arg(from, to));
}
