/* net/tcp/tcp_timewait.c - the end of the one that closed first: FIN-WAIT-2 and TIME-WAIT.
 * In TIME-WAIT nothing is queued any more; what is left only keeps the four-tuple from being used again for
 * 2 MSL and repeats the last acknowledgement (RFC 9293 3.6, figure 12). So the control block, of some 2,000
 * bytes, goes, and a struct tcp_timewait takes its place in both tables.
 *
 * They all wait equally long, so they stand in one queue, and one timer is set for the first. Who takes an
 * entry off that queue ends it: takes it out of the tables and drops their reference. */
#include "net/tcp/tcp.h"

enum { PER_RUN = 256 };      /* ended in one run of the timer: others want the CPU, too */
enum { ANSWER_EVERY = 500 }; /* ms: segments that tell nothing */

uint64_t tcp_fin_wait_time(const struct tcp_sock *tp)
{
    return tp->linger2 < 0 ? 0 : tp->linger2 ? sec(tp->linger2) : READ_ONCE(tcp_state_of(tp)->fin_timeout);
}

void tcp_fin_wait_2(struct tcp_sock *tp)
{
    tcp_set_state(tp, TCPS_FIN_WAIT_2);
    tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    if (tp->sk.dead) /* nobody waits for the peer's FIN: not for ever then */
        tcp_timer_start(tp, TCP_TIMER_STATE, tcp_fin_wait_time(tp));
}

/* ---- the queue ---- */

static void set_timer(struct tcp_timewaits *all, uint64_t now)
{
    struct tcp_timewait *first = list_first_entry(&all->waiting, struct tcp_timewait, link);
    if (first)
        timer_set(&all->timer, MAX(first->expires, now));
}

/* To the end of the queue, not to leave it before who is there already. Lock held. */
static void enqueue(struct tcp_timewaits *all, struct tcp_timewait *tw)
{
    uint64_t now = time_now(), expires = now + READ_ONCE(all->net->tcp->time_wait);
    if (!list_empty(&all->waiting))
        expires = MAX(expires, list_entry(all->waiting.prev, struct tcp_timewait, link)->expires);
    WRITE_ONCE(tw->expires, expires);
    list_add_tail(&tw->link, &all->waiting);
    if (!timer_pending(&all->timer))
        set_timer(all, now);
}

/* Take tw off the queue; false: somebody else has. Lock held. */
static bool dequeue(struct tcp_timewaits *all, struct tcp_timewait *tw)
{
    bool queued = !list_empty(&tw->link);
    list_del(&tw->link);
    all->n -= queued;
    return queued;
}

/* tw is off the queue: nobody else does this. */
static void leave_tables(struct net *net, struct tcp_timewait *tw)
{
    port_shadow_remove(&net->tcp->ports, &tw->port);
    tcp_hash_remove(net, &tw->node);
}

void tcp_timewait_end(struct net *net, struct tcp_timewait *tw)
{
    struct tcp_timewaits *all = &net->tcp->timewaits;
    lock_acquire(&all->lock);
    bool ours = dequeue(all, tw);
    lock_release(&all->lock);
    if (ours)
        leave_tables(net, tw);
}

/* The first in the queue if its time is over, off the queue; NULL: there is none. */
static struct tcp_timewait *pop_due(struct tcp_timewaits *all, uint64_t now)
{
    lock_acquire(&all->lock);
    struct tcp_timewait *tw = list_first_entry(&all->waiting, struct tcp_timewait, link);
    if (tw && tw->expires > now)
        tw = NULL;
    if (tw)
        dequeue(all, tw);
    lock_release(&all->lock);
    return tw;
}

static void timer_fn(struct timer *timer)
{
    struct tcp_timewaits *all = container_of(timer, struct tcp_timewaits, timer);
    struct tcp_timewait *tw;
    uint64_t now = time_now();
    for (int i = 0; i < PER_RUN && (tw = pop_due(all, now)); i++)
        leave_tables(all->net, tw);
    lock_acquire(&all->lock);
    set_timer(all, now);
    lock_release(&all->lock);
}

int tcp_timewaits_init(struct net *net)
{
    struct tcp_timewaits *all = &net->tcp->timewaits;
    all->net = net;
    all->pool = pool_create("tcp_timewait", sizeof(struct tcp_timewait));
    if (!all->pool)
        return -ENOMEM;
    lock_init(&all->lock, "tcp time-wait", RANK_SOCK_TABLE);
    list_init(&all->waiting);
    timer_init(&all->timer, timer_fn);
    return 0;
}

void tcp_timewaits_exit(struct net *net)
{
    struct tcp_timewaits *all = &net->tcp->timewaits;
    struct tcp_timewait *tw;
    timer_cancel_sync(&all->timer);
    while ((tw = pop_due(all, TIME_NEVER)))
        leave_tables(net, tw);
    pool_destroy(all->pool);
}

void tcp_timewait_put(struct net *net, struct tcp_timewait *tw)
{
    if (refcount_put(&tw->refs))
        pool_put(net->tcp->timewaits.pool, tw);
}

/* ---- in ---- */

/* A place among those who wait; NULL: memory is out, or there are enough of them. */
static struct tcp_timewait *alloc(struct net *net)
{
    struct tcp_timewaits *all = &net->tcp->timewaits;
    lock_acquire(&all->lock);
    bool room = all->n < (uint32_t)READ_ONCE(net->tcp->max_time_waits);
    all->n += room;
    lock_release(&all->lock);
    struct tcp_timewait *tw = room ? pool_get(all->pool) : NULL;
    if (room && !tw) {
        lock_acquire(&all->lock);
        all->n--;
        lock_release(&all->lock);
    }
    return tw;
}

static void fill(struct tcp_timewait *tw, const struct tcp_sock *tp)
{
    *tw = (struct tcp_timewait){
        .node = { .time_wait = true },
        .snd_nxt = tp->snd_nxt,
        .rcv_nxt = tp->rcv_nxt,
        .rcv_wnd = tp->rcv_wnd,
        .rcv_wscale = tp->rcv_wscale,
        .ts_ok = tp->ts_ok,
        .ts_recent = tp->ts_recent,
        .ts_recent_at = tp->ts_recent_at,
        .ts_offset = tp->ts_offset,
        .answered_at = (uint32_t)(time_now() / ms(1)) - ANSWER_EVERY,
        .ifindex = tp->sk.bound_ifindex,
        .ttl = tp->sk.ttl,
        .tos = tp->sk.tos,
    };
    refcount_set(&tw->refs, 1);
}

/* tw for tp in both tables, and into the queue. */
static void take_place(struct tcp_timewait *tw, struct tcp_sock *tp)
{
    struct net *net = tp->sk.net;
    struct tcp_timewaits *all = &net->tcp->timewaits;
    fill(tw, tp);
    port_shadow_add(&net->tcp->ports, &tw->port, &tp->sk);
    tcp_hash_replace(net, &tp->node, &tw->node);
    sock_put(&tp->sk); /* the table's reference */
    lock_acquire(&all->lock);
    enqueue(all, tw);
    lock_release(&all->lock);
}

void tcp_time_wait(struct tcp_sock *tp)
{
    struct net *net = tp->sk.net;
    tcp_set_state(tp, TCPS_TIME_WAIT);
    if (tp->ack_now) /* of the FIN that brought us here */
        tcp_send_ack(tp);
    struct tcp_timewait *tw = alloc(net);
    tcp_count(net, tw ? TCP_COUNT_time_waits : TCP_COUNT_time_wait_overflows);
    if (tw)
        take_place(tw, tp);
    tcp_done(tp);
}

/* ---- a segment ---- */

/* RFC 7323 5.3 R1: older than what the connection has had. */
static bool older(const struct tcp_timewait *tw, const struct tcp_segment *seg)
{
    return tw->ts_ok && seg->options.has_timestamp &&
           tcp_ts_is_old(seg->options.ts_val, tw->ts_recent, tw->ts_recent_at);
}

/* RFC 1122 4.2.2.13 (a), RFC 6191 2: a SYN beyond all the numbers of the old connection, or later by the
 * peer's clock, may begin a new one. */
static bool may_reopen(const struct tcp_timewait *tw, const struct tcp_segment *seg)
{
    const uint8_t relevant = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;
    if ((seg->flags & relevant) != TCP_FLAG_SYN || older(tw, seg))
        return false;
    bool later = tw->ts_ok && seg->options.has_timestamp && seq_after(seg->options.ts_val, tw->ts_recent);
    return later || seq_after(seg->seq, tw->rcv_nxt);
}

static void acknowledge(struct net *net, const struct tcp_timewait *tw)
{
    struct tcp_bare ack = {
        .seq = tw->snd_nxt,
        .ack = tw->rcv_nxt,
        .window = (uint16_t)MIN(tw->rcv_wnd >> tw->rcv_wscale, (uint32_t)TCP_WINDOW_FIELD),
        .flags = TCP_FLAG_ACK,
        .ttl = tw->ttl,
        .tos = tw->tos,
        .ifindex = tw->ifindex,
    };
    if (tw->ts_ok) {
        ack.options.has_timestamp = true;
        ack.options.ts_val = tcp_ts_clock(tw->ts_offset);
        ack.options.ts_ecr = tw->ts_recent;
    }
    tcp_send_bare(net, &tw->node.ends, &ack);
}

/* RFC 5961 7: not as often as it is provoked, for ACK for ACK must not go on for ever. */
static void challenge(struct net *net, struct tcp_timewait *tw)
{
    uint32_t now = (uint32_t)(time_now() / ms(1));
    bool soon = now - READ_ONCE(tw->answered_at) < ANSWER_EVERY;
    tcp_count(net, soon ? TCP_COUNT_challenge_acks_held_back : TCP_COUNT_challenge_acks);
    if (soon)
        return;
    WRITE_ONCE(tw->answered_at, now);
    acknowledge(net, tw);
}

static void begin_anew(struct net *net, struct tcp_timewait *tw)
{
    struct tcp_timewaits *all = &net->tcp->timewaits;
    lock_acquire(&all->lock);
    if (!list_empty(&tw->link)) {
        list_del(&tw->link);
        enqueue(all, tw);
    }
    lock_release(&all->lock);
}

bool tcp_timewait_receive(struct tcp_timewait *tw, struct tcp_segment *seg)
{
    if (may_reopen(tw, seg)) {
        seg->beyond = tw->snd_nxt;
        seg->reopens = true;
        tcp_timewait_end(seg->net, tw);
        return false;
    }
    if (tcp_segment_has(seg, TCP_FLAG_RST)) { /* RFC 1337 3 (F1): no assassination */
        tcp_drop(seg, SKB_DROP_TCP_RESET);
        return true;
    }
    tcp_drop(seg, SKB_DROP_TCP_OLD_DATA);
    /* RFC 9293 3.10.7.4 eighth: the peer's FIN again; our ACK was lost. 2 MSL begin anew. */
    if (tcp_segment_has(seg, TCP_FLAG_FIN) && seg->seq + seg->len == tw->rcv_nxt)
        begin_anew(seg->net, tw);
    if (seg->len)
        acknowledge(seg->net, tw);
    else if (seg->seq != tw->rcv_nxt)
        challenge(seg->net, tw);
    return true;
}
