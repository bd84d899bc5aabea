    /* What is the most that may go now? There is something unsent, or a FIN that is due, or the plan is IDLE. A segment
     * has at most mss bytes and ends inside the peer's window: WINDOW if that leaves nothing. It must fit into the
     * congestion window whole: else CWND. It must be worth its header: else SMALL. The FIN stands behind the last
     * byte, takes a sequence number of its own, and needs room in the window for it.
     * Subtract sequence numbers with seq_ahead(): a window that shrank ends behind snd_nxt. */
    (void)worth_sending;
    (void)v;
    return (struct tcp_plan){ .kind = TCP_PLAN_IDLE };
