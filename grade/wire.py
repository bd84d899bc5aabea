"""grade/wire.py - the other end of the guest's cable. The grader is the network.

QEMU holds one end of a datagram socket pair, we the other: one Ethernet frame a datagram. A thread reads: it captures
each frame, checks the checksums in it, answers ARP for the hosts that we play, and queues the rest for the test.
A datagram of no bytes would tell QEMU that the cable is gone, so the shortest frame here has one byte.
"""
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from grade.faults import Faults
from grade.pcapng import INBOUND, OUTBOUND, Capture

GUEST_IP, GUEST_MAC = "10.0.2.15", "52:54:00:12:34:56"
PEER_IP, PEER_MAC = "10.0.2.2", "52:55:0a:00:02:02"
BROADCAST = "ff:ff:ff:ff:ff:ff"
SEND_LIMIT = 60  # seconds in which the guest takes no frame


def ones_sum(data: bytes) -> int:
    """RFC 1071; 0 for data whose checksum is right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def checksum_error(frame: bytes) -> str | None:
    """What is wrong with an IPv4 frame's checksums; None if nothing, or if it is no whole IPv4 packet."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    header = (frame[14] & 15) * 4
    length = int.from_bytes(frame[16:18], "big")
    packet = frame[14:14 + length]
    if ones_sum(packet[:header]):
        return "IP header checksum wrong"
    if int.from_bytes(packet[6:8], "big") & 0x3FFF:
        return None  # a fragment
    payload, protocol = packet[header:], packet[9]
    pseudo = packet[12:20] + struct.pack("!BBH", 0, protocol, len(payload))
    if protocol == 1 and ones_sum(payload):
        return "ICMP checksum wrong"
    if protocol == 6 and ones_sum(pseudo + payload):
        return "TCP checksum wrong"
    if protocol == 17 and payload[6:8] != b"\0\0" and ones_sum(pseudo + payload):
        return "UDP checksum wrong"
    return None


def arp_reply_for(frame: bytes, hosts: dict[str, str]) -> bytes | None:
    """What that one of hosts (address to MAC) answers for whom the frame asks; None: it does not ask for any."""
    if frame[12:14] != b"\x08\x06" or frame[20:22] != b"\0\1" or len(frame) < 42:
        return None
    target = socket.inet_ntoa(frame[38:42])
    if target not in hosts:
        return None
    asker_mac, asker_ip = frame[22:28], frame[28:32]
    own_mac = bytes.fromhex(hosts[target].replace(":", ""))
    return asker_mac + own_mac + frame[12:20] + b"\0\2" + own_mac + frame[38:42] + asker_mac + asker_ip


class Wire:
    def __init__(self, capture: Path) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_LIMIT, 0))
        self.capture = Capture(capture)
        self.to_guest, self.from_guest = Faults(), Faults()
        self.hosts = {PEER_IP: PEER_MAC}
        self.resets_strangers = False
        self.errors: list[str] = []
        self.frames: queue.SimpleQueue[tuple[bytes, float]] = queue.SimpleQueue()  # with their arrival
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self.read, daemon=True)

    @property
    def netdev(self) -> str:
        return f"socket,id=n0,fd={self.theirs.fileno()}"

    def start(self) -> None:
        """QEMU has its end."""
        self.theirs.close()
        self.reader.start()

    def close(self) -> None:
        self.ours.shutdown(socket.SHUT_RDWR)
        self.reader.join(timeout=5)
        self.ours.close()
        self.capture.close()

    # ---- towards the guest

    def send(self, frame: Packet | bytes) -> None:
        """Put a frame on the wire, as it is or as the faults have it."""
        with self.lock:
            raw = bytes(frame)
            out = self.to_guest(raw)
            if not out:
                self.capture.add(raw, INBOUND, "lost by the wire")
            for delivered, remark in out:
                self.capture.add(delivered, INBOUND, remark)
                self.ours.send(delivered)

    # ---- from the guest

    def read(self) -> None:
        while True:
            try:
                raw = self.ours.recv(65536)
            except OSError:
                return
            if not raw:
                return
            self.arrive(raw)

    def arrive(self, raw: bytes) -> None:
        error = checksum_error(raw)
        with self.lock:
            out = self.from_guest(raw)
            self.capture.add(raw, OUTBOUND, error or ("" if out else "lost by the wire"))
        if error:
            self.errors.append(f"{error}: {raw.hex()}")
        for frame, _remark in out:
            if not self.answer_arp(frame) and not self.reset_stranger(frame):
                self.frames.put((frame, time.time()))

    def answer_arp(self, frame: bytes) -> bool:
        """Reply for the hosts that we play. Tests see every ARP packet but those."""
        reply = arp_reply_for(frame, self.hosts)
        if reply:
            self.send(reply)
        return reply is not None

    def reset_stranger(self, frame: bytes) -> bool:
        """When asked to: RST for every segment, as a host without connections does (RFC 9293 3.10.7.1)."""
        if not self.resets_strangers or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return False
        segment = Ether(frame)
        tcp = segment[TCP]
        if not tcp.flags.R:
            reply = Ether(src=PEER_MAC, dst=GUEST_MAC) / IP(src=segment[IP].dst, dst=segment[IP].src)
            self.send(reply / TCP(sport=tcp.dport, dport=tcp.sport, seq=tcp.ack, flags="R"))
        return True

    def receive(self, timeout: float) -> Packet | None:
        """The next frame from the guest, or None. Its time is when it came."""
        try:
            raw, arrival = self.frames.get(timeout=max(timeout, 0)) if timeout > 0 else self.frames.get_nowait()
        except queue.Empty:
            return None
        frame = Ether(raw)
        frame.time = arrival
        return frame

    def wait_for(self, wanted: Callable[[Packet], bool], timeout: float) -> Packet | None:
        """The next frame that is wanted; the others before it are passed over. None if the time is up."""
        deadline = time.monotonic() + timeout
        while (frame := self.receive(deadline - time.monotonic())) is not None:
            if wanted(frame):
                return frame
        return None

    def ask(self, frame: Packet | bytes, wanted: Callable[[Packet], bool], timeout: float) -> Packet | None:
        self.drain()
        self.send(frame)
        return self.wait_for(wanted, timeout)

    def drain(self) -> list[Packet]:
        """What came until now and nobody has looked at."""
        frames = []
        while (frame := self.receive(0)) is not None:
            frames.append(frame)
        return frames


def to_guest(**fields: object) -> Packet:
    """An Ethernet and IP header from the peer to the guest."""
    return Ether(src=PEER_MAC, dst=GUEST_MAC) / IP(**{"src": PEER_IP, "dst": GUEST_IP, **fields})


def arp_request(target: str = GUEST_IP, **fields: object) -> Packet:
    """`Who has target?` from the peer to all."""
    ask = {"op": 1, "hwsrc": PEER_MAC, "psrc": PEER_IP, "hwdst": "00:00:00:00:00:00", "pdst": target, **fields}
    return Ether(src=PEER_MAC, dst=BROADCAST) / ARP(**ask)
