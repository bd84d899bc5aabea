/* in slow_start.c, caught by slow_start_doubles_in_a_round_trip: one ACK for much lets the window jump */
    if (v->cwnd >= v->ssthresh)
        return false;
    v->cwnd = MIN(v->cwnd + v->acked, (uint32_t)TCP_CWND_MAX);
    return true;
