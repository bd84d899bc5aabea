/* in plan_new.c, caught by the_plan_obeys_the_windows: a window that shrank below what is in flight wraps and looks huge */
    uint32_t unsent = seq_ahead(v->snd_nxt, v->write_seq);
    bool fin_due = v->fin_queued && seq_before_eq(v->snd_nxt, v->write_seq);
    if (!unsent && !fin_due)
        return blocked(TCP_PLAN_IDLE);
    uint32_t usable = window_end(v) - v->snd_nxt;
    uint32_t segment = MIN(unsent, v->mss), len = MIN(segment, usable);
    bool fin = fin_due && len == unsent && usable > len;
    if (!len && !fin)
        return blocked(TCP_PLAN_WINDOW);
    if (cwnd_room(v) < MAX(len, 1u))
        return blocked(TCP_PLAN_CWND);
    if (!worth_sending(v, len, unsent))
        return blocked(TCP_PLAN_SMALL);
    return (struct tcp_plan){ .kind = TCP_PLAN_SEND, .seq = v->snd_nxt, .len = len, .fin = fin };
