/* sim/vsocket.c - socket calls of a virtual kernel with plain arguments (vkernel.h). */
#include "sim/test.h"
#include "sim/vkernel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct sockaddr_in inet_address(const char *addr, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(addr ? vk_parse_ip(addr, NULL) : INADDR_ANY) };
}

struct sock *vk_socket(struct vkernel *vk, int type)
{
    struct sock *sk = NULL;
    int err = sock_create(vk->net, AF_INET, type, 0, &sk);

    if (err)
        test_fail(__FILE__, __LINE__, "sock_create() is %d (%s)", err, strerror(-err));
    return sk;
}

void vk_close(struct sock *sk)
{
    sock_release(sk);
}

int vk_bind(struct sock *sk, const char *addr, uint16_t port)
{
    struct sockaddr_in in = inet_address(addr, port);

    return sock_bind(sk, (struct sockaddr *)&in, sizeof in);
}

int vk_listen(struct sock *sk, int backlog)
{
    return sock_listen(sk, backlog);
}

struct sock *vk_accept(struct sock *sk, int *err)
{
    struct sock *child = NULL;
    int result = sock_accept(sk, 0, &child);

    if (err)
        *err = result;
    return result ? NULL : child;
}

int vk_connect(struct sock *sk, const char *addr, uint16_t port)
{
    struct sockaddr_in in = inet_address(addr, port);

    return sock_connect(sk, (struct sockaddr *)&in, sizeof in, 0);
}

static ssize_t send_message(struct sock *sk, const void *data, size_t n, int flags,
                            struct sockaddr_storage *to, socklen_t to_len)
{
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = to, .name_len = to_len };

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, flags);
}

ssize_t vk_send(struct sock *sk, const void *data, size_t n, int flags)
{
    return send_message(sk, data, n, flags, NULL, 0);
}

ssize_t vk_sendto(struct sock *sk, const void *data, size_t n, int flags, const char *addr, uint16_t port)
{
    struct sockaddr_in in = inet_address(addr, port);
    struct sockaddr_storage to = { 0 };

    memcpy(&to, &in, sizeof in);
    return send_message(sk, data, n, flags, &to, sizeof in);
}

ssize_t vk_recvfrom(struct sock *sk, void *data, size_t n, int flags, struct sockaddr_in *from)
{
    struct io_vector v = { (uintptr_t)data, n };
    struct sockaddr_storage name = { 0 };
    struct message msg = { .name = &name };
    ssize_t got;

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    got = sock_recvmsg(sk, &msg, flags);
    if (from)
        memcpy(from, &name, sizeof *from);
    return got;
}

ssize_t vk_recv(struct sock *sk, void *data, size_t n, int flags)
{
    return vk_recvfrom(sk, data, n, flags, NULL);
}

ssize_t vk_send_all(struct sock *sk, const void *data, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t sent = vk_send(sk, (const char *)data + done, n - done, MSG_NOSIGNAL);
        if (sent <= 0)
            return sent;
        done += (size_t)sent;
    }
    return (ssize_t)n;
}

ssize_t vk_recv_all(struct sock *sk, void *data, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = vk_recv(sk, (char *)data + done, n - done, 0);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int vk_setsockopt_int(struct sock *sk, int level, int option, int value)
{
    return sock_setsockopt(sk, level, option, &value, sizeof value);
}

int vk_getsockopt_int(struct sock *sk, int level, int option)
{
    int value = 0, err;
    socklen_t len = sizeof value;

    err = sock_getsockopt(sk, level, option, &value, &len);
    return err ? err : value;
}

uint16_t vk_port(struct sock *sk)
{
    struct sockaddr_storage name = { 0 };
    struct sockaddr_in in;

    CHECK(sock_getname(sk, &name, false) >= 0);
    memcpy(&in, &name, sizeof in);
    return ntohs(in.sin_port);
}
