    /* Move data and tail forward by n, so that n bytes of headroom lie in front of them.
     * Only an empty buffer can be given headroom this way: a packet with bytes in it, or one with fewer than n bytes of
     * tailroom, is a bug of the caller: skb_panic("skb_reserve", skb, n, __builtin_return_address(0)). */
    (void)skb;
    (void)n;
