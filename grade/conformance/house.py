"""grade/conformance/house.py - a host under test, as an item of the checklist sees it: a wire, sockets, time, knobs.

An item is written once against House. virtual.py makes one of a virtual kernel, guest.py one of a guest in QEMU. The host
is GUEST_IP; whoever is in `hosts` is ours: who asks for one by ARP is answered, and an item sees only the ARP frames that
are about others.
"""
import random
import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from grade.wire import GUEST_MAC, PEER_IP, PEER_MAC, arp_request, to_guest

if TYPE_CHECKING:
    from grade.conformance.sockets import Socket

SECOND_IP, SECOND_MAC = "10.0.2.3", "52:55:0a:00:02:03"  # another host that is ours
HOSTS = {PEER_IP: PEER_MAC, SECOND_IP: SECOND_MAC}
FENCE = 0xFE2C           # the identifier of the pings by which an item sees that the host is done
ANSWER = 5.0             # seconds of the host's time in which it should have answered
MANY_ERRORS = "1000000"  # so many ICMP errors may be sent, unless an item wants the host's own limit


def octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


class House(ABC):
    name: str
    real_time: bool  # waiting costs time, so items shorten what they wait for

    def __init__(self) -> None:
        self.hosts = dict(HOSTS)
        self.sockets: list["Socket"] = []
        self.changed: dict[str, str] = {}
        self.errors: list[str] = []  # frames with wrong checksums
        self.pings = 0
        self.chance = random.Random(1)

    # ---- what a house brings

    @abstractmethod
    def send(self, frame: Packet | bytes) -> None:
        """To the host."""

    @abstractmethod
    def receive(self, timeout: float) -> Packet | None:
        """The next frame from the host that is no question for one of ours; None: the time is up."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let the host's time pass."""

    @abstractmethod
    def syscall(self, number: int, *arguments: int) -> int:
        """What it returns, negative for an error. It must not block, but for poll()."""

    @abstractmethod
    def write(self, offset: int, data: bytes) -> int:
        """Into the host's memory that system calls may use; the address there."""

    @abstractmethod
    def read(self, offset: int, count: int) -> bytes:
        """From it."""

    @abstractmethod
    def read_knob(self, path: str) -> str:
        """A file of /proc/sys; OSError: there is none."""

    @abstractmethod
    def write_knob(self, path: str, value: str) -> None:
        """The same."""

    @abstractmethod
    def proc_net(self, name: str) -> str:
        """A file of /proc/net."""

    @abstractmethod
    def at_rest(self) -> None:
        """AssertionError: packet buffers are left over."""

    # ---- the wire

    def wait_for(self, wanted: Callable[[Packet], bool], timeout: float = ANSWER) -> Packet | None:
        """The first frame that is wanted; those before it are passed over."""
        deadline = self.now() + timeout
        while (frame := self.receive(deadline - self.now())) is not None:
            if wanted(frame):
                return frame
        return None

    @abstractmethod
    def now(self) -> float:
        """Seconds of the time that wait_for() counts in."""

    def ask(self, frame: Packet | bytes, wanted: Callable[[Packet], bool], timeout: float = ANSWER) -> Packet | None:
        self.send(frame)
        return self.wait_for(wanted, timeout)

    def fence(self) -> list[Packet]:
        """All that the host has sent until it answers a ping: whatever was sent to it before, it has dealt with."""
        self.pings += 1
        seq, before = self.pings % 65536, []
        self.send(to_guest() / ICMP(id=FENCE, seq=seq) / Raw(b"done?"))
        while (frame := self.receive(6 * ANSWER)) is not None:
            if ICMP in frame and frame[ICMP].type == 0 and (frame[ICMP].id, frame[ICMP].seq) == (FENCE, seq):
                return before
            before.append(frame)
        raise AssertionError("the host does not answer a ping any more")

    def silent(self, *frames: Packet | bytes, but: Callable[[Packet], bool] = lambda frame: False) -> None:
        """Send these; nothing may come of them, but such frames as have another cause."""
        for frame in frames:
            self.send(frame)
            said = [frame for frame in self.fence() if not but(frame)]
            assert not said, f"{summary(frame)} was answered by {said[0].summary()}"

    def know(self, address: str, mac: str) -> None:
        """Let the host know of one that is not in `hosts`: it asks for the host's address, and is answered."""
        self.send(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / arp_request(hwsrc=mac, psrc=address)[ARP])
        assert self.wait_for(lambda frame: is_arp(frame, 2) and frame[ARP].pdst == address), f"no answer for {address}"

    # ---- sockets

    def socket(self, kind: int = 2, protocol: int = 0) -> "Socket":
        """A non-blocking one (kind 1: TCP, 2: UDP), closed when the item ends."""
        from grade.conformance.sockets import Socket
        self.sockets.append(Socket(self, kind, protocol))
        return self.sockets[-1]

    # ---- knobs and counters

    def knob(self, path: str, value: object = None) -> str:
        """Its value, given another until the item ends."""
        before = self.read_knob(path)
        if value is not None:
            self.changed.setdefault(path, before)
            self.write_knob(path, str(value))
        return before

    def has_knob(self, path: str) -> bool:
        try:
            self.read_knob(path)
            return True
        except OSError:
            return False

    def drops(self) -> dict[str, int]:
        return {name: int(count) for name, count in re.findall(r"^(\w+) (\d+)\b", self.proc_net("drops"), re.M)}

    @contextmanager
    def counts(self, *causes: str) -> Iterator[None]:
        """While the block runs, frames are dropped for one of these causes (once each is not asked for)."""
        before = self.drops()
        yield
        self.fence()
        after = self.drops()
        risen = {name for name in after if after[name] > before.get(name, 0)}
        assert risen & set(causes), f"no drop was counted under {' or '.join(causes)}, but under {sorted(risen) or 'none'}"

    # ---- around an item

    def begin(self) -> None:
        """As if nothing had been before."""
        if self.has_knob("net/ipv4/icmp_ratelimit"):  # a limit for each peer
            self.knob("net/ipv4/icmp_ratelimit", 0)
        self.knob("net/ipv4/icmp_msgs_burst", MANY_ERRORS)
        self.knob("net/ipv4/icmp_msgs_per_sec", MANY_ERRORS)
        self.settle()

    def settle(self) -> None:
        """The host knows where ours are, and nothing is under way."""
        self.hosts.clear()
        self.hosts.update(HOSTS)
        for address, mac in HOSTS.items():
            self.know(address, mac)
        self.fence()

    def end(self) -> None:
        """Undo what the item did; what it left lying about is its failure."""
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()
        for path, value in self.changed.items():
            self.write_knob(path, value)
        self.changed.clear()
        self.settle()
        self.at_rest()
        errors, self.errors[:] = list(self.errors), []
        assert not errors, f"{len(errors)} frames from the host, the first: {errors[0]}"


# ---- what items look for

def summary(frame: Packet | bytes) -> str:
    return frame.summary() if isinstance(frame, Packet) else f"{len(frame)} bytes {frame[:40].hex()}"


def is_arp(frame: Packet, op: int) -> bool:
    return ARP in frame and frame[ARP].op == op


def is_echo_reply(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type == 0


def is_icmp(kind: int, code: int | None = None) -> Callable[[Packet], bool]:
    return lambda frame: ICMP in frame and frame[ICMP].type == kind and code in (None, frame[ICMP].code)


def is_udp(frame: Packet) -> bool:
    return UDP in frame and ICMP not in frame


def quoted(error: Packet) -> bytes:
    """What an ICMP error tells of the packet that it is about."""
    return wire_bytes(error)[error[IP].ihl * 4 + 8:]


def wire_bytes(frame: Packet) -> bytes:
    """The IP packet of a frame without what pads the frame, as it was on the wire."""
    raw = bytes(frame.original if frame.original else frame)
    return raw[14:14 + int.from_bytes(raw[16:18], "big")]


def payload(frame: Packet) -> bytes:
    """Of an unfragmented UDP or ICMP echo packet: behind its eight bytes of header."""
    packet = wire_bytes(frame)
    return packet[(packet[0] & 15) * 4 + 8:]


def to_udp(port: int, data: bytes = b"data", sport: int = 4000, src: str = PEER_IP, smac: str = PEER_MAC, **fields: object) -> Packet:
    """A datagram to the host; fields are those of UDP."""
    return ours(src, smac) / UDP(sport=sport, dport=port, **fields) / Raw(data)


def ours(src: str = PEER_IP, smac: str = PEER_MAC, dmac: str = GUEST_MAC, **fields: object) -> Packet:
    """Headers from one of ours to the host; fields are those of IP."""
    packet = to_guest(src=src, **fields)
    packet.src, packet.dst = smac, dmac
    return packet


def from_bytes(packet: bytes, smac: str = PEER_MAC, dmac: str = GUEST_MAC) -> bytes:
    """An IP packet, however wrong, in a frame to the host."""
    return octets(dmac) + octets(smac) + struct.pack("!H", 0x0800) + packet
