/* net/netlink/af_netlink.c - netlink sockets, netlink(7): names, groups, options, and the way to the kernel.
 * A socket has a port id once it is bound, by bind() or by its first message: its process's number, if that
 * is free. A message to port 0 is for the kernel and is served before sendmsg() returns. */
#include "lib/string.h"
#include "net/netlink/netlink.h"

/* ---- names ---- */

/* NETLINK_TABLE lock held. */
static bool portid_taken(const struct netlink_state *state, uint32_t portid)
{
    const struct netlink_sock *nl;

    list_for_each_entry (nl, &state->sockets, link)
        if (nl->portid == portid)
            return true;
    return false;
}

/* The process's number, or else one that no process has. NETLINK_TABLE lock held. */
static uint32_t free_portid(const struct netlink_state *state)
{
    struct credentials me;

    credentials_now(&me);
    uint32_t portid = (uint32_t)me.pid;
    while (!portid || portid_taken(state, portid))
        portid = random_u32() | 1u << 31;
    return portid;
}

/* Bind nl to portid; 0: to whichever is free, or as it is. 0, -EADDRINUSE or, if it is bound already,
 * -EINVAL. */
static int take_portid(struct netlink_sock *nl, uint32_t portid)
{
    struct netlink_state *state = nl->sk.net->netlink;
    int err = 0;

    lock_acquire(&state->lock);
    if (nl->portid)
        err = portid && portid != nl->portid ? -EINVAL : 0;
    else if (portid && portid_taken(state, portid))
        err = -EADDRINUSE;
    else
        nl->portid = portid ? portid : free_portid(state);
    lock_release(&state->lock);
    return err;
}

/* What is listened to by anybody. NETLINK_TABLE lock held. */
static void count_listeners(struct net *net)
{
    const struct netlink_sock *nl;
    uint64_t groups = 0;

    list_for_each_entry (nl, &net->netlink->sockets, link)
        if (nl->sk.protocol == NETLINK_ROUTE)
            groups |= nl->groups;
    WRITE_ONCE(net->nl.listeners, groups);
}

static void set_groups(struct netlink_sock *nl, uint64_t mask, uint64_t groups)
{
    struct net *net = nl->sk.net;

    lock_acquire(&net->netlink->lock);
    nl->groups = (nl->groups & ~mask) | (groups & mask);
    count_listeners(net);
    lock_release(&net->netlink->lock);
}

static int parse_name(const struct sockaddr *addr, socklen_t len, struct sockaddr_nl *name)
{
    if (len < sizeof *name)
        return -EINVAL;
    memcpy(name, addr, sizeof *name);
    return name->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

/* nl_groups has group 1 in its lowest bit; those above 32 are joined by option. */
static int netlink_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_nl name;
    int err = parse_name(addr, len, &name);

    if (!err && !name.nl_pid && READ_ONCE(netlink_sk(sk)->portid))
        err = -EINVAL; /* as Linux: another port is asked for than it has */
    if (!err)
        err = take_portid(netlink_sk(sk), name.nl_pid);
    if (!err)
        set_groups(netlink_sk(sk), (uint64_t)UINT32_MAX << 1, (uint64_t)name.nl_groups << 1);
    return err;
}

static bool is_admin(void)
{
    struct credentials me;

    credentials_now(&me);
    return me.net_admin;
}

static int netlink_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    struct netlink_sock *nl = netlink_sk(sk);
    struct sockaddr_nl name;

    (void)flags;
    if (len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC) {
        nl->peer = 0;
        return 0;
    }
    int err = parse_name(addr, len, &name);
    if (!err && (name.nl_pid || name.nl_groups) && !is_admin())
        err = -EPERM; /* who else may speak to other programs this way? */
    if (!err)
        err = take_portid(nl, 0);
    if (!err)
        nl->peer = name.nl_pid;
    return err;
}

static int netlink_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    const struct netlink_sock *nl = netlink_sk(sk);
    struct sockaddr_nl name = { .nl_family = AF_NETLINK };

    name.nl_pid = peer ? nl->peer : READ_ONCE(nl->portid);
    name.nl_groups = peer ? 0 : (uint32_t)(READ_ONCE(nl->groups) >> 1);
    memcpy(addr, &name, sizeof name);
    return sizeof name;
}

/* ---- send ---- */

struct destination {
    uint32_t portid, group;
};

static int find_destination(const struct netlink_sock *nl, const struct message *msg, struct destination *to)
{
    struct sockaddr_nl name;

    *to = (struct destination){ .portid = nl->peer };
    if (!msg->name_len)
        return 0;
    int err = parse_name((const struct sockaddr *)msg->name, msg->name_len, &name);
    if (err)
        return err;
    to->portid = name.nl_pid;
    to->group = name.nl_groups ? (uint32_t)__builtin_ctz(name.nl_groups) + 1 : 0;
    return (to->portid || to->group) && !is_admin() ? -EPERM : 0;
}

static int to_others(struct netlink_sock *nl, const struct destination *to, const void *data, size_t n)
{
    struct sk_buff *skb = alloc_skb(nl->sk.net, (uint32_t)n);

    if (!skb)
        return -ENOBUFS;
    skb_put_data(skb, data, (uint32_t)n);
    if (!to->group)
        return netlink_unicast(nl->sk.net, to->portid, skb, nl->portid);
    netlink_multicast(nl->sk.net, to->group, skb, nl->portid);
    return 0;
}

/* A group's message goes to the port it names, too. */
static int send(struct netlink_sock *nl, const struct destination *to, const void *data, size_t n)
{
    const struct destination port = { .portid = to->portid };
    int err = to->group ? to_others(nl, to, data, n) : 0;

    if (!err && to->portid)
        return to_others(nl, &port, data, n);
    if (!err)
        netlink_serve(nl, data, n);
    return err;
}

static ssize_t netlink_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    struct netlink_sock *nl = netlink_sk(sk);
    const size_t n = msg->iter.count;
    struct destination to;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!n)
        return -ENODATA;
    int err = find_destination(nl, msg, &to);
    if (!err)
        err = take_portid(nl, 0);
    if (!err && (sk->sndbuf < 32 || n > sk->sndbuf - 32)) /* as Linux reckons */
        err = -EMSGSIZE;
    if (err)
        return err;
    void *data = mem_alloc(n);
    if (!data)
        return -ENOBUFS;
    err = copy_from_iter(data, n, &msg->iter);
    if (!err)
        err = send(nl, &to, data, n);
    mem_free(data);
    return err ? err : (ssize_t)n;
}

/* ---- options ---- */

/* Options that are one bool of struct netlink_sock. */
static const struct flag_option {
    int option;
    uint16_t offset;
} flag_options[] = {
    { NETLINK_PKTINFO, offsetof(struct netlink_sock, pktinfo) },
    { NETLINK_BROADCAST_ERROR, offsetof(struct netlink_sock, broadcast_error) },
    { NETLINK_NO_ENOBUFS, offsetof(struct netlink_sock, no_enobufs) },
    { NETLINK_CAP_ACK, offsetof(struct netlink_sock, cap_ack) },
    { NETLINK_EXT_ACK, offsetof(struct netlink_sock, ext_ack) },
    { NETLINK_GET_STRICT_CHK, offsetof(struct netlink_sock, strict) },
};

static bool *flag_option(struct netlink_sock *nl, int option)
{
    for (unsigned i = 0; i < ARRAY_SIZE(flag_options); i++)
        if (flag_options[i].option == option)
            return (bool *)((uint8_t *)nl + flag_options[i].offset);
    return NULL;
}

static int join(struct netlink_sock *nl, uint32_t group, bool in)
{
    if (!group || group > NETLINK_GROUPS)
        return -EINVAL;
    int err = take_portid(nl, 0);
    if (!err)
        set_groups(nl, 1ull << group, in ? 1ull << group : 0);
    return err;
}

static int netlink_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    struct netlink_sock *nl = netlink_sk(sk);
    bool *flag = level == SOL_NETLINK ? flag_option(nl, option) : NULL;
    uint32_t number = 0;

    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (len >= sizeof number) /* as Linux: a shorter one is 0 */
        memcpy(&number, value, sizeof number);
    if (flag) {
        WRITE_ONCE(*flag, number != 0);
        return 0;
    }
    if (option == NETLINK_ADD_MEMBERSHIP || option == NETLINK_DROP_MEMBERSHIP)
        return join(nl, number, option == NETLINK_ADD_MEMBERSHIP);
    return -ENOPROTOOPT;
}

/* Which groups, as words of 32; *len: how many bytes that takes, whatever there was room for. */
static int list_groups(const struct netlink_sock *nl, void *value, socklen_t *len)
{
    const uint64_t groups = READ_ONCE(nl->groups) >> 1;

    memcpy(value, &groups, MIN(sizeof groups, (size_t)*len & ~(size_t)3));
    *len = sizeof groups;
    return 0;
}

static int netlink_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    struct netlink_sock *nl = netlink_sk(sk);
    const bool *flag = level == SOL_NETLINK ? flag_option(nl, option) : NULL;

    if (level == SOL_NETLINK && option == NETLINK_LIST_MEMBERSHIPS)
        return list_groups(nl, value, len);
    if (!flag)
        return -ENOPROTOOPT;
    int32_t on = *flag;
    return *len < sizeof on ? -EINVAL : sockopt_give(value, len, &on, sizeof on);
}

/* ---- /proc/net/netlink ---- */

static void show_netlink(struct net *net, struct textbuf *out)
{
    const struct netlink_sock *nl;

    textbuf_printf(
        out, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
    lock_acquire(&net->netlink->lock);
    list_for_each_entry (nl, &net->netlink->sockets, link)
        textbuf_printf(out, "%016lx %-3d %-10u %08x %-8ld %-8d %-5d %-8d %-8u %-8lu\n", 0ul, nl->sk.protocol,
                       nl->portid, (unsigned)(nl->groups >> 1), READ_ONCE(nl->sk.rmem_alloc), 0,
                       READ_ONCE(nl->dump.handler) != NULL, 2, nl->drops, nl->sk.ino);
    lock_release(&net->netlink->lock);
}

/* ---- life ---- */

static int netlink_init(struct sock *sk)
{
    struct netlink_sock *nl = netlink_sk(sk);

    if (sk->protocol != NETLINK_ROUTE)
        return -EPROTONOSUPPORT;
    lock_init(&nl->queue_lock, "netlink queue", RANK_NETLINK);
    lock_acquire(&sk->net->netlink->lock);
    list_add_tail(&nl->link, &sk->net->netlink->sockets);
    lock_release(&sk->net->netlink->lock);
    return 0;
}

static void netlink_close(struct sock *sk)
{
    struct netlink_sock *nl = netlink_sk(sk);

    lock_acquire(&sk->net->netlink->lock);
    list_del(&nl->link);
    count_listeners(sk->net);
    lock_release(&sk->net->netlink->lock);
    netlink_dump_end(&nl->dump);
}

static const struct sock_ops netlink_ops = {
    .size = sizeof(struct netlink_sock),
    .init = netlink_init,
    .close = netlink_close,
    .bind = netlink_bind,
    .connect = netlink_connect,
    .sendmsg = netlink_sendmsg,
    .recvmsg = netlink_recvmsg,
    .getname = netlink_getname,
    .setsockopt = netlink_setsockopt,
    .getsockopt = netlink_getsockopt,
    .poll = netlink_poll,
};

static int module_init(struct net *net)
{
    struct netlink_state *state = mem_alloc(sizeof *state);
    if (!state)
        return -ENOMEM;
    lock_init(&state->lock, "netlink sockets", RANK_NETLINK_TABLE);
    list_init(&state->sockets);
    state->raw = (struct sock_family){ .family = AF_NETLINK, .type = SOCK_RAW, .ops = &netlink_ops };
    state->dgram = (struct sock_family){ .family = AF_NETLINK, .type = SOCK_DGRAM, .ops = &netlink_ops };
    state->file = (struct net_proc_file){ .name = "netlink", .show = show_netlink };
    net->netlink = state;
    net->nl.publish = netlink_publish;
    sock_register(net, &state->raw);
    sock_register(net, &state->dgram);
    net_proc_register(net, &state->file);
    return 0;
}

static void module_exit(struct net *net)
{
    struct netlink_state *state = net->netlink;

    net->nl.publish = NULL;
    net_proc_unregister(net, &state->file);
    sock_unregister(net, &state->dgram);
    sock_unregister(net, &state->raw);
    net->netlink = NULL;
    mem_free(state);
}

const struct net_module netlink_module = { .name = "netlink", .init = module_init, .exit = module_exit };
