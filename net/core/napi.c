/* net/core/napi.c - polling: from the top half to the driver's poll, and back to interrupts.
 * NAPI_SCHEDULED is set by one party at a time, which owns the poll until it clears the bit; so a poll never
 * runs on two CPUs at once. The poll / listen / look-again sequence stands here and nowhere else. */
#include "net/core/net_namespace.h"

/* Change napi->state from what it is to (state | set) & ~clear; what it was. */
static uint32_t state_change(struct napi_struct *napi, uint32_t set, uint32_t clear)
{
    uint32_t old = READ_ONCE(napi->state);
    while (!__atomic_compare_exchange_n(&napi->state, &old, (old | set) & ~clear, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
    return old;
}

/* Become the owner of the next poll. If somebody is already, he is told to look once more. */
static bool napi_schedule_prep(struct napi_struct *napi)
{
    uint32_t old = READ_ONCE(napi->state), new;
    do {
        if (old & NAPI_DISABLED)
            return false;
        new = old | (old & NAPI_SCHEDULED ? NAPI_MISSED : NAPI_SCHEDULED);
    } while (!__atomic_compare_exchange_n(&napi->state, &old, new, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return !(old & NAPI_SCHEDULED);
}

void napi_schedule(struct napi_struct *napi)
{
    netdev_count(&napi->dev->stats.irqs, 1);
    if (napi_schedule_prep(napi))
        softirq_raise(&napi->softirq);
}

/* Stop owning the poll; false if it was scheduled again meanwhile, then it is still ours. */
static bool napi_complete(struct napi_struct *napi)
{
    uint32_t old = READ_ONCE(napi->state), new;
    do
        new = old &NAPI_MISSED ? old & ~(uint32_t)NAPI_MISSED : old & ~(uint32_t)NAPI_SCHEDULED;
    while (!__atomic_compare_exchange_n(&napi->state, &old, new, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return !(old & NAPI_MISSED);
}

/* The ring was emptied: let the card interrupt again, and look again if something came while it was quiet.
 * The poll is ours until then, so that behind napi_disable() nobody listens; an interrupt in between sets
 * MISSED. */
static void napi_finish(struct napi_struct *napi)
{
    if (!napi->listen(napi) && napi_complete(napi))
        return;
    napi->quiet(napi);
    softirq_raise(&napi->softirq);
}

static void net_rx_action(struct softirq *s)
{
    struct napi_struct *napi = container_of(s, struct napi_struct, softirq);

    if (READ_ONCE(napi->state) & NAPI_DISABLED) {
        state_change(napi, 0, NAPI_SCHEDULED | NAPI_MISSED); /* napi may be gone from here on */
        return;
    }
    int weight = MIN(napi->weight, READ_ONCE(dev_net(napi->dev)->knobs.dev_weight));
    xmit_batch_begin(dev_net(napi->dev));
    int work = napi->poll(napi, weight);
    gro_flush(napi);
    xmit_batch_end(dev_net(napi->dev));
    netdev_count(&napi->dev->stats.polls, 1);
    if (work < weight)
        napi_finish(napi);
    else /* more may wait: let others run first; the softirq machinery keeps the budget of all */
        softirq_raise(&napi->softirq);
}

void netif_napi_add(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int))
{
    *napi = (struct napi_struct){ .dev = dev, .poll = poll, .state = NAPI_DISABLED, .weight = NAPI_WEIGHT };
    softirq_open(&napi->softirq, SOFTIRQ_NET_RX, net_rx_action);
}

void napi_enable(struct napi_struct *napi)
{
    state_change(napi, 0, NAPI_DISABLED);
}

void napi_disable(struct napi_struct *napi)
{
    state_change(napi, NAPI_DISABLED, 0);
    /* acquire: what the last poll did; partner: napi_complete(). It wakes nobody, so that it need not touch
     * napi behind that */
    while (__atomic_load_n(&napi->state, __ATOMIC_ACQUIRE) & NAPI_SCHEDULED)
        sleep_through(ms(1));
}
