/* in worth_sending.c, caught by the_plan_avoids_silly_windows: every sliver of window that the peer opens is filled */
    bool nagle_lets = v->nodelay || !v->small_in_flight;
    return len == v->mss || v->override || nagle_lets || (len == unsent && v->fin_queued);
