/* in increase.c, caught by congestion_avoidance_adds_a_segment_in_a_round_trip: congestion avoidance is as fast as slow start */
    (void)counted;
    v->cwnd = MIN(v->cwnd + v->mss * segments, (uint32_t)TCP_CWND_MAX);
