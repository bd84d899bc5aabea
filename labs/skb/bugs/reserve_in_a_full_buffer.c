/* in skb_reserve.c, caught by skb_reserve_refuses_a_buffer_that_holds_a_packet: a packet is no obstacle */
    if (unlikely(n > skb_tailroom(skb)))
        skb_panic("skb_reserve", skb, n, __builtin_return_address(0));
    skb->data += n;
    skb->tail += n;
