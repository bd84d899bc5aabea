"""grade/crowd_peer.py - thousands of TCP connections from our end of the wire, and those who attack them.

grade/tcp_peer.py plays one connection well. Here each is a few numbers, frames are put together by hand, and what is
asked is little: open, send a byte, hear it back, close. What is lost is sent again after a second.
"""
import itertools
import queue
import random
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

from grade.machine import patience
from grade.wire import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, Wire, ones_sum

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERNET = bytes.fromhex((GUEST_MAC + PEER_MAC).replace(":", "")) + b"\x08\x00"
GUEST, PEER = socket.inet_aton(GUEST_IP), socket.inet_aton(PEER_IP)
WINDOW = 4096
RETRANSMIT = 1.0  # seconds
MASK = 0xFFFFFFFF
OPTIONS = b"\2\4\5\xb4"  # MSS 1460, on a SYN


def segment(source: bytes, sport: int, dport: int, seq: int, ack: int, flags: int, text: bytes = b"", window: int = WINDOW) -> bytes:
    """A frame to the guest."""
    options = OPTIONS if flags & SYN else b""
    length = 20 + len(options) + len(text)
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & MASK, ack & MASK, (20 + len(options)) << 2, flags, window, 0, 0) + options + text
    pseudo = source + GUEST + struct.pack("!BBH", 0, 6, length)
    tcp = tcp[:16] + struct.pack("!H", ones_sum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0, source, GUEST)
    return ETHERNET + ip[:10] + struct.pack("!H", ones_sum(ip)) + ip[12:] + tcp


@dataclass(slots=True)
class Arrived:
    """What matters of a segment of the guest's."""

    dest: bytes
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    text: bytes


def parse(frame: bytes) -> Arrived | None:
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    end = 14 + int.from_bytes(frame[16:18], "big")
    _sport, dport, seq, ack, offset, flags, window = struct.unpack("!HHIIBBH", frame[34:50])
    return Arrived(frame[30:34], dport, seq, ack, flags, window, frame[34 + (offset >> 4) * 4:end])


@dataclass(slots=True)
class Connection:
    """Ours: snd_nxt and rcv_nxt, and what is on its way until it is acknowledged."""

    port: int
    snd: int
    rcv: int = 0
    unacked: bytes = b""   # its number is snd
    flags: int = SYN       # with it: SYN or FIN, which have a number each
    since: float = 0.0
    opened: bool = False
    heard: bytes = b""
    ended: bool = False    # the guest's FIN came
    reset: bool = False

    @property
    def idle(self) -> bool:
        return not self.unacked and not self.flags


class Crowd:
    """Connections to one port of the guest."""

    def __init__(self, wire: Wire, port: int, seed: int = 1) -> None:
        self.wire, self.port = wire, port
        self.random = random.Random(seed)
        self.connections: dict[int, Connection] = {}
        self.ports = itertools.cycle(range(1024, 65000))
        self.again = 0  # segments sent twice

    # ---- what a test asks for

    def open(self, text: bytes = b"") -> Connection:
        """SYN; with the handshake's last ACK goes text."""
        c = Connection(next(self.ports), self.random.getrandbits(32))
        self.connections[c.port] = c
        c.heard = b""
        self.emit(c)
        c.unacked = text
        return c

    def say(self, c: Connection, text: bytes) -> None:
        assert c.opened and c.idle
        c.unacked = text
        self.emit(c)

    def close(self, c: Connection) -> None:
        assert c.idle
        c.flags = FIN
        self.emit(c)

    def forget(self, c: Connection) -> None:
        del self.connections[c.port]

    def until(self, waiting: Iterable[Connection], done: str, limit: float) -> None:
        """Until each of them has `done` (a name in DONE) or was reset."""
        left = list(waiting)
        deadline = time.monotonic() + patience(limit)
        while left := [c for c in left if not DONE[done](c) and not c.reset]:
            assert time.monotonic() < deadline, f"{len(left)} connections not {done}, the first {left[0]}"
            for _ in range(max(len(left) // 2, 1)):
                if not self.receive(0.2):
                    self.repeat(left)
                    break

    # ---- the machinery

    def emit(self, c: Connection) -> None:
        """What is on its way."""
        c.since = time.monotonic()
        if not c.opened:
            self.wire.send(segment(PEER, c.port, self.port, c.snd, 0, SYN))
        else:
            flags = ACK | (PSH if c.unacked else 0) | (c.flags & FIN)
            self.wire.send(segment(PEER, c.port, self.port, c.snd, c.rcv, flags, c.unacked))

    def repeat(self, some: Iterable[Connection]) -> None:
        now = time.monotonic()
        for c in some:
            if not c.idle and not c.reset and now - c.since > patience(RETRANSMIT):
                self.again += 1
                self.emit(c)

    def receive(self, timeout: float) -> bool:
        try:
            frame, _when = self.wire.frames.get(timeout=timeout)
        except queue.Empty:
            return False
        a = parse(frame)
        if a and a.dest == PEER and (c := self.connections.get(a.dport)):
            self.arrive(c, a)
        return True

    def arrive(self, c: Connection, a: Arrived) -> None:
        if a.flags & RST:
            c.reset = True
        elif not c.opened:
            self.arrive_syn(c, a)
        else:
            self.arrive_later(c, a)

    def arrive_syn(self, c: Connection, a: Arrived) -> None:
        if a.flags & (SYN | ACK) != SYN | ACK or a.ack != (c.snd + 1) & MASK:
            return
        c.opened, c.flags = True, 0
        c.snd, c.rcv = a.ack, (a.seq + 1) & MASK
        self.emit(c)

    def arrive_later(self, c: Connection, a: Arrived) -> None:
        sent = len(c.unacked) + bool(c.flags & FIN)
        if sent and a.ack == (c.snd + sent) & MASK:
            c.snd, c.unacked, c.flags = a.ack, b"", 0
        if a.flags & SYN or a.text or a.flags & FIN:
            if a.seq == c.rcv and not a.flags & SYN:
                c.heard += a.text
                c.ended |= bool(a.flags & FIN)
                c.rcv = (c.rcv + len(a.text) + bool(a.flags & FIN)) & MASK
            self.wire.send(segment(PEER, c.port, self.port, c.snd + bool(c.flags & FIN) + len(c.unacked), c.rcv, ACK))


DONE = {
    "open": lambda c: c.opened,
    "answered": lambda c: c.idle and bool(c.heard),
    "closed": lambda c: c.idle and c.ended,
}


def flood(rng: random.Random, port: int) -> bytes:
    """A SYN from nobody."""
    source = bytes([198, 18 + rng.getrandbits(1), rng.getrandbits(8), rng.getrandbits(8)])  # RFC 2544's: no route back but ours
    return segment(source, 1024 + rng.getrandbits(15), port, rng.getrandbits(32), 0, SYN)
