"""bench/udp.py - what a datagram of 64 bytes costs beside a Linux guest with the same card in the same QEMU.

usage: bench/udp.py [--repeat N] [--smp N] [--nic e1000|virtio] [--towpath-only] [--functions N] [--linux-functions N] [OPERATION...]

Both guests run one static program (bench/guest/datagrams.c), which tells us by a datagram what to do and marks where the
counting begins and ends. We are the other end of the wire: a thread that does nothing but take frames and send those
that are asked for. Bursts of 32 follow each other, each when the guest has dealt with the one before: nothing is lost, and
the guest sees the same load whichever it is. Two figures, as in bench/kernel.py: guest instructions a datagram, whoever
executed them; and datagrams a second of the host CPU that emulates, in machines where nothing is counted. Medians; the
guests take turns.
"""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.beside import RATE, Bench, Guest, Refused
from bench.cost import ipv4, with_checksum
from bench.counting import Counted
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
    """One kernel on wires of its own."""

    def machine(self, settings: Settings, folder: Path, counts: bool) -> Counted:
        folder.mkdir(parents=True, exist_ok=True)
        return Counted(settings, folder, Peer(folder / "wire.pcapng"), counts, self.files())

    def boot(self) -> None:
        super().boot()
        for machine in self.machines.values():
            machine.run(ROUTER, timeout=60)

    def do(self, machine: Counted, operation: str, count: int) -> int:
        try:
            return super().do(machine, operation, count)
        except AssertionError:
            if operation == "udp_send_gso":  # Linux cuts no datagrams for a card that fills in no checksums
                raise Refused from None
            raise


if __name__ == "__main__":
    NICS.update(CARDS)
    sys.exit(Bench("bench-udp", OPERATIONS, NetworkGuest, RATE, nic=True, mem="256M").main())
