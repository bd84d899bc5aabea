"""grade/frames.py - frames that no honest host sends, from a seed: the same seed makes the same frames."""
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from scapy.layers.inet import ICMP, TCP, UDP, IPOption
from scapy.packet import Raw

from grade.wire import GUEST_MAC, PEER_MAC, arp_request, ones_sum, to_guest

LONGEST = 2000
# Protocol -> (offset in the frame, bytes) of each header field.
ETHER = {"type": (12, 2)}
ARP_FIELDS = {"hardware type": (14, 2), "protocol type": (16, 2), "hardware length": (18, 1), "protocol length": (19, 1),
              "opcode": (20, 2), "sender MAC": (22, 6), "sender IP": (28, 4), "target MAC": (32, 6),
              "target IP": (38, 4)}
IP_FIELDS = {"version and length": (14, 1), "service": (15, 1), "total length": (16, 2), "id": (18, 2),
             "fragment": (20, 2), "time to live": (22, 1), "protocol": (23, 1), "checksum": (24, 2), "source": (26, 4)}
ICMP_FIELDS = {"type": (34, 1), "code": (35, 1), "ICMP checksum": (36, 2)}
UDP_FIELDS = {"source port": (34, 2), "port": (36, 2), "length": (38, 2), "UDP checksum": (40, 2)}
TCP_FIELDS = {"source port": (34, 2), "port": (36, 2), "sequence": (38, 4), "acknowledgement": (42, 4),
              "data offset": (46, 1), "flags": (47, 1), "window": (48, 2), "TCP checksum": (50, 2), "urgent": (52, 2),
              "options": (54, 4)}
OPTION_FIELDS = {"option": (34, 1), "option length": (35, 1), "option pointer": (36, 1)}


@dataclass(frozen=True)
class Seed:
    """A valid frame and the fields to corrupt in it."""

    frame: bytes
    fields: dict[str, tuple[int, int]]


def seeds() -> list[Seed]:
    ip = ETHER | IP_FIELDS
    route = IPOption(b"\x07\x07\x04\x00\x00\x00\x00\x00")  # record route with room for one address
    syn = TCP(sport=40000, dport=7, flags="S", seq=7, options=[("MSS", 1460)])
    return [
        Seed(bytes(arp_request()), ETHER | ARP_FIELDS),
        Seed(bytes(to_guest() / ICMP(id=1, seq=1) / Raw(b"abcdefgh")), ip | ICMP_FIELDS),
        Seed(bytes(to_guest() / UDP(sport=40001, dport=7) / Raw(b"abcdefgh")), ip | UDP_FIELDS),
        Seed(bytes(to_guest() / syn), ip | TCP_FIELDS),
        Seed(bytes(to_guest() / TCP(sport=40002, dport=7, flags="A", seq=7, ack=9) / Raw(b"abcdefgh")), ip | TCP_FIELDS),
        Seed(bytes(to_guest(options=[route]) / ICMP(id=2, seq=2)), ip | OPTION_FIELDS),
    ]


def patched(frame: bytes, offset: int, value: bytes) -> bytes:
    return frame[:offset] + value + frame[offset + len(value):]


def corrupted(count: int, seed: int) -> Iterator[bytes]:
    """count frames, each header field of each seed in turn, with an edge or a random value. Of every two, one has its
    checksums mended, so that what lies behind the checksum test is reached."""
    chance = random.Random(seed)
    turns = [(source.frame, *place) for source in seeds() for place in source.fields.values()]
    for number in range(count):
        frame, offset, size = turns[number // 2 % len(turns)]
        value = chance.choice([bytes(size), b"\xff" * size, chance.randbytes(size), chance.randbytes(size)])
        bad = patched(frame, offset, value)
        yield mended(bad) if number % 2 else bad


def mended(frame: bytes) -> bytes:
    """The checksums right again, wherever there is a header to put them in."""
    if frame[12:14] != b"\x08\x00":
        return frame
    length = max((frame[14] & 15) * 4, 20)
    packet = bytearray(frame[14:])
    put(packet, 10, packet[:length])
    where = {1: 2, 6: 16, 17: 6}.get(packet[9])
    body = packet[length:]
    if where is not None and len(body) >= where + 2:
        put(body, where, body, pseudo(packet, len(body)) if packet[9] != 1 else b"")
    return frame[:14] + bytes(packet[:length] + body)


def put(target: bytearray, offset: int, covered: bytearray, before: bytes = b"") -> None:
    """Write the checksum of before and covered at offset of target (which covered starts with)."""
    zeroed = bytes(covered[:offset]) + b"\0\0" + bytes(covered[offset + 2:])
    target[offset:offset + 2] = struct.pack("!H", ones_sum(before + zeroed))


def pseudo(packet: bytearray, length: int) -> bytes:
    return bytes(packet[12:20]) + struct.pack("!BBH", 0, packet[9], length)


def random_frames(seed: int) -> Iterator[bytes]:
    """A frame of every length to LONGEST: random bytes, and again behind the guest's address."""
    chance = random.Random(seed)
    address = bytes.fromhex((GUEST_MAC + PEER_MAC).replace(":", ""))
    for length in range(1, LONGEST + 1):
        yield chance.randbytes(length)
        if length > len(address):
            yield address + chance.randbytes(length - len(address))
