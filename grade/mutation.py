"""grade/mutation.py - frames that are nearly right, from a seed: grown from valid ones by a few changes each.

frames.py puts one bad value into one field. Here frames of every protocol that the guest speaks, in parts and with
options, are changed in several places, cut, lengthened, joined with each other; most have their checksums mended, so that
what lies behind the first check is reached. TCP segments are made near the numbers of a connection that exists.
"""
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scapy.layers.inet import ICMP, TCP, UDP, IPOption
from scapy.packet import Packet, Raw

from grade.frames import mended, patched
from grade.wire import GUEST_IP, PEER_IP, arp_request, to_guest

EDGES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff")
Chance = random.Random


@dataclass
class Live:
    """A connection of the guest's that is open: its peer's port (ours), and the numbers at which it stands."""

    port: int
    service: int
    seq: int
    ack: int


def options(chance: Chance) -> list[IPOption]:
    some = [b"", b"", b"\1\1\1\0", b"\x07\x07\x04\0\0\0\0\0", b"\x44\x0c\x05\0" + bytes(8), b"\x83\x07\x04\x0a\0\2\2\0", b"\x94\x04\0\0"]
    chosen = chance.choice(some)
    return [IPOption(chosen)] if chosen else []


def arp(chance: Chance, live: Live) -> Packet:
    return arp_request(op=chance.choice([1, 1, 2]), psrc=chance.choice([PEER_IP, "10.0.2.77", "0.0.0.0", GUEST_IP]),
                       pdst=chance.choice([GUEST_IP, GUEST_IP, "10.0.2.9"]))


def icmp(chance: Chance, live: Live) -> Packet:
    kind = chance.choice([8, 0, 13, 3, 3, 4, 5, 11, 12, 17])
    quoted = bytes(chance.choice([udp, tcp])(chance, live))[14:]
    swapped = patched(quoted, 12, quoted[16:20] + quoted[12:16])  # as if the guest had sent it
    body = swapped if kind in (3, 4, 5, 11, 12) else chance.randbytes(chance.choice([0, 8, 56, 1400]))
    return to_guest(options=options(chance)) / ICMP(type=kind, code=chance.randrange(16), id=chance.randrange(4)) / Raw(body)


def udp(chance: Chance, live: Live) -> Packet:
    data = chance.randbytes(chance.choice([0, 1, 8, 512, 1400]))
    return to_guest(options=options(chance)) / UDP(sport=chance.randrange(65536), dport=chance.choice([7, 7, 53, 9])) / Raw(data)


def tcp(chance: Chance, live: Live) -> Packet:
    near = chance.choice([0, 0, 1, -1, 1000, 65535, -65536, 1 << 31])
    some = chance.choice([[], [("MSS", 1460)], [("Timestamp", (chance.randrange(1 << 32), 0))], [("SAck", (live.ack, live.ack + 10))],
                          [("NOP", None), ("WScale", chance.randrange(20))]])
    header = TCP(sport=live.port, dport=live.service, seq=(live.seq + near) % 2**32, ack=(live.ack + chance.choice([0, 0, 1, near])) % 2**32,
                 flags=chance.choice(["A", "A", "PA", "FA", "S", "SA", "R", "RA", "UA", ""]), window=chance.choice([0, 1, 65535]),
                 urgptr=chance.choice([0, 1, 65535]), options=some)
    return to_guest(options=options(chance)) / header / Raw(chance.randbytes(chance.choice([0, 1, 100, 1400])))


def part(chance: Chance, live: Live) -> Packet:
    return to_guest(id=chance.randrange(8), proto=chance.choice([1, 6, 17]), flags=chance.choice([0, 1, 1, 2, 3]),
                    frag=chance.choice([0, 0, 1, 2, 100, 8190, 8191])) / Raw(chance.randbytes(8 * chance.randrange(1, 20)))


def igmp(chance: Chance, live: Live) -> Packet:
    return to_guest(proto=2, ttl=1, dst=chance.choice(["224.0.0.1", "224.0.0.22", GUEST_IP])) / Raw(
        chance.choice([b"\x11", b"\x16", b"\x22", b"\x17"]) + chance.randbytes(chance.choice([7, 11, 40])))


KINDS: list[Callable[[Chance, Live], Packet]] = [arp, icmp, icmp, udp, udp, tcp, tcp, tcp, part, part, igmp]


def flipped(chance: Chance, frame: bytes) -> bytes:
    at = chance.randrange(len(frame))
    return patched(frame, at, bytes([frame[at] ^ 1 << chance.randrange(8)]))


def with_edge(chance: Chance, frame: bytes) -> bytes:
    """A byte, or two, of a header at an end of its range."""
    at = chance.randrange(12, max(13, min(len(frame) - 1, 74)))
    return patched(frame, at, chance.choice(EDGES) * chance.choice([1, 2]))


def cut(chance: Chance, frame: bytes) -> bytes:
    return frame[:chance.randrange(1, len(frame) + 1)]


def lengthened(chance: Chance, frame: bytes) -> bytes:
    return frame + chance.randbytes(chance.choice([1, 2, 17, 400]))


def doubled(chance: Chance, frame: bytes) -> bytes:
    """A piece of it twice, so that what follows is shifted."""
    at = chance.randrange(14, max(15, len(frame)))
    return frame[:at] + frame[max(14, at - chance.choice([1, 4, 20])):]


CHANGES = [flipped, flipped, with_edge, with_edge, cut, lengthened, doubled]


def mutated(count: int, seed: int, live: Live) -> Iterator[bytes]:
    chance = random.Random(seed)
    stock: list[bytes] = []
    for number in range(count):
        if number % 64 == 0:  # Scapy is slow: of each frame that it makes, several grow
            stock = [bytes(chance.choice(KINDS)(chance, live)) for _ in range(16)]
        frame = chance.choice(stock)
        for _ in range(chance.choice([0, 1, 1, 2, 4])):
            frame = chance.choice(CHANGES)(chance, frame)
        if chance.randrange(16) == 0:
            frame = frame[:34] + chance.choice(stock)[34:]  # the body of another protocol
        yield (mended(frame) if chance.randrange(4) and len(frame) >= 34 else frame)[:1514]
