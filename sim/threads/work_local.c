/* sim/threads/work_local.c - local sockets: pairs, names in the file system and abstract ones, and open files
 * on their way in messages, sockets among them that are sent through each other. */
#include "sim/threads/work.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { FILES_MOST = 3, NAMES = 3 };

static socklen_t name_of(unsigned n, struct sockaddr_un *un)
{
    *un = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(un->sun_path + (n & 1), sizeof un->sun_path - 1, "/local%u", n);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 10);
}

static ssize_t send_files(struct sock *sk, struct sock *sent, int flags)
{
    char byte = 'f';
    struct io_vector v = { (uintptr_t)&byte, 1 };
    struct message msg = { .files = passed_files_alloc(FILES_MOST) };

    if (msg.files && sent) { /* takes the reference */
        struct passed_file *f = threads_file(sent);
        if (f)
            msg.files->file[msg.files->n++] = f;
        else
            sock_release(sent);
    } else if (sent) {
        sock_release(sent);
    }
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    ssize_t n = sock_sendmsg(sk, &msg, flags | MSG_NOSIGNAL);
    passed_files_free(msg.files);
    return n;
}

static ssize_t receive_files(struct sock *sk, int flags)
{
    char data[100];
    struct io_vector v = { (uintptr_t)data, sizeof data };
    struct message msg = { .control = NULL };

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    ssize_t n = sock_recvmsg(sk, &msg, flags);
    if (msg.files)
        work_count("messages with files");
    passed_files_free(msg.files);
    return n;
}

/* ---- pairs ---- */

static void pair_reader(void *arg)
{
    struct passed_file *f = arg;

    while (work_goes_on() && receive_files(passed_file_sock(f), 0) > 0)
        work_count("messages");
    passed_file_put(f);
}

static void pair_user(void *arg)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
    struct net *net = world.hosts[arg_host(arg)].net;

    while (work_goes_on()) {
        struct sock *pair[2], *other[2];
        if (sock_pair(net, AF_UNIX, types[threads_chance(3)], 0, pair))
            continue;
        struct passed_file *f = threads_file(pair[1]);
        if (!f) {
            sock_release(pair[0]);
            sock_release(pair[1]);
            continue;
        }
        struct process *p = process_start("pair reader", pair_reader, f);
        for (unsigned i = 0; i < 20; i++) {
            bool extra = threads_chance(2) && !sock_pair(net, AF_UNIX, SOCK_STREAM, 0, other);
            if (extra) { /* a socket that lies in its own peer's queue: what the collector is for */
                send_files(other[0], NULL, MSG_DONTWAIT);
                sock_release(other[0]);
            }
            send_files(pair[0], extra ? other[1] : NULL, MSG_DONTWAIT);
        }
        sock_shutdown(pair[0], 2);
        process_interrupt(p);
        process_join(p);
        sock_release(pair[0]);
    }
}

/* Two sockets in each other's queues, and nobody else holds them. */
static void cycle_maker(void *arg)
{
    struct net *net = world.hosts[arg_host(arg)].net;

    while (work_goes_on()) {
        struct sock *pair[2];
        if (sock_pair(net, AF_UNIX, SOCK_DGRAM, 0, pair))
            continue;
        struct passed_file *a = threads_file(pair[0]), *b = threads_file(pair[1]);
        for (unsigned i = 0; a && b && i < 2; i++) {
            struct passed_files *files = passed_files_alloc(2);
            char byte = 'c';
            struct io_vector v = { (uintptr_t)&byte, 1 };
            struct message msg = { .files = files };
            if (!files)
                break;
            passed_file_get(a);
            passed_file_get(b);
            files->n = 2;
            files->file[0] = a;
            files->file[1] = b;
            iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
            if (sock_sendmsg(pair[i], &msg, MSG_DONTWAIT) > 0)
                work_count("cycles");
            passed_files_free(msg.files);
        }
        if (a)
            passed_file_put(a);
        else
            sock_release(pair[0]);
        if (b)
            passed_file_put(b);
        else
            sock_release(pair[1]);
    }
}

/* ---- names ---- */

static void name_server(void *arg)
{
    struct net *net = world.hosts[arg_host(arg)].net;

    while (work_goes_on()) {
        struct sockaddr_un un;
        socklen_t len = name_of(arg_n(arg) % NAMES, &un);
        struct sock *sk, *child;
        if (sock_create(net, AF_UNIX, SOCK_STREAM, 0, &sk))
            continue;
        if (!sock_bind(sk, (struct sockaddr *)&un, len) && !sock_listen(sk, 2))
            for (unsigned i = 0; i < 30 && work_goes_on(); i++) {
                if (sock_accept(sk, MSG_DONTWAIT, &child)) {
                    process_sleep(ms(2));
                    continue;
                }
                receive_files(child, MSG_DONTWAIT);
                sock_release(child);
                work_count("accepted");
            }
        sock_release(sk);
    }
}

static void name_client(void *arg)
{
    struct net *net = world.hosts[arg_host(arg)].net;

    while (work_goes_on()) {
        struct sockaddr_un un;
        socklen_t len = name_of((unsigned)threads_chance(NAMES), &un);
        struct sock *sk;
        if (sock_create(net, AF_UNIX, SOCK_STREAM, 0, &sk))
            continue;
        if (!sock_connect(sk, (struct sockaddr *)&un, len, MSG_DONTWAIT)) {
            work_count("connected");
            send_files(sk, NULL, MSG_DONTWAIT);
        } else {
            process_sleep(ms(1));
        }
        sock_release(sk);
    }
}

static void file_reader(void *arg)
{
    char *text = mem_alloc(1 << 16);
    struct net *net = world.hosts[arg_host(arg)].net;
    const struct net_proc_file *f = net_proc_find(net, "unix");

    while (work_goes_on() && text && f) {
        struct textbuf out = { .buf = text, .size = 1 << 16 };
        f->show(net, &out);
        process_sleep(ms(2));
    }
    mem_free(text);
}

void start_local(void)
{
    for (unsigned host = 0; host < 2; host++) {
        for (unsigned n = 0; n < 2; n++)
            work_process("pair user", pair_user, work_arg(host, n));
        work_process("cycle maker", cycle_maker, work_arg(host, 0));
        for (unsigned n = 0; n < NAMES + 1; n++)
            work_process("name server", name_server, work_arg(host, n));
        for (unsigned n = 0; n < 3; n++)
            work_process("name client", name_client, work_arg(host, n));
        work_process("file reader", file_reader, work_arg(host, 0));
    }
}
