    /* Take n bytes off the front and return where the packet begins now.
     * n may be more than there is, because a peer chose it: then return NULL and leave the packet as it was. */
    (void)skb;
    (void)n;
    return NULL;
