/* net/tcp/tcp_prr.c - RFC 6937 3, with the slow-start reduction bound. */
#include "net/tcp/tcp_prr.h"
#include "lib/compiler.h"

/* While more is out than shall be: of what arrives, the share ssthresh / RecoverFS goes out again. */
static uint32_t proportional(const struct tcp_prr *p, uint32_t ssthresh)
{
    uint64_t due = ((uint64_t)p->delivered * ssthresh + p->flight - 1) / p->flight;
    return due > p->out ? (uint32_t)due - p->out : 0;
}

uint32_t tcp_prr_quota(const struct tcp_prr *p, uint32_t pipe, uint32_t ssthresh, uint32_t delivered_now,
                       uint32_t mss)
{
    if (pipe > ssthresh)
        return proportional(p, ssthresh);
    /* less is out, after heavy loss: catch up, but no faster than slow start would */
    uint32_t banked = p->delivered > p->out ? p->delivered - p->out : 0;
    return MIN(ssthresh - pipe, MAX(banked, delivered_now) + mss);
}
