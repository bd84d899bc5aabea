"""bench/udp.py - what a datagram of 64 bytes costs beside a Linux guest with the same card in the same QEMU.

usage: bench/udp.py [--repeat N] [--nic e1000|virtio] [--towpath-only] [--functions N] [--linux-functions N] [OPERATION...]

Both guests run one static program (bench/guest/datagrams.c), which tells us by a datagram what to do and marks where the
counting begins and ends. We are the other end of the wire: a thread that does nothing but take frames and send those
that are asked for. Bursts of 32 follow each other, each when the guest has dealt with the one before: nothing is lost, and
the guest sees the same load whichever it is. Two figures, as in bench/kernel.py: guest instructions a datagram, whoever
executed them; and datagrams a second of the host CPU that emulates, in machines where nothing is counted. Medians; the
guests take turns.
"""
import argparse
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import linux_guest
from bench.cost import ipv4, with_checksum
from bench.counting import Counted, Functions
from bench.kernel import BUILD, OUT, PROGRAM, Guest, median, show_profile
from grade.wire import PEER_IP, Wire, arp_reply_for
from tools.qemu import NICS, Settings

# One host thread runs all CPUs here, and then QEMU leaves out barriers that the card's other thread relies on: with
# EVENT_IDX a Linux guest loses a notification now and then, and hangs. So neither guest has it.
CARDS = {"e1000": NICS["e1000"], "virtio": f"{NICS['virtio']},event_idx=off"}
BURST, SIZE, CONTROL, OURS = 32, 64, 5000, 5001
FAR_NET, FAR, FROM = "198.51.100.0", "198.51.100.7", "203.0.113.5"
OPERATIONS = {
    "udp_receive": "received",
    "udp_receive_1000": "received, 1,000 more sockets on the port",
    "udp_send": "sent",
    "udp_send_mmsg": "sent, 32 a call (sendmmsg)",
    "udp_send_gso": "sent, 32 a call (UDP_SEGMENT)",
    "udp_forward": "forwarded",
    "udp_echo": "echoed",
}
ROUTER = (f"ulimit -n 2000; echo 1 >/proc/sys/net/ipv4/ip_forward; for f in /proc/sys/net/ipv4/conf/*/send_redirects; do "
          f"[ ! -e $f ] || echo 0 >$f; done; route add -net {FAR_NET} netmask 255.255.255.0 gw {PEER_IP}")


def datagram(port: int, payload: bytes) -> bytes:
    return ipv4(17, with_checksum(17, struct.pack("!HHHH", CONTROL, port, 8 + len(payload), 0) + payload, 6))


class Peer(Wire):
    """The other end: no captures, no checks, one thread."""

    ONE = datagram(OURS, b"x" * SIZE)
    FORWARDED = ipv4(17, struct.pack("!HHHH", CONTROL, OURS, 8 + SIZE, 0) + b"x" * SIZE, FROM, FAR)

    def __init__(self, capture: Path) -> None:
        super().__init__(capture)
        self.echoed = self.through = self.wanted = 0
        self.echoing = False

    def read(self) -> None:
        while True:
            try:
                frame = self.ours.recv(65536)
            except OSError:
                return
            if not frame:
                return
            if reply := arp_reply_for(frame, self.hosts):
                self.ours.send(reply)
            elif len(frame) >= 42 + SIZE and frame[23] == 17:
                self.answer(frame)

    def burst(self, frame: bytes) -> None:
        for _ in range(BURST):
            self.ours.send(frame)

    def answer(self, frame: bytes) -> None:
        if frame[30:34] == self.FORWARDED[30:34]:
            self.came_through()
        elif self.echoing and frame[42:43] == b"x":
            self.echoed += 1
            if self.echoed % BURST == 0:
                self.burst(self.ONE)
        else:
            self.obey(frame[42:43], struct.unpack_from("=I", frame, 46)[0])

    def obey(self, command: bytes, n: int) -> None:
        self.echoing = command == b"e"
        if command in (b"r", b"e"):
            self.echoed = 0
            self.burst(self.ONE)
        elif command == b"f":
            self.through, self.wanted = 0, n
            self.burst(self.FORWARDED)

    def came_through(self) -> None:
        self.through += 1
        if self.through == self.wanted:
            self.ours.send(self.ONE)
        elif self.through % BURST == 0:
            self.burst(self.FORWARDED)


class NetworkGuest(Guest):
    """One kernel on wires of its own: a machine that counts, and one that only keeps time."""

    def __init__(self, name: str, settings: Settings, functions: Functions) -> None:
        self.name, self.functions = name, functions
        program = {PROGRAM: (0o100755, (BUILD / "bench/kbench").read_bytes())}
        self.machines = {kind: Counted(settings, OUT / f"{name}-{kind}", Peer(OUT / f"{name}-{kind}.pcapng"), blocks, program)
                         for kind, blocks in (("counted", True), ("timed", False))}

    def boot(self) -> None:
        super().boot()
        for machine in self.machines.values():
            machine.run(ROUTER, timeout=60)


@contextmanager
def running(args: argparse.Namespace) -> Iterator[list[Guest]]:
    NICS.update(CARDS)
    machine = {"smp": "1", "mem": "256M", "nic": args.nic}
    ours = Settings(elf=BUILD / "towpath.elf", initrd=BUILD / "initramfs.cpio", **machine)
    with ExitStack() as stack:
        guests: list[Guest] = [NetworkGuest("towpath", ours, Functions.of_elf(ours.elf))]
        stack.callback(guests[0].stop)
        if not args.towpath_only:
            symbols = Functions(linux_guest.kernel().symbols.read_text())
            guests.append(NetworkGuest("linux", linux_guest.settings(OUT, **machine), symbols))
            stack.callback(guests[1].stop)
        for guest in guests:
            guest.boot()
        yield guests


def measure(guests: list[Guest], operation: str, repeat: int) -> dict[str, tuple[float, float]]:
    """A guest's name -> instructions a datagram, thousands of datagrams a second of the emulating CPU."""
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeat):
        for guest in guests:
            for kind in guest.machines:
                try:
                    spent, count = guest.run(kind, operation)
                except AssertionError:  # Linux cuts no datagrams for a card that fills in no checksums
                    taken.setdefault((guest.name, kind), []).append(float("nan"))
                    continue
                figure = spent.instructions / count if kind == "counted" else 1e6 * count / spent.cpu_ns
                taken.setdefault((guest.name, kind), []).append(figure)
    return {guest.name: (median(taken[guest.name, "counted"]), median(taken[guest.name, "timed"])) for guest in guests}


def report(guests: list[Guest], args: argparse.Namespace) -> None:
    print(f"{args.nic}, 1 CPU: instructions a datagram of {SIZE} bytes; thousands a second of the emulating CPU; "
          f"medians of {args.repeat}")
    print(f"{'':42} {'towpath':>8} {'linux':>8} {'ratio':>6} {'towpath':>8} {'linux':>8} {'ratio':>6}")
    for operation in args.operations or OPERATIONS:
        figures = measure(guests, operation, args.repeat)
        row = f"{OPERATIONS[operation]:42}"
        for i, decimals in ((0, 0), (1, 1)):
            row += "".join(f" {figures[guest.name][i]:8,.{decimals}f}" for guest in guests)
            row += f" {figures['towpath'][i] / figures['linux'][i]:6.2f}" if "linux" in figures else ""
        print(row, flush=True)
        for guest, n in zip(guests, (args.functions, args.linux_functions)):
            if n:
                show_profile(guest, operation, n)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(OPERATIONS)}; all if none")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--nic", default="e1000")
    parser.add_argument("--towpath-only", action="store_true")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N functions that cost most here")
    parser.add_argument("--linux-functions", type=int, default=0, metavar="N", help="the same in Linux")
    args = parser.parse_args()
    try:
        with running(args) as guests:
            report(guests, args)
    except linux_guest.Unavailable as error:
        print(f"bench-udp: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
