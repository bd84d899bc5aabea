/* dev/e1000/e1000_napi.c - the interrupt and the poll that it asks for.
 *
 * The top half reads the causes (which clears them), masks the card and asks for a poll; the poll does the
 * work, and net/core listens again when there was less than the budget. Causes stay in ICR while they are
 * masked and INTx is a level, so a frame that lands between the last look and listen() raises the line at
 * once: nothing is lost and no second look is needed.
 *
 * TXDW is not among what listen() asks for: see e1000_clean_tx(). */
#include "dev/e1000/e1000.h"

enum { INT_LISTEN = INT_RXT0 | INT_RXO | INT_RXDMT0 | INT_LSC };
enum { INT_OURS = INT_LISTEN | INT_TXDW };

bool e1000_interrupt(void *arg)
{
    struct e1000 *e = arg;
    uint32_t cause = e1000_read(e, REG_ICR);
    if (!(cause & INT_OURS))
        return false; /* another device on the line */
    trace("e1000_interrupt", 0, cause);
    if (cause & INT_LSC)
        __atomic_store_n(&e->link_changed, true, __ATOMIC_RELEASE); /* partner: the exchange in e1000_poll */
    e1000_quiet(&e->napi);
    napi_schedule(&e->napi);
    return true;
}

void e1000_quiet(struct napi_struct *napi)
{
    struct e1000 *e = container_of(napi, struct e1000, napi);
    e1000_write(e, REG_IMC, ~0u);
}

bool e1000_listen(struct napi_struct *napi)
{
    struct e1000 *e = container_of(napi, struct e1000, napi);
    e1000_write(e, REG_IMS, INT_LISTEN);
    return false;
}

int e1000_poll(struct napi_struct *napi, int budget)
{
    struct e1000 *e = container_of(napi, struct e1000, napi);

    if (__atomic_exchange_n(&e->link_changed, false, __ATOMIC_ACQUIRE))
        e1000_update_link(e);
    netif_tx_lock(e->netdev);
    e1000_clean_tx(e);
    netif_tx_unlock(e->netdev);
    return e1000_clean_rx(e, budget);
}
