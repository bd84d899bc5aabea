/* in rtt_sample.c, caught by rto_follows_the_second_sample: the variance is taken from the mean that the sample has moved already */
    m = CLAMP(m, (uint64_t)1, r->most);
    if (!r->srtt) {
        r->srtt = m;
        r->rttvar = m / 2;
    } else {
        unsigned alpha = 3 + log2_samples, beta = 2 + log2_samples;
        r->srtt = r->srtt - (r->srtt >> alpha) + (m >> alpha);
        r->rttvar = r->rttvar - (r->rttvar >> beta) + (difference(m, r->srtt) >> beta);
    }
    r->min = MIN(r->min, m);
    r->rto = CLAMP(r->srtt + 4 * r->rttvar, r->least, r->most);
