/* in skb_trim.c, caught by skb_trim_cuts_the_end_off: the front is cut off instead of the end */
    if (len >= skb->len)
        return;
    skb->data += skb->len - len;
    skb->len = len;
