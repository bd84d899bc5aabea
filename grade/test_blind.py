"""Who does not know the numbers of a connection cannot harm it (RFC 5961): segments sprayed over the space of numbers."""
import random
import time
from collections.abc import Callable, Iterator

import pytest

from grade.crowd_peer import ACK, MASK, PEER, PSH, RST, SYN, Connection, Crowd, parse, segment
from grade.machine import patience
from grade.plugin import Guest

ECHO = 7
RCV_WND = 65535     # what the guest offers without scaling
CHALLENGES = 10     # a second, of one connection: RFC 5961 7, tcp_challenge_ack_limit
SEEDS = [1, 2, 3]
Aim = Callable[[random.Random, Connection], Iterator[tuple[int, int, int, bytes]]]  # seq, ack, flags, text


def everywhere(rng: random.Random, c: Connection) -> Iterator[int]:
    """A number in each window of the whole space, and then many in the one that counts; but for the exact one, which
    a blind attacker finds with one guess in 2^32."""
    start = rng.getrandbits(32)
    numbers = [start + step * RCV_WND * 16 for step in range(2**32 // (RCV_WND * 16))]
    numbers += [c.snd + rng.randrange(-RCV_WND, 2 * RCV_WND) for _ in range(1000)]
    rng.shuffle(numbers)
    return (number & MASK for number in numbers if number & MASK != c.snd)


def resets(rng: random.Random, c: Connection) -> Iterator[tuple[int, int, int, bytes]]:
    return ((seq, 0, RST, b"") for seq in everywhere(rng, c))


def syns(rng: random.Random, c: Connection) -> Iterator[tuple[int, int, int, bytes]]:
    return ((seq, 0, SYN, b"") for seq in [*everywhere(rng, c), c.snd])


def texts(rng: random.Random, c: Connection) -> Iterator[tuple[int, int, int, bytes]]:
    """In the window, half of them at the exact place; but no ACK within our largest window (RFC 5961 5.2)."""
    for number in range(2000):
        ack = rng.getrandbits(32)
        if (c.rcv - ack) & MASK > RCV_WND:
            yield c.snd + (number % 2 and rng.randrange(RCV_WND)), ack, ACK | PSH, b"injected"


def answers(crowd: Crowd, c: Connection, port: int) -> int:
    """Segments of the guest to that connection, until it is silent."""
    count = 0
    while True:
        frame = crowd.wire.wait_for(lambda _: True, patience(0.3))
        if frame is None:
            return count
        a = parse(bytes(frame))
        count += a is not None and a.dport == port
        assert a is None or a.dport != port or not a.flags & RST


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("attack", [resets, syns, texts], ids=lambda attack: attack.__name__)
def test_a_blind_attacker_achieves_nothing(guest: Guest, attack: Aim, seed: int) -> None:
    """RFC 5961 3.2, 4.2, 5.2; and 7: what he provokes is limited."""
    crowd = Crowd(guest.wire, ECHO, seed)
    c = crowd.open(b"before")
    crowd.until([c], "answered", 20)
    assert c.heard == b"before"
    start, sent = time.monotonic(), 0
    for seq, ack, flags, text in attack(random.Random(seed), c):
        guest.wire.send(segment(PEER, c.port, ECHO, seq, ack, flags, text))
        sent += 1
    provoked = answers(crowd, c, c.port)
    assert provoked <= CHALLENGES * (time.monotonic() - start + 1), f"{provoked} answers to {sent} segments"
    crowd.say(c, b"behind")
    crowd.until([c], "answered", 20)
    deadline = time.monotonic() + patience(20)
    while len(c.heard) < 12 and time.monotonic() < deadline:
        crowd.receive(0.2)
    assert c.heard == b"beforebehind" and not c.reset
    crowd.close(c)
    crowd.until([c], "closed", 20)
    guest.machine.skbs_at_rest()


def test_the_one_number_that_counts_does_reset(guest: Guest) -> None:
    """So that what survives above survives for the right reason."""
    crowd = Crowd(guest.wire, ECHO, 9)
    c = crowd.open(b"x")
    crowd.until([c], "answered", 20)
    guest.wire.send(segment(PEER, c.port, ECHO, c.snd, 0, RST))
    guest.wire.send(segment(PEER, c.port, ECHO, c.snd, c.rcv, ACK))
    deadline = time.monotonic() + patience(10)
    while not c.reset and time.monotonic() < deadline:
        crowd.receive(0.2)
    assert c.reset
