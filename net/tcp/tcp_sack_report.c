/* net/tcp/tcp_sack_report.c - the receiver's side of selective acknowledgement: which text behind a hole has
 * arrived (RFC 2018 4), and which came twice (RFC 2883 4).
 * reports[] holds blocks of ofo_queue, the one that grew last first; no two of them touch, and all lie beyond
 * rcv_nxt. */
#include "net/tcp/tcp.h"

enum { SACK_HEADER = 4 }; /* two NOPs, kind and length */

static bool touch(const struct tcp_sack_block *a, const struct tcp_sack_block *b)
{
    return seq_before_eq(a->start, b->end) && seq_before_eq(b->start, a->end);
}

void tcp_sack_queued(struct tcp_sock *tp, uint32_t start, uint32_t end)
{
    struct tcp_sack_block b = { start, end }, kept[TCP_SACKS_MAX];
    unsigned n = 0;
    if (!tp->sack_ok || start == end)
        return;
    for (unsigned i = 0; i < tp->n_reports; i++) {
        const struct tcp_sack_block *r = &tp->reports[i];
        if (touch(r, &b))
            b = (struct tcp_sack_block){ seq_min(b.start, r->start), seq_max(b.end, r->end) };
        else
            kept[n++] = *r;
    }
    tp->reports[0] = b; /* RFC 2018 4: the first block has the segment that triggered the ACK */
    tp->n_reports = (uint8_t)MIN(n + 1, (unsigned)TCP_SACKS_MAX);
    for (unsigned i = 1; i < tp->n_reports; i++)
        tp->reports[i] = kept[i - 1];
}

void tcp_sack_advanced(struct tcp_sock *tp)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tp->n_reports; i++)
        if (seq_after(tp->reports[i].start, tp->rcv_nxt))
            tp->reports[n++] = tp->reports[i];
    tp->n_reports = (uint8_t)n;
}

void tcp_sack_pruned(struct tcp_sock *tp, uint32_t seq)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tp->n_reports; i++) {
        struct tcp_sack_block b = tp->reports[i];
        b.end = seq_min(b.end, seq);
        if (seq_before(b.start, b.end))
            tp->reports[n++] = b;
    }
    tp->n_reports = (uint8_t)n;
}

void tcp_sack_duplicate(struct tcp_sock *tp, uint32_t start, uint32_t end)
{
    if (!tp->sack_ok || !READ_ONCE(tcp_state_of(tp)->dsack) || !seq_before(start, end))
        return;
    if (tp->dsack_due && tp->dsack.end == start) { /* the next piece of the same segment */
        tp->dsack.end = end;
        return;
    }
    tcp_count(tp->sk.net, TCP_COUNT_dsacks_out);
    tp->dsack = (struct tcp_sack_block){ start, end };
    tp->dsack_due = true;
}

/* The blocks that there are, in the order in which they are told. */
static unsigned blocks(const struct tcp_sock *tp, struct tcp_sack_block b[1 + TCP_SACKS_MAX])
{
    unsigned n = 0;
    if (tp->dsack_due) /* RFC 2883 4 (2): a duplicate is the first block, once */
        b[n++] = tp->dsack;
    for (unsigned i = 0; i < tp->n_reports; i++)
        b[n++] = tp->reports[i];
    return n;
}

uint32_t tcp_sack_room(const struct tcp_sock *tp)
{
    const uint32_t each = sizeof(struct tcp_sack_block);
    uint32_t n = tp->n_reports + (uint32_t)tp->dsack_due;
    uint32_t most = TCP_OPTIONS_MAX - (tp->ts_ok ? TCP_TIMESTAMP_LENGTH : 0);
    return n ? SACK_HEADER + MIN(n, (most - SACK_HEADER) / each) * each : 0;
}

void tcp_sack_write(struct tcp_sock *tp, struct tcp_options *o, uint32_t room)
{
    struct tcp_sack_block b[1 + TCP_SACKS_MAX];
    uint32_t left = MIN(room, (uint32_t)TCP_OPTIONS_MAX - tcp_options_length(o));
    if (left < SACK_HEADER + sizeof b[0])
        return;
    unsigned n = MIN(blocks(tp, b), (left - SACK_HEADER) / (unsigned)sizeof b[0]);
    o->n_sacks = (uint8_t)MIN(n, (unsigned)TCP_SACKS_MAX);
    for (unsigned i = 0; i < o->n_sacks; i++)
        o->sacks[i] = b[i];
    tp->dsack_due = false;
}
