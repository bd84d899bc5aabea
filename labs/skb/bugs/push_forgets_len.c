/* in skb_push.c, caught by skb_push_opens_bytes_in_front: len no longer is tail - data */
    if (unlikely(n > skb_headroom(skb)))
        skb_panic("skb_push", skb, n, __builtin_return_address(0));
    skb->data -= n;
    return skb->data;
