    /* Count the bytes that are acknowledged, times segments. Whenever that makes a whole cwnd, cwnd grows by a segment,
     * and what was counted beyond it is kept, but no more than a cwnd of it. */
    (void)v;
    (void)counted;
    (void)segments;
