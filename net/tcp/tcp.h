/* net/tcp/tcp.h - the connection: its control block, the state of TCP in one struct net, and what TCP's files
 * know of each other. Private to net/tcp but for tcp_module.
 *
 * Way in:  tcp_ipv4.c (look-up) -> tcp_input.c (segment arrival) -> tcp_ack.c, tcp_reassembly.c
 * Way out: tcp_send.c (the user's bytes) -> tcp_output.c (plan, then emit) -> ip_queue_xmit()
 *
 * Locking: sk->lock guards the control block. A connection's link in its listener's queue is guarded by the
 * listener's SOCK_LISTEN lock, which is taken inside the child's. References: the user (or the listener's
 * queue in his stead), the two tables, and every armed timer hold one each. */
#pragma once
#include "net/core/sock.h"
#include "net/ipv4/inet_ports.h"
#include "net/ipv4/ip.h"
#include "net/tcp/seq.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_counters.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_mem.h"
#include "net/tcp/tcp_mtu_probe.h"
#include "net/tcp/tcp_options.h"
#include "net/tcp/tcp_pacing.h"
#include "net/tcp/tcp_repair.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_syncache.h"
#include "net/tcp/tcp_timewait.h"

extern const struct net_module tcp_module;

/* RFC 9293 3.3.2, with the numbers that /proc/net/tcp shows. */
enum tcp_state_name {
    TCPS_ESTABLISHED = 1,
    TCPS_SYN_SENT,
    TCPS_SYN_RECEIVED,
    TCPS_FIN_WAIT_1,
    TCPS_FIN_WAIT_2,
    TCPS_TIME_WAIT,
    TCPS_CLOSED,
    TCPS_CLOSE_WAIT,
    TCPS_LAST_ACK,
    TCPS_LISTEN,
    TCPS_CLOSING
};
/* A set of states, for questions like `state in (ESTABLISHED, CLOSE_WAIT)`. */
_Static_assert((int)TCPS_LISTEN == (int)SOCK_STATE_LISTENING, "what SO_ACCEPTCONN looks at");
#define TCPS_BIT(state) (1u << TCPS_##state)
enum {
    TCPS_SYNCHRONISED = TCPS_BIT(ESTABLISHED) | TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(FIN_WAIT_2) |
                        TCPS_BIT(CLOSE_WAIT) | TCPS_BIT(CLOSING) | TCPS_BIT(LAST_ACK) | TCPS_BIT(TIME_WAIT),
    TCPS_MAY_RECEIVE = TCPS_BIT(ESTABLISHED) | TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(FIN_WAIT_2),
    TCPS_MAY_SEND = TCPS_BIT(ESTABLISHED) | TCPS_BIT(CLOSE_WAIT),
    /* our data or FIN may still be on the way */
    TCPS_SENDING = TCPS_MAY_SEND | TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(CLOSING) | TCPS_BIT(LAST_ACK)
};

/* TCP in one struct net. */
struct tcp_state {
    struct tcp_table table;               /* connections by four-tuple, hashed with net->hash_key */
    struct tcp_syncache syncache;         /* half-open connections of listeners */
    struct tcp_memory mem;                /* what all buffers may cost */
    struct tcp_timewaits timewaits;       /* what is left of those that ended; they are in the table, too */
    struct port_table ports;              /* everything with a local port */
    struct hash_key isn_key;              /* RFC 6528 3; and of cookies */
    uint64_t counters[TCP_COUNTER_COUNT]; /* atomic, relaxed */
    struct net *net;
    const struct tcp_cong_ops *cong; /* for new connections; READ_ONCE: a sysctl changes it */
    char cong_name[16];
    int32_t initial_window; /* segments; 0: RFC 6928 */

    /* read without a lock; tcp_sysctl.c */
    int32_t rmem[3], wmem[3]; /* the least, the first and the largest buffers */
    bool moderate_rcvbuf;
    int32_t mtu_probing; /* RFC 4821: 0 never, 1 when a black hole is suspected, 2 always */
    int32_t base_mss, mtu_floor, probe_threshold;
    uint64_t probe_interval; /* ns */
    int32_t max_syn_backlog; /* half-open connections of a listener, should its backlog be smaller */
    int32_t syncookies;      /* 0: never, 1: when the queue is full, 2: always */
    int32_t ecn;             /* 0: never, 1: ask and agree, 2: agree when asked */
    int32_t max_time_waits;  /* more connections than that do not wait */
    bool timestamps, window_scaling, sack, dsack;
    bool rack;                                /* loss by time (RFC 8985), else by number (RFC 6675) */
    bool tlp, frto_on;                        /* RFC 8985 7, RFC 5682 */
    bool pacing;                              /* of every connection, whatever its congestion control wants */
    int32_t pacing_ss_ratio, pacing_ca_ratio; /* percent of a window a round trip */
    bool hystart;                             /* RFC 9406 */
    bool slow_start_after_idle;               /* RFC 5681 4.1, RFC 2861 */
    int32_t challenge_ack_limit;
    /* what the durations *_give_up below are made from */
    int32_t syn_retries, synack_retries, data_retries, orphan_retries;
    int32_t quickacks;  /* segments acknowledged at once when a connection begins */
    int32_t rto_min_us; /* rto.least */
    bool no_metrics_save, no_ssthresh_metrics_save; /* tcp_metrics.c */
    int32_t metrics_flush;                          /* written: forget them; reads as 0 */
    int32_t trace;                                  /* tcp_trace.h; of new connections */

    /* durations in ns; defaults set by tcp_sysctl_init(), tests and sysctls change them; of rto and keep_* a
     * connection takes a copy when it is made, the others are read when they are needed */
    uint64_t time_wait;   /* 2 MSL, RFC 9293 3.4.2 */
    uint64_t fin_timeout; /* FIN-WAIT-2 of a socket nobody has open */
    uint64_t syn_give_up; /* R2 for a SYN of ours, RFC 9293 3.8.3 */
    uint64_t synack_give_up;
    uint64_t data_give_up;   /* R2 for data */
    uint64_t orphan_give_up; /* the same when nobody has the socket open */
    struct tcp_rto_bounds rto;
    uint64_t delack_time;              /* RFC 9293 3.8.6.3; 0: every segment is acknowledged at once */
    uint64_t keep_idle, keep_interval; /* RFC 9293 3.8.4 */
    int32_t keep_count;

    struct sock_family family;
    struct net_proc_file proc_tcp, proc_counters, proc_metrics, snmp_section, netstat_section;
    struct sysctl_table sysctls;
};

void tcp_sysctl_init(struct net *net); /* tcp_sysctl.c: the knobs' defaults and table */

enum tcp_timer_kind {
    TCP_TIMER_REXMIT,  /* RFC 6298: the oldest unacknowledged segment */
    TCP_TIMER_PROBE,   /* RFC 8985 7: the tail loss probe, ahead of it */
    TCP_TIMER_REORDER, /* RFC 8985 6.3: what is late will count as lost */
    TCP_TIMER_PACE,    /* the next quantum may go (tcp_pacing.c) */
    TCP_TIMER_PERSIST, /* RFC 9293 3.8.6.1: probe a shut window; and the SWS override */
    TCP_TIMER_DELACK,  /* RFC 9293 3.8.6.3 */
    TCP_TIMER_KEEP,    /* RFC 9293 3.8.4 */
    TCP_TIMER_STATE,   /* the time-out of an orphan in FIN-WAIT-2 */
    TCP_TIMER_COUNT
};
/* The deadlines are what counts (TIME_NEVER: stopped); the timer beneath may fire early and then looks again,
 * so that moving a deadline backwards, once an ACK, costs nothing. */
struct tcp_timers {
    struct timer timer;
    uint64_t armed_for;
    uint64_t deadlines[TCP_TIMER_COUNT];
};

/* What is known of the byte at the mark. */
enum tcp_urgent {
    TCP_URGENT_NONE,    /* there is no mark ahead */
    TCP_URGENT_AWAITED, /* it has not come */
    TCP_URGENT_HERE,    /* MSG_OOB gives it */
    TCP_URGENT_READ     /* and has given it */
};

/* A listening socket's connections in the making. */
struct tcp_listener {
    struct lock lock;             /* SOCK_LISTEN: what follows */
    struct list_head established; /* for accept(), first come first served */
    uint32_t n_established;
    uint32_t n_places; /* taken in it: by these, and by those about to be queued */
    uint32_t backlog;  /* READ_ONCE without the lock, and so the next */
    bool closed;

    struct list_head half_open; /* struct tcp_half_open.mine, the oldest first; the SYN cache's lock */
    uint32_t n_half_open;       /* the same */

    uint64_t cookies_until; /* atomic: a cookie may come back until then; 0: none was sent */
};

struct tcp_sock {
    struct sock sk; /* first: a struct sock * of ours is a struct tcp_sock * */

    /* ---- send sequence space, RFC 9293 3.3.1: snd_una <= snd_nxt <= write_seq, one more with the FIN ----
     */
    uint32_t snd_una, snd_nxt, snd_wnd, snd_up, snd_wl1, snd_wl2, iss;
    uint32_t max_window; /* the largest snd_wnd ever: RFC 9293 3.8.6.2.1, RFC 5961 5.2 */
    uint32_t snd_small;  /* the end of the last segment below mss that was sent: Nagle */
    uint32_t write_seq;  /* behind the last byte queued; the FIN's number, if fin_queued */
    bool fin_queued;
    uint8_t snd_wscale;              /* RFC 7323 2.2: the peer's shift */
    struct sk_buff_head write_queue; /* text from snd_una to write_seq, see struct tcp_skb_cb */
    struct sk_buff *send_head;       /* in it: the first one not sent, at snd_nxt; or NULL */

    /* ---- receive sequence space ---- */
    uint32_t rcv_nxt, rcv_wnd, rcv_up, irs;
    uint8_t rcv_wscale;            /* our shift; 0 until both sides agreed */
    bool ack_now;                  /* owe the peer an ACK at once */
    bool interactive;              /* we answer what we receive: our text carries the ACK (tcp_delack.c) */
    uint32_t quickacks;            /* segments still to be acknowledged at once */
    uint64_t last_text_at;         /* when text last came in order; 0: none did */
    uint32_t last_ack_sent;        /* rcv_nxt in the latest ACK */
    uint32_t rcv_mss;              /* what counts as a full-sized segment of the peer */
    uint32_t tune_end;             /* when rcv_nxt gets here half a window has come */
    uint64_t tune_since;           /* since then */
    struct sk_buff_head ofo_queue; /* out of order: sorted, without overlaps (tcp_ofo.c) */
    struct sk_buff *ofo_root;      /* the same buffers as a tree */
    uint64_t ofo_truesize;
    uint64_t ofo_packed; /* the least ofo_truesize since tcp_prune.c last moved them together */
    bool fin_reached;    /* the peer's FIN is next at rcv_nxt */

    /* ---- urgent text, RFC 9293 3.8.5 and RFC 6093 (tcp_urgent.c); rcv_up - 1 is the mark ---- */
    bool snd_urgent;                 /* snd_up lies ahead of snd_una */
    bool oob;                        /* the send under way said MSG_OOB */
    uint8_t rcv_urgent, urgent_byte; /* enum tcp_urgent; the byte at the mark */

    /* ---- selective acknowledgement, RFC 2018 and 2883: what we report (tcp_sack_report.c) ---- */
    bool sack_ok;      /* both SYNs permitted it */
    bool dsack_due;    /* dsack came twice, and the peer is still to hear of it */
    uint8_t n_reports; /* blocks of ofo_queue, the latest first */
    struct tcp_sack_block reports[TCP_SACKS_MAX], dsack;

    /* ---- marks of congestion, RFC 3168 (tcp_ecn.c) ---- */
    bool ecn_ok;          /* both ends agreed */
    bool ecn_asked;       /* our SYN did */
    bool ece_due;         /* a mark came: the peer is told until it says it heard */
    bool cwr_due;         /* we heard: the next new segment says so */
    uint32_t ecn_recover; /* snd_nxt when the window last fell for a mark: once a round trip */

    /* ---- timestamps, RFC 7323 ---- */
    bool ts_ok; /* both SYNs had the option */
    uint32_t ts_offset, ts_recent;
    uint64_t ts_recent_at;

    /* ---- segment sizes ---- */
    uint32_t mss;      /* the largest text we send now, options taken off */
    uint16_t peer_mss; /* from its SYN, or TCP_MSS_DEFAULT */
    uint16_t user_mss; /* TCP_MAXSEG, 0: none */
    struct dst_entry *dst;
    struct tcp_mtu_search mtu; /* the path's MTU, found by probing */

    /* ---- congestion and loss ---- */
    struct tcp_rtt rtt;
    const struct tcp_cong_ops *cong;
    uint32_t cwnd, ssthresh, traced_cwnd, traced_ssthresh;
    uint64_t cong_state[TCP_CONG_STATE / sizeof(uint64_t)]; /* the module's own */
    uint32_t round_end;                                     /* snd_nxt when this round trip began */
    struct tcp_usage usage;
    struct tcp_rate rate;
    struct tcp_pacing pacing;
    enum tcp_recovery recovery;
    uint32_t recover; /* RFC 6582 3.2, RFC 6675 4 RecoveryPoint: snd_nxt when the loss was noticed */
    uint32_t dupacks;
    bool partial_ack_seen; /* in this fast recovery */
    struct tcp_prr prr;    /* the same, with SACK */
    struct tcp_board board;
    struct tcp_rack rack;
    struct tcp_undo undo;
    struct tcp_tlp tlp;
    enum tcp_frto frto; /* in TCP_LOSS */
    uint8_t tracing;    /* bits of tcp_trace.h: which trace points this connection has */

    /* ---- timers ---- */
    struct tcp_timers timers;
    unsigned backoff; /* doublings of the rto since the last fresh sample */
    unsigned persist_backoff;
    unsigned retransmits;   /* time-outs since snd_una moved */
    uint64_t syn_sent_at;   /* when the first SYN (or SYN+ACK) left */
    uint64_t unacked_since; /* when the first time-out's segment had first been sent; R2 counts from here */
    uint64_t shut_since;    /* when the window that is shut was first probed */
    uint64_t last_sent_at;  /* text or FIN */
    uint64_t user_timeout;  /* TCP_USER_TIMEOUT in ns: R2 of this connection; 0: the usual one */
    uint64_t orphaned_at;   /* close() */
    bool orphan;            /* and is counted in n_orphans */
    uint32_t mem_taken;     /* pages of the host's memory for connections */
    uint64_t last_ack_at;   /* when the peer was last heard to acknowledge anything */
    uint64_t bytes_acked, bytes_received; /* TCP_INFO, and the next three */
    uint32_t segs_out, segs_in, total_retrans;
    uint32_t data_segs_out, data_segs_in; /* the same with text, and what they carried: */
    uint64_t bytes_sent, bytes_retrans;   /* what went again counts in both */
    uint32_t dsacks_in, ofo_in,
        reorderings;                       /* D-SACKs; segments out of order; times that showed reordering */
    uint16_t timeouts, timeout_recoveries; /* of the timer; losses that it began and that are over */
    uint64_t timeout_time, timeout_since;  /* how long those lasted; since when the present one */
    uint64_t challenge_since;              /* start of the second that challenges counts in */
    unsigned challenges;

    /* ---- user's side ---- */
    bool nodelay;
    struct skb_notice *notice; /* MSG_ZEROCOPY: of the call whose turn to write it is, or NULL */
    bool cork, more;           /* TCP_CORK; the last send said MSG_MORE: only full segments go */
    uint64_t keep_idle, keep_interval;
    unsigned keep_count, keep_probes; /* probes that may go, and did go, unanswered */
    uint64_t keep_probed_at;
    unsigned syn_count;      /* TCP_SYNCNT: SYNs again before connect() gives up; 0: by time */
    int linger2;             /* TCP_LINGER2 in seconds; 0: the default, -1: do not wait in FIN-WAIT-2 */
    uint32_t defer_accept;   /* TCP_DEFER_ACCEPT, seconds */
    uint32_t notsent_lowat;  /* TCP_NOTSENT_LOWAT, 0: none */
    uint32_t window_clamp;   /* TCP_WINDOW_CLAMP, 0: none */
    bool thin;               /* TCP_THIN_LINEAR_TIMEOUTS: kept */
    bool fastopen_no_cookie; /* kept */
    bool inq;                /* TCP_INQ: recvmsg() tells how much more waits */
    uint32_t fastopen_queue; /* TCP_FASTOPEN: kept, but nobody opens fast here */
    bool connecting;         /* connect() has begun and not been reported finished */
    bool connected;          /* and has been: until connect(AF_UNSPEC) there is no other */
    int soft_err;            /* an ICMP error that is told only when the connection times out */

    /* ---- listening ---- */
    struct tcp_listener *listener; /* of a listening socket; freed with it */
    struct list_head accept_link;  /* in its listener's queue for accept(); SOCK_LISTEN */

    struct tcp_node node; /* SOCK_TABLE lock of its stripe */
};

static inline struct tcp_sock *tcp_sk(struct sock *sk)
{
    return (struct tcp_sock *)sk;
}
static inline struct tcp_state *tcp_state_of(const struct tcp_sock *tp)
{
    return tp->sk.net->tcp;
}
static inline bool tcp_in(const struct tcp_sock *tp, uint32_t states)
{
    return (states >> tp->sk.state & 1) != 0;
}
static inline void tcp_count(struct net *net, enum tcp_counter c)
{
    __atomic_fetch_add(&net->tcp->counters[c], 1, __ATOMIC_RELAXED);
}

static inline void tcp_count_many(struct net *net, enum tcp_counter c, uint64_t n)
{
    __atomic_fetch_add(&net->tcp->counters[c], n, __ATOMIC_RELAXED);
}

/* TCP's part of a buffer in write_queue or ofo_queue. seq is the number of skb->data[0]. */
struct tcp_skb_cb {
    union {
        struct {
            uint64_t sent_at, last_sent_at; /* write queue: the first and the latest time it was sent */
        };
        struct {
            struct sk_buff *left, *right; /* out-of-order queue: its children in the tree */
        };
    };
    uint32_t seq;
    union {
        uint32_t priority; /* out-of-order queue: no child's is higher */
        uint32_t
            delivered; /* write queue, tcp_rate.c: as it was when it was last sent; and so the next three */
    };
    uint32_t delivered_before, sending;
    bool app_limited;
    bool push; /* the end of a user's write */
    bool fin;  /* out-of-order queue: a FIN follows the text */
    bool sent;
    bool resent;   /* more than once (Karn, RFC 6298 3) */
    bool sacked;   /* the peer has it */
    bool lost;     /* it had been lost before it was last sent, or is now: */
    bool lost_now; /* and still is to be sent again */
};
_Static_assert(sizeof(struct tcp_skb_cb) <= sizeof(((struct sk_buff *)0)->cb), "the owner's scratch");
static inline struct tcp_skb_cb *tcp_cb(struct sk_buff *skb)
{
    return (struct tcp_skb_cb *)skb->cb;
}
static inline uint32_t tcp_skb_end(struct sk_buff *skb)
{
    return tcp_cb(skb)->seq + skb->len;
}
/* Bytes believed to be in the network: RFC 6675 3's pipe. Without SACK and outside of a loss it is
 * FlightSize. */
static inline uint32_t tcp_flight(const struct tcp_sock *tp)
{
    return tp->snd_nxt - tp->snd_una - tp->board.sacked - tp->board.lost;
}

/* ================ tcp_state.c: life and state; sk->lock held in all ================ */

extern const struct sock_ops tcp_sock_ops; /* tcp_module.c */

/* A fresh control block in CLOSED. For sock_create() and for children. 0. */
int tcp_init_sock(struct sock *sk);
/* The only place where sk->state changes: asserts that RFC 9293 figure 5 has the arrow, traces it, and wakes
 * whoever waits. */
void tcp_set_state(struct tcp_sock *tp, enum tcp_state_name state);
/* "TCB deleted": to CLOSED, out of both tables, timers stopped, unsent data freed. The caller holds a
 * reference. */
void tcp_done(struct tcp_sock *tp);
/* The connection died: the user gets err (positive) once, then end of file. tcp_done() included. */
void tcp_fail(struct tcp_sock *tp, int err);
/* ABORT, RFC 9293 3.10.5: a reset to the peer where it knows us, then tcp_fail(err). */
void tcp_abort(struct tcp_sock *tp, int err);
/* The last reference is gone. */
void tcp_destroy_sock(struct sock *sk);

/* ================ tcp_hash.c; the rest in tcp_hash.h ================ */

static inline struct tcp_sock *tcp_node_sock(struct tcp_node *node)
{
    return container_of(node, struct tcp_sock, node);
}
static inline struct tcp_ends tcp_ends_of(const struct tcp_sock *tp)
{
    return (struct tcp_ends){ tp->sk.saddr, tp->sk.daddr, tp->sk.sport, tp->sk.dport };
}
/* Those of whom seg is for. */
static inline struct tcp_ends tcp_segment_ends(const struct tcp_segment *seg)
{
    return (struct tcp_ends){ seg->daddr, seg->saddr, seg->dest, seg->source };
}
/* RFC 6528 3: the initial sequence number for these ends now. */
uint32_t tcp_initial_seq(struct net *net, const struct tcp_ends *ends);

/* ================ tcp_input.c: segment arrival, RFC 9293 3.10.7; softirq ================ */

/* seg arrived for tp (a connection, not a listener). Takes seg->skb or leaves it with seg->reason. False: tp
 * has been closed meanwhile or makes way for a new connection, the caller looks again. Takes sk->lock. */
bool tcp_receive(struct tcp_sock *tp, struct tcp_segment *seg);
/* Mark seg as dropped for reason. */
void tcp_drop(struct tcp_segment *seg, enum skb_drop_reason reason);
/* RFC 5961 7: an ACK that asks the peer whether it meant that; held back when too many. Lock held. */
void tcp_challenge_ack(struct tcp_sock *tp);
/* Enter ESTABLISHED with the window and MSS seg brought: congestion control begins. Lock held. */
void tcp_establish(struct tcp_sock *tp, const struct tcp_segment *seg);
/* The same with the lock held, in any state behind SYN-SENT. */
void tcp_receive_locked(struct tcp_sock *tp, struct tcp_segment *seg);
/* What both sides' SYNs permit, when the peer's had the options theirs. */
struct tcp_options tcp_agree(const struct tcp_state *tcp, const struct tcp_options *theirs);
/* What was agreed upon into the control block. Lock held. */
void tcp_take_syn_options(struct tcp_sock *tp, const struct tcp_options *o);

/* ================ tcp_gro.c: trains of segments (net/core/gro.h); softirq ================ */

/* struct inet_protocol's questions. */
bool tcp_gro_begins(struct sk_buff *skb, uint32_t n);
enum gro_verdict tcp_gro_follows(struct sk_buff *train, struct sk_buff *skb, uint32_t n, bool alike);
/* Is the train just what comes next, all of it inside the window and nothing missing before it? Then every
 * rule says the same of it as of its segments one by one. Lock held. */
bool tcp_train_is_segment(const struct tcp_sock *tp, const struct tcp_segment *seg);

/* ================ tcp_ack.c ================ */

/* Step 5 for a segment whose ACK is acceptable, snd_una <= SEG.ACK <= snd_nxt: frees what is acknowledged,
 * updates the window, samples the round trip, feeds recovery and congestion control. Lock held. */
void tcp_ack(struct tcp_sock *tp, const struct tcp_segment *seg);
/* RFC 9293 3.10.7.4: SND.WND from seg, unless seg is older than the last that set it. Lock held. */
void tcp_update_window(struct tcp_sock *tp, const struct tcp_segment *seg);

/* ================ tcp_ecn.c: RFC 3168; lock held ================ */

/* The flags that ECN adds to a segment with these flags; new_text: it carries text sent for the first time.
 */
uint8_t tcp_ecn_flags(struct tcp_sock *tp, uint8_t flags, bool new_text);
/* What new text has in the two low bits of its TOS. */
uint8_t tcp_ecn_codepoint(const struct tcp_sock *tp);
/* The peer's SYN came. */
void tcp_ecn_begin(struct tcp_sock *tp, const struct tcp_segment *seg);
/* Does the listener agree, when the SYN seg asks? Without lock. */
bool tcp_ecn_agrees(const struct tcp_sock *listener, const struct tcp_segment *seg);
/* A segment in the window came: is it marked, has the peer heard of the last mark? */
void tcp_ecn_receive(struct tcp_sock *tp, const struct tcp_segment *seg);
/* An ACK came that echoes a mark. */
void tcp_ecn_echoed(struct tcp_sock *tp);

/* ================ tcp_timestamps.c: RFC 7323; lock held ================ */

#define TCP_TS_TICK ms(1) /* RFC 7323 5.4: between 1 ms and 1 s */
/* Where our clock begins for these ends: nobody can guess (RFC 7323 7.1), and the next connection between
 * them goes on from there (RFC 6191 2). */
uint32_t tcp_ts_offset(struct net *net, const struct tcp_ends *ends);
/* Our clock, one tick a millisecond. */
uint32_t tcp_ts_now(const struct tcp_sock *tp);
/* The same of whoever has no control block, by its offset. */
uint32_t tcp_ts_clock(uint32_t offset);
/* 5.3 R1, 5.5: is ts_val before recent, which the peer told at recent_at? */
bool tcp_ts_is_old(uint32_t ts_val, uint32_t recent, uint64_t recent_at);
/* The peer's SYN had these options. */
void tcp_ts_begin(struct tcp_sock *tp, const struct tcp_options *o);
/* 3.2: agreed upon, but not there. */
bool tcp_ts_missing(const struct tcp_sock *tp, const struct tcp_segment *seg);
/* 5.3 R1: an old duplicate from before the numbers wrapped. */
bool tcp_paws_rejects(const struct tcp_sock *tp, const struct tcp_segment *seg);
/* 4.3: an acceptable segment's clock is the one to echo, if the segment is next in line. */
void tcp_ts_update(struct tcp_sock *tp, const struct tcp_segment *seg);
/* Is echo (a TSecr) from before that time by our clock? False when timestamps are off. */
bool tcp_ts_before(const struct tcp_sock *tp, uint32_t echo, uint64_t time);
/* 4.1: the round trip in ns of what was sent again at resent_at, by the clock that seg echoes. 0: none, or
 * seg answers an earlier copy. */
uint64_t tcp_ts_round_trip(const struct tcp_sock *tp, const struct tcp_segment *seg, uint64_t resent_at);

/* ================ tcp_reassembly.c ================ */

/* Step 7: queue the text of seg that lies in the window, in order or out of it. Takes seg->skb, or drops seg
 * when nothing of it is new. True if rcv_nxt moved. Sets fin_reached when the peer's FIN is next. Lock
 * held. */
bool tcp_queue_text(struct tcp_sock *tp, struct tcp_segment *seg);
/* Move skb's text into tail, the buffer just before it, where that is cheap and saves a buffer. True: skb is
 * used up; queue->bytes is right, whoever charges for tail need not. */
bool tcp_coalesce(struct sk_buff_head *queue, struct sk_buff *tail, struct sk_buff *skb);

/* ================ tcp_ofo.c: the out-of-order queue; lock held ================ */

/* The last buffer that begins at or before seq, or NULL. Logarithmic time, whatever the peer sends. */
struct sk_buff *tcp_ofo_predecessor(const struct tcp_sock *tp, uint32_t seq);
/* Put skb behind before (NULL: first). No other buffer begins where it does. */
void tcp_ofo_link(struct tcp_sock *tp, struct sk_buff *before, struct sk_buff *skb);
void tcp_ofo_unlink(struct tcp_sock *tp, struct sk_buff *skb);
/* Free all of it. */
void tcp_ofo_purge(struct tcp_sock *tp);

/* ================ tcp_prune.c: what the peer's text may cost; lock held ================ */

/* Is there memory for skb, which has text that begins at its seq? What is queued is moved together and, if it
 * must be, text farther away than skb is given up (RFC 2018 8). SKB_NOT_DROPPED, or why skb is to be dropped.
 * In order a little more is let in than out of order. */
enum skb_drop_reason tcp_make_room(struct tcp_sock *tp, struct sk_buff *skb);

static inline bool tcp_mem_short(const struct tcp_sock *tp) /* the rest in tcp_mem.h */
{
    return READ_ONCE(tcp_state_of(tp)->mem.pressure);
}

/* ================ tcp_urgent.c: RFC 9293 3.8.5, RFC 6093; lock held ================ */

/* All that is queued is urgent: SND.UP <- its end. */
void tcp_urgent_send(struct tcp_sock *tp);
/* snd_una has moved while snd_urgent. */
void tcp_urgent_acked(struct tcp_sock *tp);
/* Can a segment at snd_una say where the urgent text ends? */
bool tcp_urgent_in_reach(const struct tcp_sock *tp);
/* The flag and the pointer for a segment at seq, while snd_urgent. */
void tcp_urgent_write(const struct tcp_sock *tp, struct tcp_hdr *th, uint32_t seq);
/* Sixth step: seg has URG, or a byte is awaited. */
void tcp_urgent_receive(struct tcp_sock *tp, const struct tcp_segment *seg);
/* The number of the next byte to be read; not while a segment is being processed. */
uint32_t tcp_read_seq(const struct tcp_sock *tp);
static inline uint32_t tcp_mark(const struct tcp_sock *tp)
{
    return tp->rcv_up - 1;
}
/* Is the next byte to be read the one at the mark? */
static inline bool tcp_at_mark(const struct tcp_sock *tp)
{
    return tp->rcv_urgent && tcp_read_seq(tp) == tcp_mark(tp);
}
/* Something was read while there was a mark: is it behind us? */
void tcp_urgent_passed(struct tcp_sock *tp);
/* FIONREAD: what waits to be read, up to the mark. */
uint32_t tcp_before_mark(const struct tcp_sock *tp);
/* recv() with MSG_OOB: 1, 0 at the end, -EINVAL (no urgent byte, or it is in the stream), -EAGAIN (it has
 * not come). Process context, no lock held. */
ssize_t tcp_urgent_recvmsg(struct tcp_sock *tp, struct message *msg, int flags);

/* ================ tcp_output.c; lock held ================ */

/* Send all that may be sent now and set the timers that follow from it. */
void tcp_output(struct tcp_sock *tp);
/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
void tcp_send_ack(struct tcp_sock *tp);
/* The ACK that is owed, if it still is. */
void tcp_flush_ack(struct tcp_sock *tp);
/* Our SYN, or SYN+ACK in SYN-RECEIVED; also again. */
void tcp_send_syn(struct tcp_sock *tp);
/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK> */
void tcp_send_reset(struct tcp_sock *tp);
/* RFC 9293 3.8.6.1: an old sequence number, which the peer must answer with its window. */
void tcp_send_probe(struct tcp_sock *tp);
/* Send the oldest unacknowledged segment again, whatever the windows say (RFC 6298 5.4). False when there is
 * none or memory is out. */
bool tcp_retransmit_first(struct tcp_sock *tp);
/* A tail loss probe (RFC 8985 7.3): one new segment, whatever cwnd says, or the last one again. False: none
 * could be sent. */
bool tcp_output_probe(struct tcp_sock *tp);
/* One more segment although SWS avoidance says no (RFC 9293 3.8.6.2.1, override). */
void tcp_output_override(struct tcp_sock *tp);

/* ================ tcp_transmit.c: headers on; softirq or process ================ */

/* Put a TCP header with this seq and these flags in front of skb (text only, SKB_TX_HEADROOM free) and send
 * it. Takes skb. Every segment with ACK settles what we owe. Lock held. */
void tcp_transmit(struct tcp_sock *tp, struct sk_buff *skb, uint32_t seq, uint8_t flags);
/* The same without text. */
void tcp_transmit_control(struct tcp_sock *tp, uint32_t seq, uint8_t flags);
/* Answer seg with a reset as RFC 9293 3.5.2 says, unless it is one. No lock needed. */
void tcp_reply_reset(const struct tcp_segment *seg);
/* A segment that no control block sends: a reset, the SYN+ACK of a half-open connection or a cookie, an
 * answer in TIME-WAIT. */
struct tcp_bare {
    uint32_t seq, ack;
    uint16_t window; /* the header's field */
    uint8_t flags;
    uint8_t ttl, tos;           /* 0: the defaults */
    uint32_t ifindex;           /* by which device; 0: the route's */
    struct tcp_options options; /* mss: the most to announce; the way to the peer may allow less */
};
/* Send it from ends->local to ends->peer. Any lock below ROUTE may be held. */
void tcp_send_bare(struct net *net, const struct tcp_ends *ends, const struct tcp_bare *bare);
/* A fresh look at the route if it is stale. 0 or -errno. Lock held. */
int tcp_check_route(struct tcp_sock *tp);
/* The MSS to announce, and tp->mss anew from route, path MTU, peer and user (RFC 9293 3.7.1). Lock held. */
uint16_t tcp_advertised_mss(const struct tcp_sock *tp);
void tcp_update_mss(struct tcp_sock *tp);

/* ================ tcp_window.c: what we offer; lock held ================ */

/* The window to put into a segment now: moves rcv_wnd, never its right edge backwards (RFC 9293 3.8.6,
 * SHLD-14), and only by worthwhile steps (3.8.6.2.2). The value of the header's field. */
uint16_t tcp_select_window(struct tcp_sock *tp, bool syn);
/* Bytes of text we could take beyond what is queued. */
uint32_t tcp_receive_space(const struct tcp_sock *tp);
/* The user has read: tell the peer, if the window opens far enough. */
void tcp_window_update(struct tcp_sock *tp);
/* The shift to announce (RFC 7323 2.2): enough for the largest receive buffer. */
uint8_t tcp_window_shift(void);

/* ================ tcp_buffers.c: how large; lock held ================ */

/* A window is to be measured from here on. */
void tcp_buffers_begin(struct tcp_sock *tp);
/* Half a window has come since, seg with the last of it: is it too small? */
void tcp_buffers_received(struct tcp_sock *tp, const struct tcp_segment *seg);
/* The congestion window has outgrown the send buffer. */
void tcp_buffers_grow_send(struct tcp_sock *tp);

/* ================ tcp_timer.c; lock held but for tcp_timers_init ================ */

void tcp_timers_init(struct tcp_sock *tp);
void tcp_timer_start(struct tcp_sock *tp, enum tcp_timer_kind kind, uint64_t duration);
void tcp_timer_stop(struct tcp_sock *tp, enum tcp_timer_kind kind);
static inline bool tcp_timer_running(const struct tcp_sock *tp, enum tcp_timer_kind kind)
{
    return tp->timers.deadlines[kind] != TIME_NEVER;
}
/* Disarm all for good. */
void tcp_timers_cancel(struct tcp_sock *tp);
/* Wait until no callback runs either. Process context, no lock held. */
void tcp_timers_cancel_sync(struct tcp_sock *tp);
/* RFC 6298 5.1-5.3: the rto from now; no later than the user's patience ends. */
void tcp_start_rexmit(struct tcp_sock *tp);

/* ================ tcp_delack.c: when to acknowledge, RFC 9293 3.8.6.3; lock held ================ */

/* n bytes of text came in order, and no gap is open: acknowledge it now (ack_now) or later. */
void tcp_acknowledge_text(struct tcp_sock *tp, uint32_t n);
/* The next segments are acknowledged at once, unless the connection is interactive. */
void tcp_quickack_begin(struct tcp_sock *tp);
/* The same whatever it is: the peer had to send something again. */
void tcp_quickack_again(struct tcp_sock *tp);
/* Text of ours goes out while the last that came is fresh. */
void tcp_quickack_answered(struct tcp_sock *tp);
/* New text was sent at last_sent_at: if what came is not older than that it is the answer. */
#define TCP_ANSWER_TIME ms(40)
static inline void tcp_quickack_text_out(struct tcp_sock *tp)
{
    if (!tp->interactive && tp->last_sent_at - tp->last_text_at < TCP_ANSWER_TIME)
        tcp_quickack_answered(tp);
}
/* tcp(7), TCP_QUICKACK: 0, or not; an even number for this once only. */
void tcp_quickack_set(struct tcp_sock *tp, int value);
void tcp_delack_fired(struct tcp_sock *tp, uint64_t now);

/* ================ tcp_keepalive.c; lock held ================ */

void tcp_keepalive_fired(struct tcp_sock *tp, uint64_t now);
/* The options or the state changed: begin anew, or stop. */
void tcp_keepalive_restart(struct tcp_sock *tp);

/* ================ tcp_listen.c ================ */

int tcp_listen(struct sock *sk, int backlog);
int tcp_accept(struct sock *sk, int flags, struct sock **newsk);
/* Stop listening and reset every connection not yet accepted (RFC 9293 3.10.4). Lock held on entry and
 * return, dropped in between. */
void tcp_listen_stop(struct tcp_sock *tp);
/* Connections that wait to be accepted. sk->lock held, of a listener. */
unsigned tcp_listen_ready(const struct tcp_sock *tp);
/* RFC 9293 3.10.7.2: a segment for a listener. Softirq, no lock held. */
void tcp_listen_receive(struct tcp_sock *listener, struct tcp_segment *seg);
/* Take a place in the queue for accept(). 0; -ENOBUFS: it is full; -ECONNREFUSED: closed. Takes the lock, and
 * so the next two. */
int tcp_listen_take_place(struct tcp_listener *l);
/* Nobody will come to take it. */
void tcp_listen_leave_place(struct tcp_listener *l);
/* Put the child, with a reference, on the place that was taken. Child's lock held. False: the listener is
 * closed, the reference is the caller's still. */
bool tcp_listen_queue(struct tcp_sock *listener, struct tcp_sock *child);
/* Is a connection ready for accept()? */
bool tcp_accept_ready(struct tcp_sock *tp);

/* ================ tcp_child.c; softirq, no lock held ================ */

/* A handshake up to its last ACK, as the SYN cache or a cookie remembers it. */
struct tcp_opening {
    struct tcp_segment syn; /* the peer's: addresses, ports, seq, ECN's flags; options as agreed upon */
    uint32_t iss;           /* of our SYN */
    uint16_t window;        /* it offered */
    unsigned retransmits;   /* it went again */
    uint64_t sent_at;       /* it went first; 0: nobody noted when */
};
/* seg ends the handshake o: a connection in ESTABLISHED or beyond, on the queue for accept(). Takes seg's
 * text. 0; -ENOBUFS (the queue is full), -ENOMEM, -ECONNREFUSED (the listener is closed), -EADDRINUSE (there
 * is one already), and then nothing has happened. */
int tcp_child_open(struct tcp_sock *listener, struct tcp_segment *seg, const struct tcp_opening *o);
/* Drop seg for such an error, with its reason; none for 0. */
void tcp_child_refused(struct tcp_segment *seg, int err);

/* ================ tcp_syncookie.c: RFC 4987 3.6; softirq, no lock held ================ */

/* Answer the SYN seg without keeping anything: what we must know again lies in our number and our clock. */
void tcp_cookie_send(struct tcp_sock *listener, const struct tcp_segment *seg);
/* Does seg acknowledge a cookie of ours, not older than two minutes? o is then the handshake, as far as the
 * cookie tells. */
bool tcp_cookie_check(const struct tcp_sock *listener, const struct tcp_segment *seg, struct tcp_opening *o);

/* ================ tcp_timewait.c; lock held; the rest in tcp_timewait.h ================ */

/* Enter TIME-WAIT: the ACK that is owed goes out, a struct tcp_timewait takes tp's place in the tables, and
 * tp is CLOSED. */
void tcp_time_wait(struct tcp_sock *tp);
/* How long an orphan waits in FIN-WAIT-2 (TCP_LINGER2). */
uint64_t tcp_fin_wait_time(const struct tcp_sock *tp);
/* Enter FIN-WAIT-2. */
void tcp_fin_wait_2(struct tcp_sock *tp);

/* ================ tcp_ipv4.c ================ */

extern const struct inet_protocol tcp_protocol;

/* ================ tcp_open.c, tcp_close.c, tcp_send.c, tcp_recv.c, tcp_sockopt.c: the user's calls ====== */

int tcp_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len);
/* bind() to an ephemeral port unless bound already. Lock held. */
int tcp_autobind(struct tcp_sock *tp, be32 addr);
int tcp_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags);
int tcp_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer);
void tcp_close(struct sock *sk);
int tcp_shutdown(struct sock *sk, int how);
/* connect() to AF_UNSPEC: end what there is, as if the socket were fresh but for the names that bind() gave.
 * Lock held on entry and return, for a listener dropped in between. */
void tcp_disconnect(struct tcp_sock *tp);
/* CLOSE, RFC 9293 3.10.4: a FIN behind everything queued. Lock held. */
void tcp_queue_fin(struct tcp_sock *tp);
ssize_t tcp_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t tcp_recvmsg(struct sock *sk, struct message *msg, int flags);
/* The first n bytes of skb, the head of the receive queue, are read. Lock held. */
void tcp_consume(struct tcp_sock *tp, struct sk_buff *skb, uint32_t n);
int tcp_poll(struct sock *sk);
int tcp_ioctl(struct sock *sk, unsigned request, uintptr_t arg);
/* A SOL_SOCKET option was set. Lock held. */
void tcp_option_set(struct sock *sk, int option);
int tcp_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len);
int tcp_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len);

/* ================ tcp_proc.c ================ */

void tcp_proc_init(struct net *net);
void tcp_proc_exit(struct net *net);
/* "ESTABLISHED" */
const char *tcp_state_text(int state);
