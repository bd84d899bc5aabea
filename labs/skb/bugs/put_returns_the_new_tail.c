/* in skb_put.c, caught by skb_put_opens_bytes_behind_the_packet: the pointer is behind the bytes that were opened */
    if (unlikely(n > skb_tailroom(skb)))
        skb_panic("skb_put", skb, n, __builtin_return_address(0));
    skb->tail += n;
    skb->len += n;
    return skb->tail;
