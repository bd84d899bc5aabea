/* net/tcp/tcp_repair.h - loss: noticed, repaired, and taken back when it was none; private to net/tcp.
 *
 * Way in:  tcp_ack.c (what an ACK tells) -> tcp_sack.c (its blocks, into the scoreboard)
 *          -> tcp_recovery.c (what follows from it), which asks tcp_rack.c or tcp_scoreboard.c what is lost,
 *          tcp_prr.c how much may go, tcp_undo.c whether it was all a mistake
 * Way out: tcp_output.c sends again what the scoreboard says.
 * All of it runs with sk->lock held, in softirq or process context. */
#pragma once
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_options.h"
#include "net/tcp/tcp_plan.h"
#include "net/tcp/tcp_prr.h"
#include "net/tcp/tcp_rate.h"

struct tcp_sock;

/* How much of the congestion window a round trip has used (tcp_validate.c). */
struct tcp_usage {
    uint32_t most;      /* in flight at once */
    uint32_t end;       /* snd_nxt then: a round trip is over when that is acknowledged */
    bool full;          /* the window would not have let more go */
    uint32_t used;      /* the most in flight since in_use_at */
    uint64_t in_use_at; /* when it was last in use */
};

/* How loss is being repaired (tcp_recovery.c). */
enum tcp_recovery {
    TCP_OPEN,          /* nothing is known to be lost */
    TCP_FAST_RECOVERY, /* RFC 6582: since three duplicate ACKs, until recover is acknowledged */
    TCP_LOSS           /* RFC 5681 3.1: since a time-out; everything sent before it counts as lost */
};

/* The scoreboard of RFC 6675 3: what of the text sent the peer has, and what is lost. The marks lie on the
 * buffers of write_queue (struct tcp_skb_cb), their sums here, in bytes (tcp_scoreboard.c). */
struct tcp_board {
    uint32_t sacked;      /* the peer has it, by its SACK blocks */
    uint32_t lost;        /* lost and not sent again since; one for a FIN */
    uint32_t high_sacked; /* behind the last byte that the peer has; valid while sacked != 0 */
    bool fin_lost;        /* a FIN, which has no buffer */
    uint32_t resent;      /* buffers sent more than once that have not arrived */
    uint64_t
        resent_since; /* when the first of these was; valid while resent != 0, and for the ACK that ends it */
    struct sk_buff *first;  /* nothing before it is lost and unsent; NULL: begin at the front */
    struct sk_buff *walked; /* where the last SACK block ended, or NULL */
    struct tcp_sack_block seen[TCP_SACKS_MAX]; /* the blocks of the latest ACK */
};

/* RFC 8985 5.2: of all that has arrived, what was sent last. */
struct tcp_rack {
    uint64_t sent_at, rtt;    /* when it was sent, and how long until we knew */
    uint32_t end;             /* its end, which orders what was sent at the same time */
    uint32_t fack;            /* the end of the highest text that has arrived */
    uint32_t dsack_round;     /* snd_nxt when a D-SACK last widened the window */
    uint8_t window_mult;      /* the reordering window in quarters of the least round trip */
    uint8_t window_persist;   /* recoveries until that falls back */
    bool reordered, dsack_in; /* reordering was seen; a D-SACK since the last look */
};

/* What to go back to, should a retransmission turn out needless (tcp_undo.c). */
struct tcp_undo {
    uint32_t cwnd, ssthresh; /* cwnd 0: nothing to undo */
    uint32_t marker;         /* snd_una when it began */
    uint32_t resent;         /* segments sent again that no D-SACK has told of */
    bool any_resent, all_dsacked;
};

/* RFC 8985 7: the probe for the loss of a tail. */
struct tcp_tlp {
    uint32_t end; /* snd_nxt behind the probe */
    bool out;     /* a probe is out */
    bool again;   /* it repeated old text */
};

/* RFC 5682 3: is the time-out spurious? */
enum tcp_frto {
    TCP_FRTO_OFF,
    TCP_FRTO_RESENT, /* the first segment went again; what will its ACK say? (2) */
    TCP_FRTO_NEW     /* new text went instead of old: what will its ACKs say? (3) */
};

/* What one ACK told (tcp_ack.c), for tcp_recovery.c. */
struct tcp_ack_news {
    uint32_t acked;     /* bytes by which snd_una moved */
    uint32_t delivered; /* bytes that have newly arrived, by the number or by a block */
    uint32_t flight;    /* FlightSize before */
    uint64_t now, rtt;  /* a sample in ns, or 0 */
    uint32_t fack;      /* rack.fack before */
    bool sampled;       /* it made a sample of the delivery rate */
    bool duplicate;     /* RFC 5681 2 */
    bool original;      /* something arrived that was sent once only, before `recover` */
    bool sacked_once;   /* a block has it; the latest of these was sent at */
    uint64_t sacked_sent_at;
    bool dsack;        /* its first block tells of a duplicate */
    bool blocks;       /* it had SACK blocks above SEG.ACK */
    bool echo_of_mark; /* ECE: the peer saw a mark of congestion (RFC 3168 6.1.3) */
    uint32_t echo;     /* TSecr, if there was one and has_echo */
    bool has_echo;
};

/* ================ tcp_recovery.c: the state of repair, RFC 5681, 6675, 6937 ================ */

/* An ACK came; snd_una, the window and the scoreboard have its news already. */
void tcp_recovery_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);
/* The reordering timer fired (RFC 8985 6.3): something may count as lost by now. */
void tcp_recovery_reordering(struct tcp_sock *tp);
/* The retransmission timer fired: the threshold falls, everything in flight counts as lost. */
void tcp_recovery_timeout(struct tcp_sock *tp);
/* What is in flight was too big for the path (RFC 1191 6.4): all of it goes again, cwnd stays. */
void tcp_recovery_too_big(struct tcp_sock *tp);
/* A loss that was repaired before anybody noticed it still tells of congestion (RFC 8985 7.4.2). */
void tcp_recovery_congested(struct tcp_sock *tp);
/* The handshake is done. */
void tcp_recovery_init(struct tcp_sock *tp);
/* From now on the congestion control is cong, and knows nothing yet. */
void tcp_recovery_begin_with(struct tcp_sock *tp, const struct tcp_cong_ops *cong);
/* n bytes are about to go again: counted by the reason. */
void tcp_recovery_count_resent(struct tcp_sock *tp, uint32_t n);
/* ssthresh falls as the congestion module says. */
void tcp_recovery_lower_threshold(struct tcp_sock *tp);

/* ================ tcp_validate.c: is the window in use? RFC 7661, 2861, 5681 4.1 ================ */

/* The window that a connection begins with, and begins with again. */
uint32_t tcp_initial_window(const struct tcp_sock *tp);
/* Has the latest round trip filled the window, so that it may grow? */
bool tcp_window_in_use(const struct tcp_sock *tp);
/* Something was sent, or the window is full: why nothing more was. */
void tcp_window_used(struct tcp_sock *tp, enum tcp_plan_kind why);
/* Something is about to be sent, and nothing is in flight. */
void tcp_window_idle(struct tcp_sock *tp);

/* ================ tcp_newreno.c: fast recovery without SACK, RFC 6582 ================ */

/* A duplicate ACK, in any state of repair. */
void tcp_newreno_duplicate_ack(struct tcp_sock *tp);
/* In fast recovery acked bytes were acknowledged, but not all that was out when it began. */
void tcp_newreno_partial_ack(struct tcp_sock *tp, uint32_t acked);
/* All of it: deflate. */
void tcp_newreno_full_ack(struct tcp_sock *tp);

/* ================ tcp_scoreboard.c: the marks on what was sent ================ */

void tcp_board_mark_sacked(struct tcp_sock *tp, struct sk_buff *skb);
/* Lost; no effect on what the peer has or what is marked and unsent already. */
void tcp_board_mark_lost(struct tcp_sock *tp, struct sk_buff *skb);
/* Sent again just now. */
void tcp_board_mark_resent(struct tcp_sock *tp, struct sk_buff *skb);
/* The FIN was sent again, or has arrived. */
void tcp_board_fin_not_lost(struct tcp_sock *tp);
/* Everything sent that the peer is not known to have is lost, a FIN too. */
void tcp_board_lose_all(struct tcp_sock *tp);
/* Nothing is lost after all. */
void tcp_board_lose_none(struct tcp_sock *tp);
/* The peer may have thrown away what it had (RFC 2018 8): forget that. */
void tcp_board_forget_sacks(struct tcp_sock *tp);
/* n bytes at the front of skb are acknowledged and about to go, with skb itself if they are all. */
void tcp_board_acked(struct tcp_sock *tp, struct sk_buff *skb, uint32_t n);
/* The first buffer that is lost and to be sent again, or NULL. */
struct sk_buff *tcp_board_next_lost(struct tcp_sock *tp);
/* RFC 6675 4 IsLost(): mark what more than DupThresh segments have overtaken. */
void tcp_board_mark_overtaken(struct tcp_sock *tp);

/* ================ tcp_sack.c: SACK blocks that come in, RFC 2018 5, RFC 2883 4 ================ */

/* Mark what the blocks of seg cover. To be called before snd_una moves. */
void tcp_sack_take(struct tcp_sock *tp, const struct tcp_segment *seg, struct tcp_ack_news *news);

/* ================ tcp_rack.c: loss by time, RFC 8985 6 ================ */

/* A buffer has arrived, by a block or by the number: the round trip, and what it tells of reordering. */
void tcp_rack_delivered(struct tcp_sock *tp, struct sk_buff *skb, const struct tcp_ack_news *news);
/* Mark as lost what was sent a reordering window before something that has arrived; the timer for the rest.
 */
void tcp_rack_detect(struct tcp_sock *tp);
/* An ACK came, with or without a D-SACK: how wide shall the reordering window be? */
void tcp_rack_adapt(struct tcp_sock *tp, bool dsack);
/* A recovery is over. */
void tcp_rack_recovered(struct tcp_sock *tp);

/* ================ tcp_tlp.c: the tail loss probe, RFC 8985 7 ================ */

/* Something was sent or acknowledged: the probe's timer instead of the retransmission timer, if it applies.
 */
void tcp_tlp_schedule(struct tcp_sock *tp);
void tcp_tlp_fired(struct tcp_sock *tp, uint64_t now);
/* An ACK came: is the probe answered, and what did it repair? */
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);

/* ================ tcp_undo.c: needless retransmissions, RFC 3522, 3708, 5682 ================ */

/* cwnd and ssthresh are about to fall. */
void tcp_undo_save(struct tcp_sock *tp);
/* A segment went again. */
void tcp_undo_resent(struct tcp_sock *tp);
/* A D-SACK came, for text up to end. */
void tcp_undo_dsack(struct tcp_sock *tp, uint32_t end);
/* An ACK came: if it shows that nothing had been lost, everything is as before. True then. */
bool tcp_undo_try(struct tcp_sock *tp, const struct tcp_ack_news *news);

/* ================ tcp_sack_report.c: SACK blocks that go out, RFC 2018 4, RFC 2883 4 ================ */

/* The text [start, end) lies in ofo_queue now. */
void tcp_sack_queued(struct tcp_sock *tp, uint32_t start, uint32_t end);
/* rcv_nxt has moved. */
void tcp_sack_advanced(struct tcp_sock *tp);
/* The text from seq on is gone from ofo_queue: it must be sent again, and is told of no more. */
void tcp_sack_pruned(struct tcp_sock *tp, uint32_t seq);
/* The text [start, end) had been there already. */
void tcp_sack_duplicate(struct tcp_sock *tp, uint32_t start, uint32_t end);
/* Bytes of options that the blocks would take in a segment now. */
uint32_t tcp_sack_room(const struct tcp_sock *tp);
/* Add as many blocks as room bytes hold to o, whose other options are set. */
void tcp_sack_write(struct tcp_sock *tp, struct tcp_options *o, uint32_t room);
