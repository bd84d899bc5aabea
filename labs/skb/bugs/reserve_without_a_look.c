/* in skb_reserve.c, caught by skb_reserve_refuses_more_than_there_is: the tailroom is not looked at */
    if (unlikely(skb->len))
        skb_panic("skb_reserve", skb, n, __builtin_return_address(0));
    skb->data += n;
    skb->tail += n;
