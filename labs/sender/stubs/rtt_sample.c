    /* RFC 6298 2.2 for the first sample (srtt is 0 until there was one), 2.3 for every later one; then the time-out,
     * between r->least and r->most. Before anything else bring m itself between 1 and r->most, and note the least
     * sample in r->min. Where the RFC says 1/8 and 1/4, the share of one sample is half of that for each log2_samples. */
    (void)r;
    (void)difference(m, log2_samples); /* the |SRTT - R'| of 2.3 */
