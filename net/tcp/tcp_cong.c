/* net/tcp/tcp_cong.c - the congestion control modules that there are, and what they share. */
#include "net/tcp/tcp_cong.h"
#include "lib/compiler.h"
#include "lib/format.h"
#include "lib/string.h"

static const struct tcp_cong_ops *const modules[] = {
    &tcp_newreno, &tcp_cubic, &tcp_vegas, &tcp_hd, &tcp_htcp, &tcp_dctcp, &tcp_bbr,
};

const struct tcp_cong_ops *tcp_cong_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
        if (!strcmp(modules[i]->name, name))
            return modules[i];
    return NULL;
}

int tcp_cong_names(char *buf, size_t size)
{
    int n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        size_t left = (size_t)n < size ? size - (size_t)n : 0;
        n += ksnprintf(left ? buf + n : NULL, left, "%s%s", i ? " " : "", modules[i]->name);
    }
    return n;
}

uint32_t tcp_cong_initial_window(uint32_t mss, uint32_t segments)
{
    uint32_t most = MAX(2 * mss, 14600u);
    return segments ? segments * mss : MIN(10 * mss, most);
}

bool tcp_cong_slow_start(struct tcp_cong_view *v)
{
    /* LAB sender: slow_start.c */
    if (v->cwnd >= v->ssthresh)
        return false;
    uint32_t more = MIN(v->acked, v->mss);
    v->cwnd = MIN(v->cwnd + more, (uint32_t)TCP_CWND_MAX);
    return true;
    /* END LAB */
}

void tcp_cong_increase(struct tcp_cong_view *v, uint64_t *counted, uint32_t segments)
{
    /* LAB sender: increase.c */
    *counted += (uint64_t)v->acked * segments;
    if (*counted < v->cwnd)
        return;
    *counted -= v->cwnd;
    *counted = MIN(*counted, (uint64_t)v->cwnd);
    v->cwnd = MIN(v->cwnd + v->mss, (uint32_t)TCP_CWND_MAX);
    /* END LAB */
}

void tcp_cong_loss_window(struct tcp_cong_view *v)
{
    v->cwnd = v->mss;
}
