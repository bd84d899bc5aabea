/* net/netlink/netlink_request.c - messages to the kernel: found their handler, and answered.
 *
 * A request for one thing is answered by one message; one that changes something by an acknowledgement if it
 * asks for one or has failed; a dump by as many as it takes, each made when there is room for it in the
 * reader's buffer, and NLMSG_DONE. What is done, is done within net_config_begin() and _end(). */
#include "lib/string.h"
#include "net/netlink/netlink.h"

/* Of an answer, and of one part of a dump: programs read them into 4096 bytes. */
enum { ANSWER_ROOM = 3776 };
/* RTM_*: new, del, get, set; the last of Linux's, as nobody may do what does not exist. */
enum { KIND_MASK = 3, KIND_GET = 2, TYPES_MOST = 127 };

/* ---- acknowledgements ---- */

static void fail(struct netlink_sock *nl)
{
    lock_acquire(&nl->queue_lock);
    nl->sk.err = ENOBUFS;
    sock_wake(&nl->sk);
    lock_release(&nl->queue_lock);
}

static void put_complaint(struct nlmsg *m, const struct nl_input *in)
{
    if (in->text)
        nl_put_string(m, NLMSGERR_ATTR_MSG, in->text);
    if (in->offset)
        nl_put_u32(m, NLMSGERR_ATTR_OFFS, in->offset);
}

/* err with the request that caused it: its header, and all of it if it failed and the program has not said
 * that this is too much (NETLINK_CAP_ACK). */
static void acknowledge(struct netlink_sock *nl, const struct nl_request *r, int err)
{
    const struct nlmsghdr *h = r->in.message;
    const bool words = nl->ext_ack && err && (r->in.text || r->in.offset);
    const uint32_t quoted = err && !nl->cap_ack ? h->nlmsg_len - NLMSG_HDRLEN : 0;
    const struct nlmsgerr answer = { .error = err, .msg = *h };
    const struct nl_to to = { .portid = r->to.portid,
                              .seq = r->to.seq,
                              .flags = (uint16_t)((err && !nl->cap_ack ? 0 : NLM_F_CAPPED) |
                                                  (words ? NLM_F_ACK_TLVS : 0)) };
    struct sk_buff *skb = alloc_skb(r->net, NLMSG_ALIGN(quoted) + 256);

    if (!skb) {
        fail(nl);
        return;
    }
    struct nlmsg m = nlmsg_begin(skb, &to, NLMSG_ERROR, &answer, sizeof answer);
    if (quoted)
        nlmsg_copy(&m, h + 1, quoted);
    if (words)
        put_complaint(&m, &r->in);
    if (nlmsg_end(&m))
        netlink_deliver_or_lose(nl, skb);
    else
        consume_skb(skb);
}

/* ---- dumps ---- */

void netlink_dump_end(struct netlink_dump *d)
{
    mem_free((void *)(uintptr_t)d->request.in.message);
    d->request = (struct nl_request){ .net = NULL };
    d->finished = false;
    d->status = 0;
    WRITE_ONCE(d->handler, NULL); /* /proc/net/netlink looks at it meanwhile */
}

/* The last message. */
static void put_done(const struct netlink_sock *nl, struct sk_buff *skb)
{
    const struct netlink_dump *d = &nl->dump;
    const bool moved = d->generation != READ_ONCE(d->request.net->nl.generation);
    const bool words = nl->ext_ack && d->status && d->request.in.text;
    struct nl_to to = d->request.to;

    to.flags |= (moved ? NLM_F_DUMP_INTR : 0) | (words ? NLM_F_ACK_TLVS : 0);
    struct nlmsg m = nlmsg_begin(skb, &to, NLMSG_DONE, &d->status, sizeof d->status);
    if (words)
        put_complaint(&m, &d->request.in);
    nlmsg_end(&m);
}

/* Let the handler write into skb. -EINTR: it did not come to it. */
static int fill_part(struct netlink_dump *d, struct sk_buff *skb)
{
    struct net *net = d->request.net;
    int err = net_config_begin(net);

    if (err)
        return err;
    d->request.skb = skb;
    int more = d->handler->dump(&d->request);
    net_config_end(net);
    if (more > 0 && !skb->len)
        more = -EMSGSIZE; /* one message is longer than a whole part */
    d->finished = more <= 0;
    d->status = MIN(more, 0);
    return 0;
}

/* The next part. The reader's turn held, no lock. */
static void dump_part(struct netlink_sock *nl)
{
    struct netlink_dump *d = &nl->dump;
    struct sk_buff *skb = alloc_skb(nl->sk.net, ANSWER_ROOM);

    if (!skb) {
        fail(nl);
        return;
    }
    if (!d->finished && fill_part(d, skb)) {
        consume_skb(skb);
        return;
    }
    if (!skb->len) {
        put_done(nl, skb);
        netlink_dump_end(d);
    }
    netlink_deliver_or_lose(nl, skb);
}

static bool has_room(const struct netlink_sock *nl)
{
    return __atomic_load_n(&nl->sk.rmem_alloc, __ATOMIC_RELAXED) <= nl->sk.rcvbuf / 2;
}

void netlink_dump_more(struct netlink_sock *nl)
{
    struct sock *sk = &nl->sk;

    if (!READ_ONCE(nl->dump.handler))
        return;
    lock_acquire(&sk->lock);
    int err = sock_lock_reader(sk, TIME_NEVER);
    lock_release(&sk->lock);
    if (err)
        return;
    if (nl->dump.handler && has_room(nl))
        dump_part(nl);
    lock_acquire(&sk->lock);
    sock_unlock_reader(sk);
    lock_release(&sk->lock);
}

/* Note the dump that r asks for. The reader's turn held. */
static int begin_dump(struct netlink_sock *nl, const struct nl_request *r, const struct nl_handler *handler)
{
    const uint32_t n = r->in.message->nlmsg_len;
    struct netlink_dump *d = &nl->dump;

    if (d->handler)
        return -EBUSY;
    struct nlmsghdr *copy = mem_alloc(n);
    if (!copy)
        return -ENOBUFS;
    memcpy(copy, r->in.message, n);
    d->request = *r;
    d->request.in.message = copy;
    d->request.to.flags = NLM_F_MULTI;
    d->finished = false;
    d->generation = READ_ONCE(r->net->nl.generation);
    WRITE_ONCE(d->handler, handler);
    return 0;
}

static int start_dump(struct netlink_sock *nl, const struct nl_request *r, const struct nl_handler *handler)
{
    struct sock *sk = &nl->sk;

    lock_acquire(&sk->lock);
    int err = sock_lock_reader(sk, TIME_NEVER);
    lock_release(&sk->lock);
    if (err)
        return err;
    err = begin_dump(nl, r, handler);
    lock_acquire(&sk->lock);
    sock_unlock_reader(sk);
    lock_release(&sk->lock);
    if (!err)
        netlink_dump_more(nl);
    return err;
}

/* ---- requests ---- */

enum { ANSWERED = 1 };

static bool is_get(const struct netlink_sock *nl, const struct nlmsghdr *h)
{
    return nl->sk.protocol != NETLINK_ROUTE || (h->nlmsg_type & KIND_MASK) == KIND_GET;
}

/* Run handler's doit. */
static int serve(struct netlink_sock *nl, struct nl_request *r, const struct nl_handler *handler)
{
    struct nl_state *state = &r->net->nl;
    int err = net_config_begin(r->net);

    if (err)
        return err;
    state->cause = r->to;
    WRITE_ONCE(state->echo, r->in.message->nlmsg_flags & NLM_F_ECHO);
    err = handler->doit(r);
    WRITE_ONCE(state->echo, false);
    state->cause = (struct nl_to){ 0 };
    net_config_end(r->net);
    if (!err && r->skb) {
        netlink_deliver_or_lose(nl, r->skb);
        r->skb = NULL;
    }
    return err;
}

static int serve_get(struct netlink_sock *nl, struct nl_request *r, const struct nl_handler *handler)
{
    r->skb = alloc_skb(r->net, ANSWER_ROOM);
    if (!r->skb)
        return -ENOBUFS;
    int err = serve(nl, r, handler);
    consume_skb(r->skb);
    return err;
}

static int dump_nothing(struct nl_request *r)
{
    (void)r;
    return 0;
}
static const struct nl_handler nothing = { .dump = dump_nothing };

/* Who dumps type for family: where nobody does, but for another one, there is nothing to tell. */
static const struct nl_handler *find_dump(struct netlink_sock *nl, uint16_t type, uint8_t family)
{
    const struct nl_handler *h = nl_find(nl->sk.net, nl->sk.protocol, type, family);

    if (!h && nl_find(nl->sk.net, nl->sk.protocol, type, AF_UNSPEC))
        return &nothing;
    return h && h->dump ? h : NULL;
}

/* 0 or -errno: to be acknowledged; ANSWERED: not any more. */
static int dispatch(struct netlink_sock *nl, struct nl_request *r)
{
    const struct nlmsghdr *h = r->in.message;
    struct credentials me;

    if (h->nlmsg_len == NLMSG_HDRLEN)
        return 0; /* as Linux: it asks for nothing */
    uint8_t family = *(const uint8_t *)(h + 1);
    bool get = is_get(nl, h);
    if (h->nlmsg_type > TYPES_MOST)
        return -EOPNOTSUPP;
    credentials_now(&me);
    r->uid = me.uid;
    if (!get && !me.net_admin)
        return -EPERM;
    r->in.strict = nl->strict && get;
    if (get && h->nlmsg_flags & NLM_F_DUMP) {
        const struct nl_handler *dumper = find_dump(nl, h->nlmsg_type, family);
        int err = dumper ? start_dump(nl, r, dumper) : -EOPNOTSUPP;
        return err ? err : ANSWERED;
    }
    const struct nl_handler *handler = nl_find(nl->sk.net, nl->sk.protocol, h->nlmsg_type, family);
    if (!handler || !handler->doit)
        return -EOPNOTSUPP;
    return get ? serve_get(nl, r, handler) : serve(nl, r, handler);
}

static void serve_message(struct netlink_sock *nl, const struct nlmsghdr *h)
{
    struct nl_request r = { .net = nl->sk.net,
                            .in = { .message = h },
                            .to = { .portid = READ_ONCE(nl->portid), .seq = h->nlmsg_seq } };
    int err = 0;

    if (h->nlmsg_flags & NLM_F_REQUEST && h->nlmsg_type >= NLMSG_MIN_TYPE)
        err = dispatch(nl, &r);
    if (err == ANSWERED)
        return;
    if (err || h->nlmsg_flags & NLM_F_ACK)
        acknowledge(nl, &r, err);
}

void netlink_serve(struct netlink_sock *nl, const void *data, size_t n)
{
    const uint8_t *p = data, *end = p + n;

    while ((size_t)(end - p) >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)p;
        if (h->nlmsg_len < sizeof *h || h->nlmsg_len > (size_t)(end - p))
            return; /* as Linux: nobody can say which request this would answer */
        serve_message(nl, h);
        p += MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), (size_t)(end - p));
    }
}
