/* in rtt_sample.c, caught by many_samples_in_a_round_trip_count_for_as_much_as_one: sixteen samples in a round trip forget the variance sixteen times as fast */
    m = CLAMP(m, (uint64_t)1, r->most);
    (void)log2_samples;
    if (!r->srtt) {
        r->srtt = m;
        r->rttvar = m / 2;
    } else {
        r->rttvar = r->rttvar - (r->rttvar >> 2) + (difference(m, r->srtt) >> 2);
        r->srtt = r->srtt - (r->srtt >> 3) + (m >> 3);
    }
    r->min = MIN(r->min, m);
    r->rto = CLAMP(r->srtt + 4 * r->rttvar, r->least, r->most);
