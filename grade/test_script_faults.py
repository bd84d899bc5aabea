"""TCP's scripts can fail: faults, each planted in one line of net/tcp, and the item whose script must notice.

The program is linked once for each fault, with that one file changed; then all scripts of TCP run on it.
"""
import re
import subprocess
from pathlib import Path

import pytest

from grade.conformance.mutants import OBJECTS, Mutant
from grade.script_wire import numbers

FAULTS = [Mutant(str(item), "tcp", pattern, into) for item, pattern, into in [
    (42, r"\.ack = has_ack \? 0 : seg->seq \+ seg->len", ".ack = has_ack ? 0 : seg->seq"),
    (42, r"\.flags = has_ack \? TCP_FLAG_RST : TCP_FLAG_RST \| TCP_FLAG_ACK", ".flags = TCP_FLAG_RST | TCP_FLAG_ACK"),
    (45, r"if \(has_ack && seg->ack != tp->snd_nxt\)", "if (false)"),
    (46, r"if \(!tcp_segment_has\(seg, TCP_FLAG_SYN\)\) \{ /\* fifth \*/", "if (false) {"),
    (47, r"if \(has_ack\)\s*tcp_fail\(tp, ECONNREFUSED\);", "tcp_fail(tp, ECONNREFUSED);"),
    (48, r"tcp_set_state\(tp, TCPS_SYN_RECEIVED\);\s*tcp_send_syn\(tp\);", "tcp_set_state(tp, TCPS_SYN_RECEIVED);"),
    (49, r"case TCPS_SYN_RECEIVED:\s*return ECONNREFUSED;", "case TCPS_SYN_RECEIVED: return ECONNRESET;"),
    (49, r"seg->seq == h->irs \+ 1 \? FORGET : CHALLENGE", "CHALLENGE"),
    (50, r"if \(seg->ack != h->iss \+ 1\)\s+return RESET;", "if (seg->ack != h->iss + 1)\n return IGNORE;"),
    (50, r"if \(repeats_syn\(h, seg\)\)", "if (false)"),
    (51, r"if \(seq_within\(seg->seq, tp->rcv_nxt, end\)\)\s*return true;", "return true;"),
    (51, r"if \(!tp->rcv_wnd\)\s*return seg->seq == tp->rcv_nxt;", "if (!tp->rcv_wnd) return true;"),
    (54, r"if \(!tcp_segment_has\(seg, TCP_FLAG_ACK\)\) /\* fifth: [^*]*\*/", "if (false)"),
    (55, r"if \(!ack_plausible\(tp, seg\)\)", "if (false)"),
    (55, r" && seq_after_eq\(seg->ack, tp->snd_una - tp->max_window\)", ""),
    (56, r"if \(!tp->fin_reached \|\| !tcp_in\(tp, TCPS_MAY_RECEIVE\)\)", "if (!tcp_segment_has(seg, TCP_FLAG_FIN))"),
    (56, r"skb_trim\(skb, keep\);\s*tcp_cb\(skb\)->fin = false;", "skb_trim(skb, keep);"),
    (57, r"if \(!checksum_right\(skb, ip\)\)", "if (false)"),
    (58, r"if \(header < TCP_HEADER_MIN \|\| header > skb->len\)", "if (header > skb->len)"),
    (60, r"if \(seg->seq != tp->rcv_nxt\) \{ /\* RFC 5961 3.2", "if (false) { /* "),
    (61, r"tcp_challenge_ack\(tp\); /\* RFC 5961 4.2", "tcp_fail(tp, ECONNRESET); /* "),
    (62, r"if \(tp->challenges\+\+ >= [^{]*\{", "if (false) {"),
    (63, r"case TCPS_CLOSE_WAIT:\s*return EPIPE;", "case TCPS_CLOSE_WAIT: return ECONNRESET;"),
    (64, r"if \(tcp_segment_has\(seg, TCP_FLAG_RST\)\) /\* RFC 9293 3.5.2[^*]*\*/", "if (false)"),
    (65, r"case TCPS_LAST_ACK:\s*tcp_done\(tp\);", "case TCPS_LAST_ACK:"),
    (66, r"tcp_set_state\(tp, TCPS_CLOSING\);", "tcp_time_wait(tp);"),
    (68, r"if \(tcp_segment_has\(seg, TCP_FLAG_FIN\) && seg->seq \+ seg->len == tw->rcv_nxt\)", "if (false)"),
    (69, r"tcp_drop\(seg, SKB_DROP_TCP_RESET\);\s*return true;", "tcp_timewait_end(seg->net, tw); return true;"),
    (70, r"return later \|\| seq_after\(seg->seq, tw->rcv_nxt\)", "return seq_after(seg->seq, tw->rcv_nxt)"),
    (70, r"return later \|\| seq_after\(seg->seq, tw->rcv_nxt\)", "return true"),
    (71, r"if \(tp->sk.dead\) /\* nobody waits[^*]*\*/", "if (false)"),
    (71, r"tp->linger2 \? sec\(tp->linger2\)", "false ? sec(tp->linger2)"),
    (72, r"bool unread = sk->receive_queue.bytes > 0;", "bool unread = false;"),
    (73, r"bool hard = sk->linger && !sk->linger_seconds;", "bool hard = false;"),
    (74, r"tcp_abort\(child, ECONNRESET\);\s*lock_release", "tcp_done(child); lock_release"),
    (75, r"if \(tp->sk.dead && seq_after\(seg->seq \+ text, tp->rcv_nxt\)\)", "if (false)"),
    (78, r"tp->snd_una - 1,\s*TCP_FLAG_ACK\); /\* 3.8.4", "tp->snd_una, TCP_FLAG_ACK); /* "),
    (79, r"o\.mss = o\.mss \? o\.mss : TCP_MSS_DEFAULT;", "o.mss = o.mss ? o.mss : 1460;"),
    (79, r"mss -= MIN\(mss, \(uint32_t\)TCP_TIMESTAMP_LENGTH\);", ";"),
    (79, r"if \(tp->user_mss\)\s*mss = MIN\(mss, \(uint32_t\)tp->user_mss\);\s*return", "return"),
    (80, r"if \(!newer\)", "if (false)"),
    (81, r"if \(seq_after\(v->lost_seq \+ MAX\(len, 1u\), window_end\(v\)\)\)", "if (false)"),
    (83, r"tp->persist_backoff\+\+;", ";"),
    (83, r"tp->unacked_since = time_now\(\);\s*tp->backoff = 0;", "tp->backoff = 0;"),
    (85, r"return space >= tp->rcv_wnd \+ step;", "return space > tp->rcv_wnd;"),
    (86, r"return nagle_lets && len >= v->max_window / 2;", "return true;"),
    (87, r"bool nagle_lets = v->nodelay \|\| !v->small_in_flight;", "bool nagle_lets = true;"),
    (87, r"\.cork = \(tp->cork \|\| tp->more\)", ".cork = (tp->more)"),
    (88, r">= 2 \* tp->rcv_mss", ">= 3 * tp->rcv_mss"),
    (88, r"tcp_timer_start\(tp, TCP_TIMER_DELACK, delay\)", "tcp_timer_start(tp, TCP_TIMER_DELACK, ms(600))"),
    (88, r"tp->quickacks = MIN\(MAX\(half_window, 2u\), most\);", ";"),
    (88, r"tp->interactive = true;\s*tp->quickacks = 0;\s*\}\s*void tcp_quickack_set", "} void tcp_quickack_set"),
    (89, r"tcp_send_ack\(tp\); /\* RFC 5681 4.2: at once", "tcp_acknowledge_text(tp, text); /* "),
    (90, r"MIN\(p\[2\], \(uint8_t\)TCP_WSCALE_MAX\)", "p[2] & 15"),
    (90, r"return tcp_segment_has\(seg, TCP_FLAG_SYN\) \? seg->window : seg->window << tp->snd_wscale;", "return seg->window << tp->snd_wscale;"),
    (90, r"MIN\(p\[2\], \(uint8_t\)TCP_WSCALE_MAX\)", "MIN(p[2], (uint8_t)13)"),
    (92, r"r->rttvar = r->rttvar - [^;]*;", ";"),
    (92, r"tcp->rto = \(struct tcp_rto_bounds\)\{ \.initial = sec\(1\)", "tcp->rto = (struct tcp_rto_bounds){ .initial = sec(3)"),
    (92, r"WRITE_ONCE\(tcp->rto.least, us\(\(uint64_t\)tcp->rto_min_us\)\);", ""),
    (93, r"if \(t->resent\)\s*return tcp_ts_round_trip\([^;]*;", ""),
    (94, r"tp->backoff\+\+;", ";"),
    (94, r"if \(tp->user_timeout\)\s*return tp->user_timeout;", ""),
    (94, r"return tp->retransmits > tp->syn_count;", "return tp->retransmits > 4;"),
    (97, r"tp->cong->timeout\(&v\);", ";"),
    (97, r"tp->frto = TCP_FRTO_RESENT; /\*", "tp->frto = TCP_FRTO_OFF; /*"),
    (97, r"tp->recovery == TCP_LOSS && tp->frto == TCP_FRTO_NEW && news->original", "tp->recovery == TCP_LOSS && tp->frto == TCP_FRTO_NEW"),
    (98, r"enum \{ DUPACK_THRESHOLD = 3 \};", "enum { DUPACK_THRESHOLD = 4 };"),
    (98, r" && seg->len == 0 &&\s*scaled_window\(tp, seg\) == tp->snd_wnd", ""),
    (98, r"r->window_mult \* tp->rtt.min / 4", "r->window_mult * tp->rtt.min / 2"),
    (98, r"tp->board.sacked >= DUPTHRESH \* tp->mss", "false"),
    (98, r"tp->rack.reordered = true;", ";"),
    (98, r"\(eifel\(tp, news\) \|\| ", "("),
    (98, r"u->all_dsacked = --u->resent == 0;", ";"),
    (99, r"tp->cwnd \+= tp->mss; /\* RFC 5681 3.2 step 4[^*]*\*/", ";"),
    (99, r"h->ecn_ok \? TCP_FLAG_ECE : 0; /\* RFC 3168 6.1.1 \*/", "0;"),
    (99, r"\(seg->flags & BOTH\) == BOTH", "(seg->flags & BOTH)"),
    (99, r"\(seg->flags & BOTH\) == TCP_FLAG_ECE", "(seg->flags & TCP_FLAG_ECE)"),
    (99, r"\(knob == ECN_ASK \|\| tp->cong->wants_ecn\) && !tp->retransmits", "(knob == ECN_ASK || tp->cong->wants_ecn)"),
    (99, r"seq_before_eq\(tp->snd_una, tp->ecn_recover\)", "false"),
    (99, r"tp->cwr_due = true;", ";"),
    (99, r"if \(tcp_segment_has\(seg, TCP_FLAG_CWR\)\) /\* 6\.1\.3 \*/", "if (true)"),
    (99, r"new_text \? tcp_ecn_codepoint\(tp\) : 0", "tcp_ecn_codepoint(tp)"),
    (100, r"tcp_count\(tp->sk.net, TCP_COUNT_partial_acks\);\s*tcp_retransmit_first\(tp\);", "tcp_count(tp->sk.net, TCP_COUNT_partial_acks);"),
    (101, r"MIN\(tp->dupacks, 2u\) \* tp->mss", "0 * tp->mss"),
    (102, r"return seq_before\(b->start, b->end\) && seq_after_eq\(b->start, tp->snd_una\) &&\s*seq_before_eq\(b->end, tp->snd_nxt\);", "return true;"),
    (102, r"last \? tcp_cb\(last\)->seq : tp->snd_una\)", "tp->snd_una)"),
    (102, r"v\.cwnd = v\.flight \+ v\.mss;", ";"),
    (102, r"\(may_wait \? WORST_DELACK : 0\)", "0"),
    (102, r"tcp_count\(tp->sk.net, TCP_COUNT_loss_probe_recoveries\);\s*tcp_recovery_congested\(tp\);", ""),
    (102, r"if \(!t->again \|\| news->dsack\)", "if (!t->again)"),
    (102, r"enum \{ DUPTHRESH = 3 \}; /\* RFC 6675 2 \*/", "enum { DUPTHRESH = 4 };"),
    (102, r"\(uint64_t\)p->delivered \* ssthresh", "(uint64_t)p->delivered * p->flight"),
    (105, r"if \(tp->snd_una == tp->snd_nxt\)\s*tcp_recovery_idle\(tp\);", ""),
    (106, r"if \(tcp_ts_missing\(tp, seg\)\)", "if (false)"),
    (107, r"if \(!tcp_paws_rejects\(tp, seg\)\)", "if (true)"),
    (107, r"if \(!tcp_paws_rejects\(tp, seg\)\)", "if (!tcp_ts_missing(tp, seg) && !tp->ts_recent)"),
    (108, r"trim_front\(skb, tp->rcv_nxt\);\s*if \(is_empty\(skb\) \|\| tcp_cb", "if (is_empty(skb) || tcp_cb"),
    (109, r"l->n_places > l->backlog", "false"),
    (110, r"o->sack_permitted = bits & SACK_BIT;", "o->sack_permitted = false;"),
    (110, r"o\.sack_permitted &= o\.has_timestamp;", ";"),
    (111, r"if \(hard && tcp_in\(tp, TCPS_BIT\(SYN_SENT\) \| TCPS_BIT\(SYN_RECEIVED\)\)\)", "if (hard)"),
    (112, r"return seq_within\(seq, tp->snd_una, tp->snd_nxt\);", "return true;"),
    (113, r"tcp_recovery_too_big\(tp\);\s*tcp_output\(tp\);", ""),
]]


def link(fault: Mutant, place: Path, folder: Path) -> Path:
    """The program with the fault at its place; the rest is as `make scripts` left it."""
    source, made, program = folder / "fault.c", folder / "fault.o", folder / "towpath-script"
    source.write_text(re.sub(fault.pattern, fault.into, place.read_text()))
    compiler, *flags = (OBJECTS / "flags").read_text().split()
    subprocess.run([compiler, *flags, "-O0", "-w", "-ffreestanding", "-c", "-o", made, source], check=True)
    objects = [path for part in ("lib", "net", "sim/script") for path in (OBJECTS / part).rglob("*.o")]
    rest = [path for path in [*objects, *(OBJECTS / "sim").glob("*.o")] if path != (OBJECTS / place).with_suffix(".o")]
    subprocess.run([compiler, "-o", program, made, *rest, "-lm"], check=True)
    return program


def failing(program: Path) -> set[int]:
    """The items whose scripts fail on it."""
    done = subprocess.run([program, "grade/scripts/tcp"], capture_output=True, text=True, timeout=300)
    passed = {Path(name) for name in re.findall(r"^ok (\S+)", done.stdout, re.M)}
    return {number for path in Path("grade/scripts/tcp").glob("*.script") if path not in passed for number in numbers(path)}


def parameters() -> list[object]:
    """Every fourth is planted by `make test`, the others by `make test-long`."""
    return [pytest.param(fault, id=fault.name, marks=[pytest.mark.long] if i % 4 else []) for i, fault in enumerate(FAULTS)]


@pytest.mark.parametrize("fault", parameters())
def test_a_planted_fault_is_noticed(fault: Mutant, tmp_path: Path) -> None:
    place = fault.place()
    if place is None:
        pytest.skip(f"net/tcp has no /{fault.pattern}/ any more: write the fault anew")
    try:
        program = link(fault, place, tmp_path)
    except subprocess.CalledProcessError:
        pytest.skip(f"{place} with the fault does not compile any more: write it anew")
    assert int(fault.item) in failing(program), "its scripts pass on a kernel that does it wrong"


def test_most_faults_can_still_be_planted() -> None:
    gone = [fault.name for fault in FAULTS if fault.place() is None]
    assert len(gone) <= len(FAULTS) // 4, f"their places are gone: {', '.join(gone)}"
