/* sim/script/info.c - the members of TCP_INFO that a script can ask for. */
#include "net/tcp/tcp_info.h"
#include "sim/script/names.h"
#include <stddef.h>
#include <string.h>

#define INFO(name, unit)                                                                                     \
    {                                                                                                        \
#name, offsetof(struct tcp_info, tcpi_##name), sizeof(((struct tcp_info *)0)->tcpi_##name), unit     \
    }

static const struct info_name infos[] = {
    INFO(state, 1),      INFO(ca_state, 1),      INFO(retransmits, 1),   INFO(probes, 1),
    INFO(backoff, 1),    INFO(options, 1),       INFO(rto, 1000),        INFO(ato, 1000),
    INFO(snd_mss, 1),    INFO(rcv_mss, 1),       INFO(unacked, 1),       INFO(sacked, 1),
    INFO(lost, 1),       INFO(retrans, 1),       INFO(pmtu, 1),          INFO(rtt, 1000),
    INFO(rttvar, 1000),  INFO(snd_ssthresh, 1),  INFO(snd_cwnd, 1),      INFO(advmss, 1),
    INFO(reordering, 1), INFO(total_retrans, 1), INFO(bytes_acked, 1),   INFO(bytes_received, 1),
    INFO(segs_out, 1),   INFO(segs_in, 1),       INFO(notsent_bytes, 1), INFO(min_rtt, 1000),
    INFO(snd_wnd, 1),    INFO(rcv_wnd, 1),       INFO(rcv_space, 1),
};

const struct info_name *info_find(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        if (strlen(infos[i].name) == n && !memcmp(infos[i].name, name, n))
            return &infos[i];
    return NULL;
}
