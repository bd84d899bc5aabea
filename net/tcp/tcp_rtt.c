/* net/tcp/tcp_rtt.c - round-trip time and retransmission time-out, RFC 6298 section 2.
 * The lower bound is usually 200 ms as in Linux, not the second of 2.4: that second came from clocks with
 * coarse ticks, and ours has none. */
#include "net/tcp/tcp_rtt.h"
#include "net/port.h"

void tcp_rtt_init(struct tcp_rtt *r, const struct tcp_rto_bounds *bounds)
{
    *r = (struct tcp_rtt){ .rto = READ_ONCE(bounds->initial),
                           .min = UINT64_MAX,
                           .least = READ_ONCE(bounds->least),
                           .most = READ_ONCE(bounds->most) };
}

static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

void tcp_rtt_sample(struct tcp_rtt *r, uint64_t m, unsigned log2_samples)
{
    /* LAB sender: rtt_sample.c */
    m = CLAMP(m, (uint64_t)1, r->most);
    if (!r->srtt) { /* 2.2 */
        r->srtt = m;
        r->rttvar = m / 2;
    } else { /* 2.3: alpha = 1/8, beta = 1/4, each over the samples of a round trip; the variance first */
        unsigned alpha = 3 + log2_samples, beta = 2 + log2_samples;
        r->rttvar = r->rttvar - (r->rttvar >> beta) + (difference(m, r->srtt) >> beta);
        r->srtt = r->srtt - (r->srtt >> alpha) + (m >> alpha);
    }
    r->min = MIN(r->min, m);
    r->rto = CLAMP(r->srtt + 4 * r->rttvar, r->least, r->most); /* 2.3: K = 4 */
    /* END LAB */
}

void tcp_rtt_recall(struct tcp_rtt *r, uint64_t srtt, uint64_t rttvar)
{
    if (!r->srtt || srtt <= r->srtt)
        return;
    r->rttvar = MAX(r->rttvar, rttvar);
    r->rto = CLAMP(srtt + 4 * r->rttvar, r->rto, r->most);
}

uint64_t tcp_rto_backed_off(const struct tcp_rtt *r, unsigned backoff)
{
    /* LAB sender: backed_off.c */
    uint64_t rto = r->rto << MIN(backoff, 16u);
    return MIN(rto, r->most);
    /* END LAB */
}
