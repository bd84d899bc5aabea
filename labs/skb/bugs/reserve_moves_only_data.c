/* in skb_reserve.c, caught by skb_reserve_makes_headroom: tail stays behind */
    if (unlikely(skb->len || n > skb_tailroom(skb)))
        skb_panic("skb_reserve", skb, n, __builtin_return_address(0));
    skb->data += n;
