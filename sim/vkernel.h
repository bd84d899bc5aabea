/* sim/vkernel.h - a virtual kernel: one struct net with a card on a wire, configured as a machine would be.
 *
 * The vk_ calls on sockets are net/net.h's with plain arguments: they run in a task (the body of a test is
 * one), wait in virtual time, and return what the call returns: 0, a count, or -errno. Ports are in host
 * order; an address is text, "10.0.0.1", and NULL means any. */
#pragma once
#include "net/net.h"
#include "sim/vnic.h"

struct vkernel {
    struct net *net;
    struct vnic *nic;
    uint32_t addr; /* host order */
};

/* A kernel with lo and eth0 up; eth0 has address, e.g. "10.0.0.1/24", the MAC mac (NULL: 02:01:<address>) and
 * hangs on w. config: see vnic_create. Fails the test rather than return an error. */
struct vkernel *vk_create(const char *name, const char *address, const uint8_t mac[6], struct wire *w);
struct vkernel *vk_create_with(const char *name, const char *address, const uint8_t mac[6], struct wire *w,
                               const struct vnic_config *config);
/* Take it down. Fails the test if an sk_buff is left anywhere but in the ring, or lives when all is closed.
 */
void vk_destroy(struct vkernel *vk);
/* sk_buffs alive that do not lie in a receive ring. */
int64_t vk_live_skbs(const struct vkernel *vk);
/* Route to destination ("10.1.0.0/16", "0.0.0.0/0") by gateway. 0 or -errno. */
int vk_add_route(struct vkernel *vk, const char *destination, const char *gateway);
/* sock_ioctl() on a fresh datagram socket. */
int vk_ioctl(struct vkernel *vk, unsigned request, void *arg);

/* Two kernels, "a" at 10.0.0.1 and "b" at 10.0.0.2, joined by 100 Mbit/s and half a millisecond each way. */
struct vpair {
    struct wire *wire;
    struct vkernel *a, *b;
};
struct vpair vpair_create(const struct vnic_config *config);
void vpair_destroy(struct vpair *p);

/* A socket, or the test fails. type: SOCK_STREAM, SOCK_DGRAM. */
struct sock *vk_socket(struct vkernel *vk, int type);
void vk_close(struct sock *sk);
int vk_bind(struct sock *sk, const char *addr, uint16_t port);
int vk_listen(struct sock *sk, int backlog);
/* NULL and *err, or the connection. err may be NULL. */
struct sock *vk_accept(struct sock *sk, int *err);
int vk_connect(struct sock *sk, const char *addr, uint16_t port);
ssize_t vk_send(struct sock *sk, const void *data, size_t n, int flags);
ssize_t vk_recv(struct sock *sk, void *data, size_t n, int flags);
ssize_t vk_sendto(struct sock *sk, const void *data, size_t n, int flags, const char *addr, uint16_t port);
/* from may be NULL. */
ssize_t vk_recvfrom(struct sock *sk, void *data, size_t n, int flags, struct sockaddr_in *from);
/* All n bytes: n, or what the failing call returned. */
ssize_t vk_send_all(struct sock *sk, const void *data, size_t n);
/* Until n bytes came or the stream ended: how many, or -errno. */
ssize_t vk_recv_all(struct sock *sk, void *data, size_t n);
int vk_setsockopt_int(struct sock *sk, int level, int option, int value);
/* The value, or -errno. */
int vk_getsockopt_int(struct sock *sk, int level, int option);
/* The port it is bound to. */
uint16_t vk_port(struct sock *sk);

/* "10.0.0.1" in host order; fails the test if it is none. *prefix (may be NULL): the number behind a slash,
 * or 32. */
uint32_t vk_parse_ip(const char *text, unsigned *prefix);
