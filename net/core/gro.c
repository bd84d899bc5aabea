/* net/core/gro.c - holding packets back until the end of the poll, so that a stream's go up together.
 * At most GRO_TRAINS packets are held, each the head of a train that may still be empty behind it. What they
 * say is for the protocols to compare (struct packet_type, gro_begins and gro_follows). A stream's packets
 * keep their order; those of different streams may overtake each other. */
#include "net/core/gro.h"
#include "net/core/net_namespace.h"

/* Taps see packets as they came, so they get no trains. */
static bool wanted(struct net *net, const struct sk_buff *skb)
{
    return skb->dev->features & NETIF_F_GRO && READ_ONCE(net->knobs.gro) && !READ_ONCE(net->tap_count);
}

static void send_up(struct napi_struct *napi, unsigned i)
{
    struct sk_buff *train = napi->trains[i];

    napi->n_trains--;
    for (; i < napi->n_trains; i++)
        napi->trains[i] = napi->trains[i + 1];
    netif_receive_skb(train);
}

static void hold(struct napi_struct *napi, struct sk_buff *skb)
{
    if (napi->n_trains == GRO_TRAINS)
        send_up(napi, 0);
    napi->trains[napi->n_trains++] = skb;
}

static void add(struct sk_buff *train, struct sk_buff *skb)
{
    struct gro_cb *cb = gro_cb(train);

    trace("gro_add", skb->id, skb->len);
    if (!train->gso_size)
        train->gso_size = (uint16_t)cb->bytes;
    cb->bytes += skb->len;
    cb->next += skb->len;
    cb->packets++;
    list_add_tail(&skb->list, &train->list);
}

/* Does one of the trains take skb? One that must not be overtaken by it goes up. */
static bool joins(struct napi_struct *napi, const struct packet_type *pt, struct sk_buff *skb)
{
    for (unsigned i = 0; i < napi->n_trains; i++) {
        struct sk_buff *train = napi->trains[i];
        enum gro_verdict verdict =
            train->protocol.raw == skb->protocol.raw ? pt->gro_follows(train, skb) : GRO_STRANGER;
        if (verdict == GRO_STRANGER)
            continue;
        if (verdict != GRO_BREAKS)
            add(train, skb);
        if (verdict != GRO_FOLLOWS)
            send_up(napi, i);
        return verdict != GRO_BREAKS;
    }
    return false;
}

void gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
    struct net *net = dev_net(skb->dev);
    const struct packet_type *pt = packet_type_find(net, be16_to_cpu(skb->protocol));

    if (!pt || !pt->gro_begins || !wanted(net, skb)) {
        netif_receive_skb(skb);
        return;
    }
    if (joins(napi, pt, skb))
        return;
    if (pt->gro_begins(skb))
        hold(napi, skb);
    else
        netif_receive_skb(skb);
}

void gro_flush(struct napi_struct *napi)
{
    while (napi->n_trains)
        send_up(napi, 0);
}

void skb_train_open(struct sk_buff *head, struct sk_buff_head *followers)
{
    struct sk_buff *skb;

    skb_queue_head_init(followers);
    while ((skb = skb_train_take(head)))
        skb_queue_tail(followers, skb);
    head->gso_size = 0;
}
