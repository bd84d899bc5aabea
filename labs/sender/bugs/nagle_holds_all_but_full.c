/* in worth_sending.c, caught by the_plan_obeys_nagle: a small segment never goes while anything is in flight, TCP_NODELAY or not */
    if (len == v->mss || v->override)
        return true;
    return len == unsent && !v->flight;
