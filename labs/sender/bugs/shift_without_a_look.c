/* in backed_off.c, caught by rto_doubles_and_stops_at_two_minutes: enough doublings shift the time-out out of its 64 bits */
    uint64_t rto = r->rto << (backoff % 64);
    return MIN(rto, r->most);
