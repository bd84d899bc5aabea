/* in rtt_sample.c, caught by rto_of_the_first_sample_is_three_times_it: the first sample is averaged with nothing */
    m = CLAMP(m, (uint64_t)1, r->most);
    unsigned alpha = 3 + log2_samples, beta = 2 + log2_samples;
    r->rttvar = r->rttvar - (r->rttvar >> beta) + (difference(m, r->srtt) >> beta);
    r->srtt = r->srtt - (r->srtt >> alpha) + (m >> alpha);
    r->min = MIN(r->min, m);
    r->rto = CLAMP(r->srtt + 4 * r->rttvar, r->least, r->most);
