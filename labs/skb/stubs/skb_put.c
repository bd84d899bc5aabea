    /* Open n bytes behind the packet's end and return a pointer to the first of them.
     * Look for room before anything moves (skb_tailroom() says how much there is; too little: skb_panic, as above);
     * then tail and len both grow. */
    (void)n;
    return skb->tail;
