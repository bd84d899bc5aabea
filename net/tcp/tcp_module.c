/* net/tcp/tcp_module.c - TCP in a struct net: made, registered, taken down.
 * Connections that outlive their user (FIN-WAIT, TIME-WAIT) end here at the latest. */
#include "net/tcp/tcp.h"

const struct sock_ops tcp_sock_ops = {
    .size = sizeof(struct tcp_sock),
    .init = tcp_init_sock,
    .destroy = tcp_destroy_sock,
    .close = tcp_close,
    .bind = tcp_bind,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .connect = tcp_connect,
    .sendmsg = tcp_sendmsg,
    .recvmsg = tcp_recvmsg,
    .shutdown = tcp_shutdown,
    .getname = tcp_getname,
    .setsockopt = tcp_setsockopt,
    .getsockopt = tcp_getsockopt,
    .option_set = tcp_option_set,
    .ioctl = tcp_ioctl,
    .poll = tcp_poll,
};

static void state_init(struct tcp_state *tcp)
{
    tcp_table_init(&tcp->table);
    port_table_init(&tcp->ports, "tcp ports");
    random_bytes(&tcp->isn_key, sizeof tcp->isn_key);
    tcp->family = (struct sock_family){
        .family = AF_INET, .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .ops = &tcp_sock_ops
    };
}

static int tcp_module_init(struct net *net)
{
    net->tcp = mem_alloc(sizeof *net->tcp);
    if (!net->tcp)
        return -ENOMEM;
    state_init(net->tcp);
    net->tcp->net = net;
    int err = tcp_mem_init(net);
    if (err)
        goto free;
    err = tcp_timewaits_init(net);
    if (err)
        goto end_mem;
    err = tcp_syncache_init(net);
    if (err)
        goto end_timewaits;
    err = inet_add_protocol(net, &tcp_protocol, IPPROTO_TCP);
    if (err)
        goto end_syncache;
    sock_register(net, &net->tcp->family);
    tcp_proc_init(net);
    tcp_sysctl_init(net);
    return 0;
end_syncache:
    tcp_syncache_exit(net);
end_timewaits:
    tcp_timewaits_exit(net);
end_mem:
    tcp_mem_exit(net);
free:
    mem_free(net->tcp);
    net->tcp = NULL;
    return err;
}

static void end_connection(struct tcp_sock *tp)
{
    tcp_timers_cancel_sync(tp);
    lock_acquire(&tp->sk.lock);
    tcp_done(tp);
    lock_release(&tp->sk.lock);
    sock_put(&tp->sk);
}

static void end_connections(struct net *net)
{
    struct tcp_node *node;
    while ((node = tcp_hash_walk(net, &(struct tcp_cursor){ 0 })))
        end_connection(tcp_node_sock(node));
}

static void tcp_module_exit(struct net *net)
{
    net_sysctl_unregister(&net->tcp->sysctls);
    tcp_proc_exit(net);
    sock_unregister(net, &net->tcp->family);
    inet_del_protocol(net, IPPROTO_TCP);
    tcp_syncache_exit(net);
    tcp_timewaits_exit(net);
    end_connections(net);
    tcp_mem_exit(net);
    mem_free(net->tcp);
    net->tcp = NULL;
}

const struct net_module tcp_module = { .name = "tcp", .init = tcp_module_init, .exit = tcp_module_exit };
