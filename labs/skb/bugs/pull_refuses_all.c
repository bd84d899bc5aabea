/* in skb_pull.c, caught by skb_pull_takes_bytes_off_the_front: the whole packet cannot be pulled */
    if (n >= skb->len)
        return NULL;
    skb->data += n;
    skb->len -= n;
    return skb->data;
