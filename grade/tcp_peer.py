"""grade/tcp_peer.py - a TCP that does what a script says, on our end of the wire.

It keeps the two sequence spaces, acknowledges in order, keeps what came early, retransmits what was not acknowledged,
and judges: a byte that differs from one already received, or a segment that breaks our window, is an AssertionError.
Its own waiting times are fixed and short; it is no model of a good sender.
"""
import time
from collections.abc import Callable

from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw

from grade.machine import patience
from grade.wire import GUEST_IP, PEER_IP, Wire, to_guest

MSS = 1460
WINDOW = 65535
FLIGHT = 16 * MSS
RETRANSMIT = 0.3  # seconds


def after(a: int, b: int) -> int:
    """How far sequence number a is behind b, signed (RFC 9293 3.4)."""
    return (a - b + 0x80000000) % 0x100000000 - 0x80000000


class TcpPeer:
    def __init__(self, wire: Wire, port: int, source_port: int, isn: int = 0xFFFFFF00) -> None:
        self.wire, self.port, self.source_port = wire, port, source_port
        self.isn = isn  # close below the wrap, so that every test crosses it
        self.unsent = bytearray()
        self.unacked = bytearray()  # sent, from snd_una on
        self.snd_una = isn
        self.snd_wnd = MSS
        self.rcv_nxt: int | None = None
        self.received = bytearray()
        self.early: dict[int, bytes] = {}
        self.early_fin: int | None = None
        self.syn_acked = self.fin_sent = self.fin_acked = self.fin_received = self.reset = False
        self.last_sent = 0.0
        self.duplicates = 0
        self.retransmissions = 0

    # ---- the script's verbs

    def connect(self, timeout: float = 20.0) -> "TcpPeer":
        self.emit("S", self.isn)
        self.until(lambda: self.syn_acked, timeout, "the handshake")
        return self

    def send(self, data: bytes) -> None:
        """Queue data; it goes out while the script waits for something."""
        self.unsent += data
        self.push()

    def expect(self, count: int, timeout: float) -> bytes:
        """The next count bytes of the stream."""
        self.until(lambda: len(self.received) >= count, timeout, f"{count} bytes")
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    def close(self, timeout: float = 30.0) -> None:
        """FIN, and wait until both directions are closed and acknowledged."""
        self.until(lambda: not self.unsent and not self.unacked, timeout, "the acknowledgement of all data")
        self.fin_sent = True
        self.emit("FA", self.snd_una)
        self.until(lambda: self.fin_acked and self.fin_received, timeout, "the close of both directions")

    # ---- the machinery

    def until(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + patience(timeout)
        while not done():
            now = time.monotonic()
            assert not self.reset, f"waiting for {what}: the guest sent RST"
            assert now < deadline, f"waiting for {what}: {patience(timeout):.0f} s are up ({self.progress()})"
            frame = self.wire.receive(max(0.001, min(deadline, self.last_sent + patience(RETRANSMIT)) - now))
            if frame is not None and self.ours(frame):
                self.arrive(frame[TCP], bytes(frame[TCP].payload)[:self.payload_length(frame)])
            if time.monotonic() - self.last_sent >= patience(RETRANSMIT):
                self.retransmit()

    def progress(self) -> str:
        return (f"{len(self.unsent)} bytes unsent, {len(self.unacked)} unacknowledged, {len(self.received)} received, "
                f"{len(self.early)} segments early, {self.retransmissions} retransmissions")

    def ours(self, frame: Packet) -> bool:
        return (TCP in frame and frame[IP].src == GUEST_IP and frame[IP].dst == PEER_IP
                and frame[TCP].sport == self.port and frame[TCP].dport == self.source_port)

    @staticmethod
    def payload_length(frame: Packet) -> int:
        return frame[IP].len - frame[IP].ihl * 4 - frame[TCP].dataofs * 4

    def emit(self, flags: str, seq: int, data: bytes = b"") -> None:
        options = [("MSS", MSS)] if "S" in flags else []
        segment = TCP(sport=self.source_port, dport=self.port, flags=flags, seq=seq % 2**32, window=WINDOW,
                      ack=self.rcv_nxt or 0, options=options)
        self.wire.send(to_guest() / segment / Raw(data) if data else to_guest() / segment)
        if data or "S" in flags or "F" in flags:
            self.last_sent = time.monotonic()

    def outstanding(self) -> int:
        """Sequence numbers sent and not acknowledged; a FIN takes one (RFC 9293 3.4)."""
        return len(self.unacked) + (self.fin_sent and not self.fin_acked)

    def push(self) -> None:
        """As much new data as the guest's window and our flight allow."""
        while self.unsent and len(self.unacked) < min(self.snd_wnd, FLIGHT):
            room = min(self.snd_wnd, FLIGHT) - len(self.unacked)
            data = bytes(self.unsent[:min(MSS, room)])
            del self.unsent[:len(data)]
            self.emit("PA", self.snd_una + len(self.unacked), data)
            self.unacked += data

    def retransmit(self) -> None:
        """The oldest thing that is not acknowledged, or one byte into a window that is shut."""
        self.last_sent = time.monotonic()
        if not self.syn_acked:
            self.emit("S", self.isn)
        elif self.unacked:
            self.emit("PA", self.snd_una, bytes(self.unacked[:MSS]))
        elif self.unsent:
            self.unacked += self.unsent[:1]
            del self.unsent[:1]
            self.emit("PA", self.snd_una, bytes(self.unacked))
        elif self.fin_sent and not self.fin_acked:
            self.emit("FA", self.snd_una)
        else:
            return
        self.retransmissions += 1

    def arrive(self, tcp: TCP, data: bytes) -> None:
        if tcp.flags.R:
            self.reset = True
            return
        if not self.syn_acked:
            self.arrive_syn(tcp)
            return
        if tcp.flags.A:
            self.arrive_ack(tcp, data)
        if data or tcp.flags.F or tcp.flags.S:
            self.arrive_data(tcp, data)
        self.push()

    def arrive_syn(self, tcp: TCP) -> None:
        if not (tcp.flags.S and tcp.flags.A):
            return
        assert tcp.ack == (self.isn + 1) % 2**32, "SYN,ACK must acknowledge our SYN (RFC 9293 3.10.7.3)"
        self.syn_acked = True
        self.snd_una, self.snd_wnd = tcp.ack, tcp.window
        self.rcv_nxt = (tcp.seq + 1) % 2**32
        self.emit("A", self.snd_una)
        self.push()

    def arrive_ack(self, tcp: TCP, data: bytes) -> None:
        acked = after(tcp.ack, self.snd_una)
        limit = self.outstanding()
        assert acked <= limit, f"the guest acknowledges {acked - limit} bytes that were never sent"
        if acked < 0:
            return
        self.snd_wnd = tcp.window
        if acked > 0:
            self.fin_acked |= self.fin_sent and acked == limit
            del self.unacked[:acked]
            self.snd_una = tcp.ack
            self.last_sent, self.duplicates = time.monotonic(), 0
        elif self.unacked and not data:
            self.duplicates += 1
            if self.duplicates == 3:
                self.retransmit()

    def arrive_data(self, tcp: TCP, data: bytes) -> None:
        assert after(tcp.seq + len(data), self.rcv_nxt) <= WINDOW, "data beyond the window that we offered"
        if data:
            self.early[tcp.seq] = max(self.early.get(tcp.seq, b""), data, key=len)
        if tcp.flags.F:
            self.early_fin = (tcp.seq + len(data)) % 2**32
        self.take_in_order()
        self.emit("A", self.snd_una + self.outstanding())

    def take_in_order(self) -> None:
        while ready := [seq for seq in self.early if after(seq, self.rcv_nxt) <= 0]:
            for seq in ready:
                fresh = self.early.pop(seq)[after(self.rcv_nxt, seq):]
                self.received += fresh
                self.rcv_nxt = (self.rcv_nxt + len(fresh)) % 2**32
        if self.early_fin == self.rcv_nxt and not self.fin_received:
            self.fin_received = True
            self.rcv_nxt = (self.rcv_nxt + 1) % 2**32
