    /* Open n bytes in front of the packet for a header and return a pointer to the first of them.
     * Compare n with skb_headroom() first: a pointer that has already left the buffer tells you nothing. */
    (void)n;
    return skb->data;
