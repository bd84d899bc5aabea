/* in skb_pull.c, caught by skb_pull_of_more_than_there_is_returns_null_and_moves_nothing: a short packet stops the kernel */
    if (n > skb->len)
        skb_panic("skb_pull", skb, n, __builtin_return_address(0));
    skb->data += n;
    skb->len -= n;
    return skb->data;
