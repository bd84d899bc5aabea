/* in rtt_sample.c, caught by rto_never_falls_below_200_ms: a short path makes a time-out shorter than a delayed ACK */
    m = CLAMP(m, (uint64_t)1, r->most);
    if (!r->srtt) {
        r->srtt = m;
        r->rttvar = m / 2;
    } else {
        unsigned alpha = 3 + log2_samples, beta = 2 + log2_samples;
        r->rttvar = r->rttvar - (r->rttvar >> beta) + (difference(m, r->srtt) >> beta);
        r->srtt = r->srtt - (r->srtt >> alpha) + (m >> alpha);
    }
    r->min = MIN(r->min, m);
    r->rto = MIN(r->srtt + 4 * r->rttvar, r->most);
