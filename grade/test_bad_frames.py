"""Frames that no honest host sends: none hurts, none is forgotten, every drop has a cause."""
import pytest
from scapy.layers.inet import ICMP, TCP, UDP
from scapy.packet import Packet, Raw

from grade.frames import corrupted, mended, patched, random_frames
from grade.machine import patience
from grade.plugin import Guest
from grade.wire import to_guest

SEED = 20260101
CORRUPTED = 10_000


def still_answers_ping(guest: Guest) -> None:
    """A ping behind the frames: when it is answered, all before it have been looked at."""
    reply = guest.wire.ask(to_guest() / ICMP(id=0xBEEF, seq=1) / Raw(b"alive?"), is_our_reply, patience(30))
    assert reply is not None, "no answer to a ping after the bad frames"


def is_our_reply(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type == 0 and frame[ICMP].id == 0xBEEF


def test_random_frames_of_every_length_are_dropped_with_a_cause(guest: Guest) -> None:
    """1 to 2,000 bytes. Each frame that the card let through is explained by one drop count: none was of use, so as
    many were dropped as were received, but for the one ping behind them. (A frame of no bytes cannot be on this wire;
    the unit tests hand one in.)"""
    received, dropped = guest.machine.received(), sum(guest.machine.drops().values())
    for frame in random_frames(SEED):
        guest.wire.send(frame)
    still_answers_ping(guest)
    received, dropped = guest.machine.received() - received, sum(guest.machine.drops().values()) - dropped
    assert received > 1000, "the card let hardly anything through: the test would prove nothing"
    assert dropped == received - 1, f"{received} frames arrived, {dropped} were counted as dropped"
    guest.machine.skbs_at_rest()


def test_ten_thousand_corrupted_frames_leave_nothing_behind(guest: Guest) -> None:
    """Each header field of ARP, IP, ICMP, UDP, TCP and of an IP option, with and without the checksums mended."""
    guest.wire.resets_strangers = True  # as a host does whose address was borrowed for a SYN
    before = guest.machine.drops()
    for frame in corrupted(CORRUPTED, SEED):
        guest.wire.send(frame)
    still_answers_ping(guest)
    after = guest.machine.drops()
    causes = {name for name in after if after[name] > before.get(name, 0)}
    expected = {"IP_CSUM", "IP_VERSION", "IP_HEADER_LENGTH", "IP_TOTAL_LENGTH", "ARP_BAD", "UDP_CSUM", "UDP_LENGTH",
                "ICMP_CSUM", "TCP_CSUM", "TCP_HEADER_LENGTH", "ETH_UNKNOWN_TYPE"}
    assert expected <= causes, f"never counted: {expected - causes}"
    guest.machine.skbs_at_rest(timeout=60)


@pytest.mark.long
def test_two_hundred_thousand_more_leave_nothing_behind(guest: Guest) -> None:
    guest.wire.resets_strangers = True
    for frame in corrupted(200_000, SEED + 1):
        guest.wire.send(frame)
    still_answers_ping(guest)
    guest.machine.skbs_at_rest(timeout=60)


FRAME = bytes(to_guest() / UDP(sport=41000, dport=7) / Raw(b"12345678"))
SYN = bytes(to_guest() / TCP(sport=41001, dport=7, flags="S"))
# Cause -> a frame that is dropped for it and for nothing else.
EXACT = {
    "IP_VERSION": mended(patched(FRAME, 14, b"\x65")),
    "IP_HEADER_LENGTH": mended(patched(FRAME, 14, b"\x44")),
    "IP_TOTAL_LENGTH": mended(patched(FRAME, 16, b"\xff\xff")),
    "IP_CSUM": patched(FRAME, 24, b"\x12\x34"),
    "IP_SOURCE_INVALID": mended(patched(FRAME, 26, b"\x7f")),
    "FRAG_BAD": mended(patched(FRAME, 20, b"\x1f\xff")),
    "UDP_CSUM": patched(FRAME, 40, b"\x12\x34"),
    "TCP_CSUM": patched(SYN, 50, b"\x12\x34"),
    "ETH_UNKNOWN_TYPE": patched(FRAME, 12, b"\x88\xb5"),
}


@pytest.mark.parametrize("cause", EXACT)
def test_a_drop_is_counted_once_under_its_cause(guest: Guest, cause: str) -> None:
    """Checklist 11, 12, 35; DESIGN 6."""
    before = guest.machine.drops()
    for _ in range(10):
        guest.wire.send(EXACT[cause])
    still_answers_ping(guest)
    after = guest.machine.drops()
    risen = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert risen == {cause: 10}
