/* net/tcp/tcp_rtt.c - round-trip time and retransmission time-out, RFC 6298 section 2.
 * The minimum is 200 ms as in Linux, not the second of 2.4: that second came from clocks with coarse ticks,
 * and ours has none. */
#include "net/tcp/tcp_rtt.h"
#include "net/port.h"

#define RTO_INITIAL sec(1)   /* RFC 6298 2.1 */
#define RTO_MIN     ms(200)  /* RFC 6298 2.4 says 1 s; see above */
#define RTO_MAX     sec(120) /* RFC 6298 2.5: at least 60 s */

void tcp_rtt_init(struct tcp_rtt *r)
{
    *r = (struct tcp_rtt){ .rto = RTO_INITIAL, .min = UINT64_MAX };
}

void tcp_rtt_sample(struct tcp_rtt *r, uint64_t m)
{
    m = CLAMP(m, (uint64_t)1, RTO_MAX);
    if (!r->srtt) { /* 2.2 */
        r->srtt = m;
        r->rttvar = m / 2;
    } else { /* 2.3: alpha = 1/8, beta = 1/4; the variance first */
        uint64_t error = m > r->srtt ? m - r->srtt : r->srtt - m;
        r->rttvar = r->rttvar - r->rttvar / 4 + error / 4;
        r->srtt = r->srtt - r->srtt / 8 + m / 8;
    }
    r->min = MIN(r->min, m);
    r->rto = CLAMP(r->srtt + 4 * r->rttvar, RTO_MIN, RTO_MAX); /* 2.3: K = 4 */
}

uint64_t tcp_rto_backed_off(const struct tcp_rtt *r, unsigned backoff)
{
    uint64_t rto = r->rto << MIN(backoff, 16u);
    return MIN(rto, RTO_MAX);
}
