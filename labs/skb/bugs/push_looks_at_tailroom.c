/* in skb_push.c, caught by skb_push_refuses_more_than_the_headroom: room is looked for at the wrong end */
    if (unlikely(n > skb_tailroom(skb)))
        skb_panic("skb_push", skb, n, __builtin_return_address(0));
    skb->data -= n;
    skb->len += n;
    return skb->data;
