    /* Below ssthresh: cwnd grows by what this ACK acknowledges, but by no more than a segment (and never beyond
     * TCP_CWND_MAX); true. Not below it: nothing, and false. */
    (void)v;
    return false;
