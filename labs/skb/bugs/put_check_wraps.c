/* in skb_put.c, caught by skb_put_fills_to_the_last_byte_and_not_beyond: the sum of 32-bit lengths wraps for a huge n */
    uint8_t *opened = skb->tail;
    if (unlikely(skb->len + n > skb->len + skb_tailroom(skb)))
        skb_panic("skb_put", skb, n, __builtin_return_address(0));
    skb->tail += n;
    skb->len += n;
    return opened;
