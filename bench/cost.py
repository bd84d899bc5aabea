"""bench/cost.py - what a packet costs: guest instructions per round trip, counted in an emulated release kernel.

usage: bench/cost.py [--repeat N] [--count N] [--nic e1000|virtio] [--smp N] [--functions N] [OPERATION...]

QEMU runs the guest under bench/insncount.c; we are the other end of its wire. An operation is done COUNT times, each
when the guest has come to rest after the one before: so what it executes meanwhile is the cost of that one, from the
interrupt to the idle loop. --functions lists where the instructions went. All virtual CPUs share one host thread,
which makes the counts exact.
"""
import argparse
import random
import re
import socket
import statistics
import struct
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.counting import Counted, Functions
from grade.plugin import wait_until_it_serves
from grade.wire import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, Wire, ones_sum
from tools.qemu import Settings

BUILD = Path("build/release")
OUT = Path("build/bench")
ECHO, HTTP, CLOSED = 7, 80, 4000
MSS_1460 = b"\2\4\x05\xb4"
REQUEST = b"GET / HTTP/1.1\r\nHost: towpath\r\n\r\n"


class Served(Counted):
    """A machine on a wire whose servers we talk to."""

    wire: Wire

    def __init__(self, settings: Settings, folder: Path, wire: Wire) -> None:
        self.connections: dict[int, Connection] = {}
        super().__init__(settings, folder, wire)

    def connection(self, port: int) -> "Connection":
        """One a port: more would have the servers look after all of them."""
        if port not in self.connections:
            self.connections[port] = Connection(self.wire, port)
        return self.connections[port]


# ---- the other end: frames by hand, as Scapy would be slow enough to matter

def ipv4(protocol: int, payload: bytes, source: str = PEER_IP, to: str = GUEST_IP) -> bytes:
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(to))
    header = header[:10] + struct.pack("!H", ones_sum(header)) + header[12:]
    ethernet = bytes.fromhex((GUEST_MAC + PEER_MAC).replace(":", "")) + b"\x08\x00"
    return (ethernet + header + payload).ljust(60, b"\0")


def with_checksum(protocol: int, segment: bytes, at: int) -> bytes:
    pseudo = socket.inet_aton(PEER_IP) + socket.inet_aton(GUEST_IP) + struct.pack("!BBH", 0, protocol, len(segment))
    return segment[:at] + struct.pack("!H", ones_sum(pseudo + segment)) + segment[at + 2:]


def datagram(port: int, payload: bytes) -> bytes:
    return ipv4(17, with_checksum(17, struct.pack("!HHHH", 30000, port, 8 + len(payload), 0) + payload, 6))


class Connection:
    """A TCP connection on a wire that loses nothing."""

    def __init__(self, wire: Wire, port: int) -> None:
        self.wire, self.port, self.source = wire, port, random.randrange(31000, 60000)
        self.seq, self.ack = 1000, 0
        self.send("S")
        self.receive(0)

    def send(self, flags: str, payload: bytes = b"") -> None:
        bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}[flag] for flag in flags)
        options = MSS_1460 if "S" in flags else b""
        offset = (20 + len(options)) // 4 << 4
        header = struct.pack("!HHIIBBHHH", self.source, self.port, self.seq, self.ack, offset, bits, 65535, 0, 0)
        self.wire.send(ipv4(6, with_checksum(6, header + options + payload, 16)))
        self.seq += len(payload) + ("S" in flags)

    def receive(self, count: int) -> bytes:
        """Take count bytes, or, with 0, the guest's SYN."""
        got = b""
        while True:
            frame = take(self.wire, lambda f: f[23] == 6 and f[36:38] == struct.pack("!H", self.source))
            length = int.from_bytes(frame[16:18], "big")
            header = (frame[46] >> 4) * 4
            data, syn = frame[34 + header:14 + length], frame[47] & 2
            got += data
            self.ack = (int.from_bytes(frame[38:42], "big") + len(data) + bool(syn)) % 2**32
            if (syn and not count) or (count and len(got) >= count):
                return got
            self.send("A")  # a sender may hold back a short segment until then (RFC 1122 4.2.3.4)


def take(wire: Wire, wanted: Callable[[bytes], bool]) -> bytes:
    """The next frame from the guest that is wanted."""
    while not wanted(frame := wire.frames.get(timeout=20)[0]):
        pass
    return frame


# ---- operations: each prepares itself and gives what is done COUNT times

def udp_echo(machine: Served) -> Callable[[], object]:
    frame = datagram(ECHO, b"x" * 18)
    return lambda: (machine.wire.send(frame), take(machine.wire, lambda f: f[23] == 17))


def tcp_echo(machine: Served) -> Callable[[], object]:
    connection = machine.connection(ECHO)
    return lambda: (connection.send("PA", b"x"), connection.receive(1))


def http(machine: Served) -> Callable[[], object]:
    connection = machine.connection(HTTP)
    connection.send("PA", REQUEST)
    head = connection.receive(1)
    length = head.index(b"\r\n\r\n") + 4 + int(re.search(rb"Content-Length: (\d+)", head)[1])
    if len(head) < length:
        connection.receive(length - len(head))
    return lambda: (connection.send("PA", REQUEST), connection.receive(length))


def ping(machine: Served) -> Callable[[], object]:
    echo = struct.pack("!BBHHH", 8, 0, 0, 7, 7) + b"x" * 18
    frame = ipv4(1, echo[:2] + struct.pack("!H", ones_sum(echo)) + echo[4:])
    return lambda: (machine.wire.send(frame), take(machine.wire, lambda f: f[23] == 1))


def discard(machine: Served) -> Callable[[], object]:
    """To the broadcast MAC, where no ICMP error answers (RFC 1122 3.2.2); it is done when it has begun and rests."""
    frame = b"\xff" * 6 + datagram(CLOSED, b"x" * 18)[6:]
    return lambda: machine.react(lambda: machine.wire.send(frame))


def forward(machine: Served) -> Callable[[], object]:
    """Back out of the one card there is: from a far network to another, both behind us."""
    machine.run(f"sysctl -w net.ipv4.ip_forward=1; route add -net 198.51.100.0 netmask 255.255.255.0 gw {PEER_IP} || true")
    frame = ipv4(17, struct.pack("!HHHH", 30000, CLOSED, 26, 0) + b"x" * 18, "203.0.113.5", "198.51.100.7")
    return lambda: (machine.wire.send(frame), take(machine.wire, lambda f: f[30:34] == frame[30:34]))


OPERATIONS: dict[str, tuple[str, Callable[[Served], Callable[[], object]]]] = {
    "udp": ("UDP echo, 18 bytes, round trip", udp_echo),
    "tcp": ("TCP echo, 1 byte, round trip", tcp_echo),
    "ping": ("ping, 18 bytes, round trip", ping),
    "http": ("HTTP keep-alive request", http),
    "forward": ("UDP datagram of 18 bytes forwarded", forward),
    "discard": ("UDP datagram to a closed port", discard),
}


# ---- measuring

@dataclass
class Cost:
    """Instructions of count operations, in all, and by function with how often it was called."""

    total: int
    functions: Counter[str]
    calls: Counter[str]


def measure(machine: Served, name: str, count: int, functions: Functions) -> Cost:
    """Each operation begins with the guest at rest, so that none finds another's work half done."""
    operation = OPERATIONS[name][1](machine)
    for _ in range(count // 10):
        operation()
    machine.rest()
    (blocks, entries), start = machine.by_block(), machine.executed()
    for _ in range(count):
        operation()
        machine.rest()
    spent = machine.executed() - start
    blocks_after, entries_after = machine.by_block()
    machine.wire.drain()
    return Cost(spent, functions.sums(blocks_after - blocks), functions.calls(entries_after - entries))


def report(machine: Served, args: argparse.Namespace) -> None:
    functions = Functions.of_elf(BUILD / "towpath.elf")
    print(f"guest instructions per operation, {args.nic}, {args.smp} CPU, median of {args.repeat} x {args.count}")
    for name in args.operations or OPERATIONS:
        costs = [measure(machine, name, args.count, functions) for _ in range(args.repeat)]
        totals = [cost.total / args.count for cost in costs]
        print(f"  {OPERATIONS[name][0]:34} {statistics.median(totals):8.0f}   "
              f"({min(totals):.0f} to {max(totals):.0f})", flush=True)
        for function, instructions in costs[0].functions.most_common(args.functions):
            calls = costs[0].calls[function] / args.count
            print(f"    {instructions / args.count:8.0f} in {calls:6.1f} calls  {function}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(OPERATIONS)}; all if none")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--nic", default="e1000")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N functions that cost most")
    args = parser.parse_args()
    wire = Wire(OUT / "wire.pcapng")
    settings = Settings(elf=BUILD / "towpath.elf", initrd=BUILD / "initramfs.cpio", smp=args.smp, nic=args.nic)
    machine = Served(settings, OUT, wire)
    try:
        machine.boot()
        wait_until_it_serves(wire)
        report(machine, args)
    finally:
        machine.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
