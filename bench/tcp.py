"""bench/tcp.py - what TCP costs beside a Linux guest with the same card in the same QEMU, and the same programs.

usage: bench/tcp.py [--repeat N] [--nic e1000|virtio] [--smp N] [--towpath-only] [--untimed] [--functions N] [--linux-functions N]
                    [OPERATION...]

Each machine has its card's cable in a network namespace of its own (grade/namespace.py), where the host's Linux is the peer:
iperf3 there talks to iperf3 in the guest, bench/tcp_client.py to bench/guest/streams.c, webd and nginx. Both guests run the
same binaries. An operation is done n times and then 3 n times; the difference is 2 n of them without their beginning and
end. A segment is 1,448 bytes of text, however many the card is given at once. Medians; the guests take turns.
"""
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.beside import BUILD, PROGRAM, RATE, Bench, Guest
from bench.counting import Counted, Regions
from grade.namespace import Namespace, wait_for
from grade.wire import GUEST_IP
from tools.mkinitramfs import Entry, tree
from tools.qemu import Settings

SEGMENT = 1448  # an Ethernet frame's text, with timestamps (RFC 7323)
IPERF, ECHO, ACCEPTS, WEBD, NGINX = 5201, 5001, 5002, 81, 8080
CLIENT = [sys.executable, "bench/tcp_client.py"]
SERVERS = (f"/{PROGRAM} tcp_serve", f"/bin/webd -p {WEBD} /www", "nginx", "iperf3 -s -D")


class OnTap(Counted):
    """A counted machine beside a namespace."""

    def __init__(self, settings: Settings, folder: Path, counts: bool, files: dict[str, Entry]) -> None:
        self.namespace = Namespace()
        netdev = self.namespace.tap()
        self.namespace.must("ip", "link", "set", "tap0", "txqueuelen", "10000")  # it loses nothing
        self.counts = counts
        super().__init__(settings, folder, netdev, counts, files, self.namespace.enter)

    def boot(self) -> None:
        super().boot()
        for server in SERVERS:
            self.run(f"(PATH=/bin:/usr/bin:/usr/sbin {server} >/tmp/log 2>&1 &)")
        self.namespace.start(*CLIENT, "serve", str(ACCEPTS))
        for port in (IPERF, ECHO, WEBD, NGINX):
            wait_for(f"port {port}", lambda at=port: self.opens(at), self)

    def opens(self, port: int) -> bool:
        return self.namespace.run(["bash", "-c", f"exec 3<>/dev/tcp/{GUEST_IP}/{port}"], 10).returncode == 0

    # ---- operations: each says how often it was done

    def client(self, what: str, port: int, count: int) -> int:
        self.namespace.must(*CLIENT, what, str(port), str(count), timeout=300)
        return count

    def iperf3(self, seconds: int, *options: str) -> int:
        """Told a number of bytes instead of a time, its sender spins in select() until the last is acknowledged."""
        command, report = ["iperf3", "-J", "-c", GUEST_IP, "-t", str(seconds), *options], {}

        def served() -> bool:
            """Its server opens the port anew for each client, and takes one at a time."""
            report.clear()
            report.update(json.loads(self.namespace.run(command, 60).stdout))
            error = report.get("error", "")
            assert not error or "refused" in error or "busy" in error, error
            return not error

        wait_for("iperf3", served, self)
        return report["end"]["sum_received"]["bytes"] // SEGMENT

    def connect(self, count: int) -> int:
        self.run(f"/{PROGRAM} tcp_connect {count}", 300)
        return count

    def so_far(self) -> Regions:
        if not self.counts:
            return Regions(0, 0, self.cpu_ns())
        self.rest()
        return Regions(0, self.executed(), self.cpu_ns())

    def stop(self) -> None:
        super().stop()
        self.namespace.close()


@dataclass(frozen=True)
class Operation:
    title: str
    count: int  # seconds of iperf3
    act: Callable[[OnTap, int], int]


OPERATIONS = {
    "receive": Operation("segment received (iperf3)", 1, lambda m, n: m.iperf3(n)),
    "send": Operation("segment sent (iperf3)", 1, lambda m, n: m.iperf3(n, "-R")),
    "round_trip": Operation("round trip, 1 byte", 500, lambda m, n: m.client("round_trips", ECHO, n)),
    "accept": Operation("connection: accepted, closed by the peer", 300, lambda m, n: m.client("connections", ECHO, n)),
    "connect": Operation("connection: connected, closed first", 300, lambda m, n: m.connect(n)),
    "webd": Operation("HTTP request kept alive, webd", 300, lambda m, n: m.client("requests", WEBD, n)),
    "nginx": Operation("HTTP request kept alive, nginx", 300, lambda m, n: m.client("requests", NGINX, n)),
    "file": Operation("file of 1 MiB by sendfile(), nginx", 4, lambda m, n: m.client("files", NGINX, n)),
    "page": Operation("HTTP request on its own connection, nginx", 200, lambda m, n: m.client("pages", NGINX, n)),
}


class TcpGuest(Guest):
    machines: dict[str, OnTap]

    def machine(self, settings: Settings, folder: Path, counts: bool) -> OnTap:
        return OnTap(settings, folder, counts, self.files())

    def files(self) -> dict[str, Entry]:
        webd = {"bin/webd": (0o100755, (BUILD / "user/webd").read_bytes())}
        megabyte = {"www/megabyte": (0o100644, bytes(1 << 20))}
        return {**super().files(), **webd, **megabyte, **tree(Path("user/rootfs"))}

    def do(self, machine: Counted, operation: str, times: int) -> int:
        return OPERATIONS[operation].act(machine, times * OPERATIONS[operation].count)

    def run(self, kind: str, operation: str) -> tuple[Regions, int]:
        machine, begin = self.machines[kind], self.machines[kind].so_far()
        few, middle = self.do(machine, operation, 1), machine.so_far()
        many, end = self.do(machine, operation, 3), machine.so_far()
        return (end - middle) - (middle - begin), many - few


if __name__ == "__main__":
    titles = {name: operation.title for name, operation in OPERATIONS.items()}
    sys.exit(Bench("bench-tcp", titles, TcpGuest, RATE, nic=True, rootfs=True).main())
