/* in skb_trim.c, caught by skb_trim_never_makes_a_packet_longer: a longer len makes the packet longer */
    skb->len = len;
    skb->tail = skb->data + len;
