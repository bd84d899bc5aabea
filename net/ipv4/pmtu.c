/* net/ipv4/pmtu.c - path-MTU discovery (RFC 1191): what "fragmentation needed" teaches, and what it does not.
 * Anybody may send us such a message. Who calls here has found that it quotes a packet that one of our
 * sockets sends, TCP that the quoted number is in flight (RFC 5927 4.1); here it can only lower what is
 * believed, not below net/ipv4/route/min_pmtu, and what it lowered comes back after ten minutes (RFC
 * 1191 6.3). */
#include "net/ipv4/ipv4.h"

enum { MTU_LEAST = 68 }; /* RFC 791 3.2: every link carries that */

/* RFC 1191 7.1: MTUs that links have; routers that do not tell theirs have one of these. */
static uint32_t plateau_below(uint32_t length)
{
    static const uint16_t plateaus[] = { 65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296 };

    for (unsigned i = 0; i < ARRAY_SIZE(plateaus); i++)
        if (plateaus[i] < length)
            return plateaus[i];
    return MTU_LEAST;
}

/* What is believed of the path until now. ROUTE lock held. */
static uint32_t mtu_now(struct net *net, be32 daddr)
{
    const struct fib_info *r = fib_match(net->ipv4->fib, daddr, 0);
    const struct inet_peer *p = peer_find(net, daddr);
    uint32_t mtu = UINT32_MAX;

    if (r && r->n_nexthops)
        mtu = READ_ONCE(r->nexthops[0].dev->mtu);
    if (r && r->mtu)
        mtu = MIN(mtu, r->mtu);
    return p && time_now() < p->mtu_until ? MIN(mtu, p->mtu) : mtu;
}

static void remember(struct net *net, be32 daddr, uint32_t mtu)
{
    const uint32_t least = (uint32_t)READ_ONCE(net->ipv4->peer_knobs.min_pmtu);
    struct inet_peer *p = peer_get(net, daddr);

    if (!p)
        return;
    p->mtu = MAX(mtu, least);
    p->mtu_locked = mtu < least;
    p->mtu_until = time_now() + READ_ONCE(net->ipv4->peer_knobs.mtu_expires);
    route_changed(net->ipv4);
}

void ip_pmtu_learn(struct net *net, be32 daddr, uint32_t told, uint32_t length)
{
    struct ipv4_state *ipv4 = net->ipv4;

    lock_acquire(&ipv4->route_lock);
    uint32_t now = mtu_now(net, daddr);
    uint32_t mtu = told ? told : plateau_below(MIN(length, now)); /* RFC 1191 5 */
    bool news = mtu < now; /* RFC 1191 4: a message is no reason to send larger ones */
    if (news && mtu >= MTU_LEAST)
        remember(net, daddr, mtu);
    lock_release(&ipv4->route_lock);
}
