/* in ssthresh.c, caught by a_loss_halves_what_was_in_flight: half of what was allowed, not of what was in flight */
    struct newreno *r = v->state;
    r->counted = 0;
    return MAX(v->cwnd / 2, 2 * v->mss);
