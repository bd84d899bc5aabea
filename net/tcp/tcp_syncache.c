/* net/tcp/tcp_syncache.c - half-open connections of listeners (RFC 4987 3.5): found, answered, sent again.
 * An entry is in three places at once: in the bucket of its ends, in the queue of those whose SYN goes again
 * next, and on its listener's list, the oldest first. One lock guards all of it, and one timer serves all:
 * the entries whose SYN went equally often wait equally long, so of each queue only the first can be due.
 *
 * There may be TCP_SYN_BUCKET_MAX in a bucket, and of a listener as many as its backlog or
 * tcp_max_syn_backlog says. One more is answered by a cookie; where the sysctl forbids cookies the oldest
 * goes (RFC 4987 3.4), for whoever is honest answers soon. */
#include "net/tcp/tcp.h"

enum { PER_RUN = 256 };      /* SYNs sent again in one run of the timer */
enum { ANSWER_EVERY = 500 }; /* ms: segments that tell nothing */
enum { COOKIES_NEVER, COOKIES_WHEN_FULL, COOKIES_ALWAYS };

static struct tcp_half_open **bucket_of(struct net *net, const struct tcp_ends *ends)
{
    return &net->tcp->syncache.buckets[siphash(ends, sizeof *ends, &net->hash_key) % TCP_SYN_BUCKETS];
}

/* ---- the cache's lock held ---- */

static struct tcp_half_open *find(struct net *net, const struct tcp_ends *ends)
{
    struct tcp_half_open *h = *bucket_of(net, ends);
    while (h && !tcp_ends_equal(&h->ends, ends))
        h = h->next;
    return h;
}

static struct list_head *queue_of(struct tcp_syncache *cache, const struct tcp_half_open *h)
{
    return &cache->queues[MIN((int)h->retransmits, TCP_SYN_QUEUES - 1)];
}

/* RFC 6298 2.1, 5.5. */
static uint64_t time_out_of(const struct net *net, const struct tcp_half_open *h)
{
    uint64_t wait = READ_ONCE(net->tcp->rto.initial), most = READ_ONCE(net->tcp->rto.most);
    for (unsigned i = 0; i < h->retransmits && wait < most; i++)
        wait *= 2;
    return MIN(wait, most);
}

static void set_timer(struct tcp_syncache *cache, uint64_t when)
{
    if (when >= cache->timer_at)
        return;
    cache->timer_at = when;
    timer_set(&cache->timer, when);
}

static void enqueue(struct tcp_syncache *cache, struct tcp_half_open *h)
{
    h->due_at = time_now() + time_out_of(cache->net, h);
    list_add_tail(&h->due, queue_of(cache, h));
    set_timer(cache, h->due_at);
}

static void insert(struct tcp_syncache *cache, struct tcp_half_open *h)
{
    struct tcp_half_open **bucket = bucket_of(cache->net, &h->ends);
    h->next = *bucket;
    *bucket = h;
    list_add_tail(&h->mine, &h->listener->listener->half_open);
    h->listener->listener->n_half_open++;
    WRITE_ONCE(cache->n, cache->n + 1);
    enqueue(cache, h);
}

/* Take h out everywhere and free it. The reference to its listener is the caller's: to be put without the
 * lock. */
static struct sock *take_out(struct tcp_syncache *cache, struct tcp_half_open *h)
{
    struct tcp_half_open **link = bucket_of(cache->net, &h->ends);
    struct sock *listener = &h->listener->sk;
    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    list_del(&h->due);
    list_del(&h->mine);
    h->listener->listener->n_half_open--;
    WRITE_ONCE(cache->n, cache->n - 1);
    pool_put(cache->pool, h);
    return listener;
}

/* ---- what we send ---- */

struct tcp_options tcp_answer_options(const struct tcp_sock *listener, const struct tcp_options *agreed)
{
    struct tcp_options o = *agreed;
    o.mss = listener->user_mss ? listener->user_mss : UINT16_MAX; /* RFC 9293 3.7.1, MUST-14 */
    o.wscale = tcp_window_shift();
    o.ts_ecr = agreed->ts_val;
    o.n_sacks = 0;
    return o;
}

/* As both SYNs together permit. */
static struct tcp_options options_of(const struct tcp_half_open *h)
{
    return (struct tcp_options){ .mss = h->peer_mss,
                                 .has_wscale = h->has_wscale,
                                 .wscale = h->peer_wscale,
                                 .sack_permitted = h->sack_ok,
                                 .has_timestamp = h->ts_ok,
                                 .ts_val = h->ts_recent };
}

static void send(struct net *net, const struct tcp_half_open *h, struct tcp_bare segment)
{
    const struct sock *sk = &h->listener->sk;
    segment.ack = h->irs + 1;
    segment.ttl = sk->ttl;
    segment.tos = sk->tos;
    segment.ifindex = READ_ONCE(sk->bound_ifindex);
    if (h->ts_ok) { /* RFC 7323 3.2 */
        segment.options.has_timestamp = true;
        segment.options.ts_val = tcp_ts_clock(tcp_ts_offset(net, &h->ends));
        segment.options.ts_ecr = h->ts_recent;
    }
    tcp_send_bare(net, &h->ends, &segment);
}

static void send_syn(struct net *net, const struct tcp_half_open *h)
{
    const struct tcp_options agreed = options_of(h);
    uint8_t ecn = h->ecn_ok ? TCP_FLAG_ECE : 0; /* RFC 3168 6.1.1 */
    send(net, h,
         (struct tcp_bare){ .seq = h->iss,
                            .window = h->window,
                            .flags = TCP_FLAG_SYN | TCP_FLAG_ACK | ecn,
                            .options = tcp_answer_options(h->listener, &agreed) });
}

static void send_without_syn(struct net *net, const struct tcp_half_open *h, uint8_t flags)
{
    send(net, h, (struct tcp_bare){ .seq = h->iss + 1, .window = h->window, .flags = flags });
}

/* RFC 9293 3.10.7.4 first, RFC 5961 7: where we are, but not as often as it is provoked. */
static void challenge(struct net *net, struct tcp_half_open *h)
{
    uint32_t now = (uint32_t)(time_now() / ms(1));
    bool soon = now - h->answered_at < ANSWER_EVERY;
    tcp_count(net, soon ? TCP_COUNT_challenge_acks_held_back : TCP_COUNT_challenge_acks);
    if (soon)
        return;
    h->answered_at = now;
    send_without_syn(net, h, TCP_FLAG_ACK);
}

/* ---- a SYN for a listener ---- */

/* RFC 1122 4.2.2.13 (a): beyond those of the connection that a SYN ended. */
static uint32_t first_number(const struct tcp_segment *seg, const struct tcp_ends *ends)
{
    uint32_t iss = tcp_initial_seq(seg->net, ends);
    return seg->reopens && !seq_after(iss, seg->beyond) ? seg->beyond + TCP_WINDOW_FIELD : iss;
}

static void fill(struct tcp_half_open *h, struct tcp_sock *listener, const struct tcp_segment *seg)
{
    const struct tcp_options o = tcp_agree(seg->net->tcp, &seg->options);
    const struct tcp_ends ends = tcp_segment_ends(seg);
    *h = (struct tcp_half_open){
        .listener = listener,
        .sent_at = time_now(),
        .ends = ends,
        .iss = first_number(seg, &ends),
        .irs = seg->seq,
        .ts_recent = o.ts_val,
        .answered_at = (uint32_t)(time_now() / ms(1)) - ANSWER_EVERY,
        .peer_mss = o.mss,
        .window = (uint16_t)MIN(tcp_receive_space(listener), (uint32_t)TCP_WINDOW_FIELD),
        .peer_wscale = o.wscale & 15,
        .has_wscale = o.has_wscale,
        .ts_ok = o.has_timestamp,
        .sack_ok = o.sack_permitted,
        .ecn_ok = tcp_ecn_agrees(listener, seg),
    };
}

/* How many of a listener may be half-open. */
static bool listener_full(const struct tcp_sock *listener)
{
    const struct tcp_listener *l = listener->listener;
    uint32_t limit = MAX(READ_ONCE(l->backlog), (uint32_t)READ_ONCE(tcp_state_of(listener)->max_syn_backlog));
    return l->n_half_open >= limit;
}

/* The oldest in a full bucket; NULL: there is room. */
static struct tcp_half_open *too_many_in(struct tcp_half_open *bucket)
{
    unsigned n = 0;
    struct tcp_half_open *last = bucket;
    for (struct tcp_half_open *h = bucket; h; h = h->next, n++)
        last = h;
    return n >= TCP_SYN_BUCKET_MAX ? last : NULL;
}

/* Who would have to go for one more at ends; NULL: nobody. */
static struct tcp_half_open *in_the_way(struct tcp_sock *listener, const struct tcp_ends *ends)
{
    if (listener_full(listener))
        return list_first_entry(&listener->listener->half_open, struct tcp_half_open, mine);
    return too_many_in(*bucket_of(listener->sk.net, ends));
}

/* Keep and answer the SYN. False: no memory. */
static bool keep(struct tcp_syncache *cache, struct tcp_sock *listener, const struct tcp_segment *seg)
{
    struct tcp_half_open *h = pool_get(cache->pool);
    if (!h)
        return false;
    fill(h, listener, seg);
    sock_hold(&listener->sk);
    insert(cache, h);
    trace("tcp.half_open", be16_to_cpu(h->ends.lport), be16_to_cpu(h->ends.pport));
    send_syn(cache->net, h);
    return true;
}

void tcp_syncache_add(struct tcp_sock *listener, struct tcp_segment *seg)
{
    struct tcp_syncache *cache = &seg->net->tcp->syncache;
    const struct tcp_ends ends = tcp_segment_ends(seg);
    int32_t cookies = READ_ONCE(seg->net->tcp->syncookies);
    struct sock *gone = NULL;
    bool no_memory = false;

    lock_acquire(&cache->lock);
    struct tcp_half_open *oldest = in_the_way(listener, &ends);
    bool by_cookie = cookies == COOKIES_ALWAYS || (cookies == COOKIES_WHEN_FULL && oldest);
    /* closed, or kept by another CPU, since we looked: the SYN will come again */
    if (!by_cookie && !READ_ONCE(listener->listener->closed) && !find(seg->net, &ends)) {
        if (oldest) {
            tcp_count(seg->net, TCP_COUNT_half_open_evicted);
            gone = take_out(cache, oldest);
        }
        no_memory = !keep(cache, listener, seg);
    }
    lock_release(&cache->lock);
    if (gone)
        sock_put(gone);
    if (by_cookie)
        tcp_cookie_send(listener, seg);
    if (no_memory)
        tcp_drop(seg, SKB_DROP_NO_MEMORY);
}

/* ---- a segment for a half-open connection: RFC 9293 3.10.7.4 in its order, for SYN-RECEIVED ---- */

enum verdict { COMPLETE, IGNORE, SYN_AGAIN, CHALLENGE, RESET, FORGET };

/* First: the table of 3.10.7.4 with a window that is open. */
static bool acceptable(const struct tcp_half_open *h, const struct tcp_segment *seg)
{
    uint32_t start = h->irs + 1, end = start + h->window;
    return seq_within(seg->seq, start, end) || (seg->len && seq_within(seg->seq + seg->len - 1, start, end));
}

/* tcp(7), TCP_DEFER_ACCEPT: an ACK without text does not open the connection yet. It is as if it were lost:
 * our SYN goes again, and the ACK that answers when the time is over does open it. */
static bool deferred(const struct tcp_half_open *h, const struct tcp_segment *seg)
{
    uint32_t seconds = READ_ONCE(h->listener->defer_accept);
    return seconds && !tcp_segment_text(seg) && !tcp_segment_has(seg, TCP_FLAG_FIN) &&
           time_now() - h->sent_at < sec(seconds);
}

static bool repeats_syn(const struct tcp_half_open *h, const struct tcp_segment *seg)
{
    const uint8_t relevant = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;
    return (seg->flags & relevant) == TCP_FLAG_SYN && seg->seq == h->irs;
}

/* Before the window is asked: RFC 7323 5.3 R1, and what tells nothing about it. True: *v is the verdict. */
static bool judge_clock(const struct tcp_half_open *h, const struct tcp_segment *seg, enum verdict *v,
                        enum skb_drop_reason *reason)
{
    bool reset = tcp_segment_has(seg, TCP_FLAG_RST);
    if (!h->ts_ok || reset)
        return false;
    if (!seg->options.has_timestamp) { /* RFC 7323 3.2: silently */
        *reason = SKB_DROP_TCP_OPTIONS;
        *v = IGNORE;
        return true;
    }
    if (!tcp_ts_is_old(seg->options.ts_val, h->ts_recent, h->sent_at))
        return false;
    *reason = SKB_DROP_TCP_OLD_DATA;
    *v = CHALLENGE;
    return true;
}

static enum verdict judge(const struct tcp_half_open *h, const struct tcp_segment *seg,
                          enum skb_drop_reason *reason)
{
    bool reset = tcp_segment_has(seg, TCP_FLAG_RST);
    enum verdict v;
    *reason = SKB_DROP_TCP_FLAGS;
    if (repeats_syn(h, seg)) /* our SYN was lost */
        return SYN_AGAIN;
    if (judge_clock(h, seg, &v, reason))
        return v;
    *reason = reset ? SKB_DROP_TCP_RESET : SKB_DROP_TCP_OUT_OF_WINDOW;
    if (!acceptable(h, seg)) /* first */
        return reset ? IGNORE : CHALLENGE;
    if (reset) /* second; RFC 5961 3.2 */
        return seg->seq == h->irs + 1 ? FORGET : CHALLENGE;
    *reason = SKB_DROP_TCP_FLAGS;
    if (tcp_segment_has(seg, TCP_FLAG_SYN)) /* fourth: quietly back to LISTEN */
        return FORGET;
    if (!tcp_segment_has(seg, TCP_FLAG_ACK)) /* fifth */
        return IGNORE;
    *reason = SKB_DROP_TCP_ACK_INVALID;
    if (seg->ack != h->iss + 1)
        return RESET;
    *reason = SKB_DROP_TCP_DEFERRED;
    if (!deferred(h, seg))
        return COMPLETE;
    tcp_count(seg->net, TCP_COUNT_accepts_deferred);
    return IGNORE;
}

static struct tcp_opening opening_of(const struct tcp_half_open *h, const struct tcp_segment *seg)
{
    struct tcp_opening o = {
        .syn = *seg, .iss = h->iss, .window = h->window, .retransmits = h->retransmits, .sent_at = h->sent_at
    };
    o.syn.seq = h->irs;
    o.syn.flags = TCP_FLAG_SYN | (h->ecn_ok ? TCP_FLAG_ECE | TCP_FLAG_CWR : 0);
    o.syn.options = options_of(h);
    return o;
}

/* Without the lock, which a child's is not taken in: so two CPUs may both get here. True: seg is dealt with.
 */
static bool complete(struct sock *listener, struct tcp_segment *seg, const struct tcp_opening *o)
{
    struct tcp_syncache *cache = &seg->net->tcp->syncache;
    const struct tcp_ends ends = tcp_segment_ends(seg);
    int err = tcp_child_open(tcp_sk(listener), seg, o);
    if (err == -EADDRINUSE)
        return false; /* the other one was faster: seg is for his child */
    if (!err || err == -ECONNREFUSED) {
        lock_acquire(&cache->lock);
        struct tcp_half_open *h = find(seg->net, &ends);
        struct sock *gone = h && h->iss == o->iss ? take_out(cache, h) : NULL;
        lock_release(&cache->lock);
        if (gone)
            sock_put(gone);
    }
    tcp_child_refused(seg, err);
    return true;
}

/* What is done under the lock. A listener, with a reference for the caller: of the entry that had to go, or
 * for the child that comes of *o. */
static struct sock *act(struct tcp_syncache *cache, struct tcp_half_open *h, enum verdict v,
                        const struct tcp_segment *seg, struct tcp_opening *o)
{
    switch (v) {
    case SYN_AGAIN:
        send_syn(cache->net, h);
        break;
    case CHALLENGE:
        challenge(cache->net, h);
        break;
    case FORGET:
        tcp_count(cache->net, TCP_COUNT_attempt_fails);
        return take_out(cache, h);
    case COMPLETE:
        *o = opening_of(h, seg);
        sock_hold(&h->listener->sk);
        return &h->listener->sk;
    default:
        break;
    }
    return NULL;
}

bool tcp_syncache_receive(struct tcp_segment *seg)
{
    struct tcp_syncache *cache = &seg->net->tcp->syncache;
    const struct tcp_ends ends = tcp_segment_ends(seg);
    enum skb_drop_reason reason;
    struct tcp_opening o;

    lock_acquire(&cache->lock);
    struct tcp_half_open *h = find(seg->net, &ends);
    if (!h) {
        lock_release(&cache->lock);
        return false;
    }
    enum verdict v = judge(h, seg, &reason);
    struct sock *listener = act(cache, h, v, seg, &o);
    lock_release(&cache->lock);

    bool taken = v != COMPLETE || complete(listener, seg, &o);
    if (v != COMPLETE)
        tcp_drop(seg, reason);
    if (v == RESET)
        tcp_reply_reset(seg);
    if (listener)
        sock_put(listener);
    return taken;
}

void tcp_syncache_error(struct net *net, const struct tcp_ends *ends, uint32_t seq, bool hard)
{
    struct tcp_syncache *cache = &net->tcp->syncache;
    struct sock *listener = NULL;
    lock_acquire(&cache->lock);
    struct tcp_half_open *h = find(net, ends);
    if (h && hard && seq == h->iss) { /* RFC 5927 4.1: in flight is our SYN alone */
        listener = take_out(cache, h);
        tcp_count(net, TCP_COUNT_attempt_fails);
    }
    lock_release(&cache->lock);
    if (listener)
        sock_put(listener);
}

void tcp_syncache_forget(struct tcp_sock *listener)
{
    struct tcp_syncache *cache = &tcp_state_of(listener)->syncache;
    struct list_head *mine = &listener->listener->half_open;
    struct tcp_half_open *h;
    unsigned n = 0;
    lock_acquire(&cache->lock);
    for (; (h = list_first_entry(mine, struct tcp_half_open, mine)); n++) {
        send_without_syn(cache->net, h, TCP_FLAG_RST | TCP_FLAG_ACK);
        tcp_count(cache->net, TCP_COUNT_resets_out);
        take_out(cache, h);
    }
    lock_release(&cache->lock);
    while (n--)
        sock_put(&listener->sk);
}

/* ---- the timer ---- */

/* The first in any queue whose time has come; NULL: none, and then *next is when one will. */
static struct tcp_half_open *due(struct tcp_syncache *cache, uint64_t now, uint64_t *next)
{
    *next = TIME_NEVER;
    for (int i = 0; i < TCP_SYN_QUEUES; i++) {
        struct tcp_half_open *h = list_first_entry(&cache->queues[i], struct tcp_half_open, due);
        if (h && h->due_at <= now)
            return h;
        if (h)
            *next = MIN(*next, h->due_at);
    }
    return NULL;
}

/* RFC 9293 3.8.3, or as long as the user said. */
static bool gave_up(const struct net *net, const struct tcp_half_open *h, uint64_t now)
{
    uint64_t patience = READ_ONCE(h->listener->user_timeout);
    return now - h->sent_at >= (patience ? patience : READ_ONCE(net->tcp->synack_give_up));
}

/* Send h's SYN again, or give it up: then its listener's reference. */
static struct sock *time_out(struct tcp_syncache *cache, struct tcp_half_open *h, uint64_t now)
{
    if (gave_up(cache->net, h, now)) {
        tcp_count(cache->net, TCP_COUNT_attempt_fails);
        return take_out(cache, h);
    }
    tcp_count(cache->net, TCP_COUNT_timeouts);
    tcp_count(cache->net, TCP_COUNT_syns_again);
    tcp_count(cache->net, TCP_COUNT_segments_retransmitted);
    list_del(&h->due);
    h->retransmits += h->retransmits < UINT8_MAX;
    enqueue(cache, h);
    send_syn(cache->net, h);
    return NULL;
}

static void timer_fn(struct timer *timer)
{
    struct tcp_syncache *cache = container_of(timer, struct tcp_syncache, timer);
    uint64_t now = time_now(), next = now;
    struct tcp_half_open *h;
    lock_acquire(&cache->lock);
    cache->timer_at = TIME_NEVER;
    for (int i = 0; i < PER_RUN && (h = due(cache, now, &next)); i++) {
        struct sock *gone = time_out(cache, h, now);
        if (!gone)
            continue;
        lock_release(&cache->lock);
        sock_put(gone);
        lock_acquire(&cache->lock);
    }
    if (cache->n)
        set_timer(cache, MIN(next, cache->timer_at));
    lock_release(&cache->lock);
}

/* ---- for all ---- */

bool tcp_syncache_walk(struct net *net, struct tcp_cursor *at, struct tcp_half_open *copy)
{
    struct tcp_syncache *cache = &net->tcp->syncache;
    struct tcp_half_open *h = NULL;
    lock_acquire(&cache->lock);
    for (; at->chain < TCP_SYN_BUCKETS; at->chain++, at->nth = 0) {
        h = cache->buckets[at->chain];
        for (uint32_t i = 0; h && i < at->nth; i++)
            h = h->next;
        if (h)
            break;
    }
    if (h) {
        *copy = *h;
        at->nth++;
    }
    lock_release(&cache->lock);
    return h;
}

int tcp_syncache_init(struct net *net)
{
    struct tcp_syncache *cache = &net->tcp->syncache;
    cache->net = net;
    cache->pool = pool_create("tcp_half_open", sizeof(struct tcp_half_open));
    if (!cache->pool)
        return -ENOMEM;
    lock_init(&cache->lock, "SYN cache", RANK_SOCK_TABLE);
    for (int i = 0; i < TCP_SYN_QUEUES; i++)
        list_init(&cache->queues[i]);
    timer_init(&cache->timer, timer_fn);
    cache->timer_at = TIME_NEVER;
    return 0;
}

void tcp_syncache_exit(struct net *net)
{
    struct tcp_syncache *cache = &net->tcp->syncache;
    ASSERT(!cache->n);
    timer_cancel_sync(&cache->timer);
    pool_destroy(cache->pool);
}
