"""bench/kernel.py - what the kernel's own operations cost beside a Linux guest in the same QEMU.

usage: bench/kernel.py [--repeat N] [--smp N] [--mem SIZE] [--towpath-only] [--functions N] [--linux-functions N] [OPERATION...]

Both guests run one static program (bench/guest/), which marks where an operation repeated many times begins and ends.
Two figures are taken between the marks: guest instructions, counted by bench/insncount.c, whoever executed them; and the
time of the host's CPU that emulated them, in machines of their own where nothing is counted. The runs of the two guests
alternate and each figure is a median. All virtual CPUs share one host thread.
"""
import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import linux_guest
from bench.counting import Counted, Functions, Regions
from tools.qemu import Settings

BUILD = Path("build/release")
OUT = Path("build/bench")
PROGRAM = "bin/kbench"
OPERATIONS = {
    "null": "null system call (getppid)",
    "clock_gettime": "clock_gettime, by call",
    "gettimeofday": "gettimeofday, by call",
    "signal": "signal to self, handled",
    "open": "open + close a file",
    "stat": "stat a file",
    "pread4k": "read 4 KiB of a file",
    "fork": "fork + exit + wait",
    "fork_exec": "fork + exec + exit + wait",
    "vfork_exec": "vfork + exec + exit + wait",
    "thread": "thread create + join",
    "futex": "two threads take turns (futex), round",
    "fault_anon": "page fault, anonymous",
    "fault_cow": "page fault, copy-on-write",
    "file_read": "file private: mapped, read, unmapped, a page",
    "file_write": "file private: mapped, written, unmapped, a page",
    "mmap_1": "mmap + munmap, 1 page",
    "mmap_1_touch": "mmap + touch + munmap, 1 page",
    "mmap_256_touch": "mmap + touch + munmap, 256 pages",
    "mmap_among_1000": "mmap + touch + munmap among 1,000 mappings",
    "mprotect": "mprotect 16 pages, there and back",
    "pipe_1": "pipe: write + read 1 byte",
    "pipe_64k": "pipe: write + read 64 KiB",
    "switch": "context switch: pipe round trip, two processes",
    "poll_10": "poll 10 pipes",
    "poll_100": "poll 100 pipes",
    "udp": "UDP round trip, loopback",
    "tcp": "TCP round trip, loopback",
}


class Guest:
    """One kernel: a machine that counts, and one that only keeps time."""

    def __init__(self, name: str, settings: Settings, functions: Functions, timed: bool) -> None:
        self.name, self.functions = name, functions
        program = {PROGRAM: (0o100755, (BUILD / "bench/kbench").read_bytes())}
        kinds = {"counted": True, **({"timed": False} if timed else {})}
        self.machines = {kind: Counted(settings, OUT / f"{name}-{kind}", "", blocks, program)
                         for kind, blocks in kinds.items()}

    def boot(self) -> None:
        for machine in self.machines.values():
            machine.boot()

    def stop(self) -> None:
        for machine in self.machines.values():
            machine.stop()

    def run(self, kind: str, operation: str, count: int = 0) -> tuple[Regions, int]:
        """What happened between the marks, and how many operations that was."""
        machine = self.machines[kind]
        before = machine.regions()
        printed = machine.run(f"/{PROGRAM} {operation} {count or ''}", timeout=120)
        return machine.regions() - before, int(printed.split("done ")[1].split()[0])

    def profile(self, operation: str) -> tuple[Counter[str], Counter[str]]:
        """Instructions and calls by function for one operation: the difference of many and three times as many."""
        machine = self.machines["counted"]
        _, count = self.run("counted", operation)
        runs = []
        for times in (1, 3):
            (blocks, entries), _ = machine.by_block(), self.run("counted", operation, count * times)
            blocks_after, entries_after = machine.by_block()
            runs.append((blocks_after - blocks, entries_after - entries))
        (few, few_entries), (many, many_entries) = runs
        return (scaled(self.functions.sums(many - few), 2 * count),
                scaled(self.functions.calls(many_entries - few_entries), 2 * count))


def scaled(counts: Counter[str], by: int) -> Counter[str]:
    return Counter({name: count / by for name, count in counts.items()})


@dataclass
class Figures:
    instructions: float
    ns: float


def median(values: list[float]) -> float:
    return statistics.median(values) if values else 0.0


def measure(guests: list[Guest], operation: str, repeat: int) -> dict[str, Figures]:
    """A guest's name -> its medians. The guests take turns."""
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeat):
        for guest in guests:
            for kind in guest.machines:
                spent, count = guest.run(kind, operation)
                value = spent.instructions if kind == "counted" else spent.cpu_ns
                taken.setdefault((guest.name, kind), []).append(value / count)
    return {guest.name: Figures(median(taken[guest.name, "counted"]), median(taken.get((guest.name, "timed"), [])))
            for guest in guests}


def show_row(operation: str, figures: dict[str, Figures]) -> None:
    ours, theirs = figures["towpath"], figures.get("linux")
    row = f"{OPERATIONS[operation]:50} {ours.instructions:10,.0f}"
    if theirs:
        row += f" {theirs.instructions:10,.0f} {ours.instructions / theirs.instructions:6.2f}"
        row += f" {ours.ns:11,.0f} {theirs.ns:11,.0f} {ours.ns / theirs.ns:6.2f}" if theirs.ns else ""
    print(row, flush=True)


def show_profile(guest: Guest, operation: str, n: int) -> None:
    instructions, calls = guest.profile(operation)
    for function, count in instructions.most_common(n):
        print(f"    {guest.name:8} {count:10,.1f} in {calls[function]:8.1f} calls  {function}")


@contextmanager
def running(args: argparse.Namespace) -> Iterator[list[Guest]]:
    machine = {"smp": args.smp, "mem": args.mem}
    ours = Settings(elf=BUILD / "towpath.elf", initrd=BUILD / "initramfs.cpio", **machine)
    timed = not args.untimed
    with ExitStack() as stack:
        guests = [Guest("towpath", ours, Functions.of_elf(ours.elf), timed)]
        stack.callback(guests[0].stop)
        if not args.towpath_only:
            symbols = Functions(linux_guest.kernel().symbols.read_text())
            guests.append(Guest("linux", linux_guest.settings(OUT, append=args.linux_append, **machine), symbols, timed))
            stack.callback(guests[1].stop)
        for guest in guests:
            guest.boot()
        yield guests


def report(guests: list[Guest], args: argparse.Namespace) -> None:
    print(f"{args.smp} CPU, {args.mem}; instructions an operation, then ns of the emulating CPU; medians of {args.repeat}")
    print(f"{'':50} {'towpath':>10} {'linux':>10} {'ratio':>6} {'towpath':>11} {'linux':>11} {'ratio':>6}")
    for operation in args.operations or OPERATIONS:
        show_row(operation, measure(guests, operation, args.repeat))
        for guest, n in zip(guests, (args.functions, args.linux_functions)):
            if n:
                show_profile(guest, operation, n)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(OPERATIONS)}; all if none")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--smp", default="1")
    parser.add_argument("--mem", default="512M")
    parser.add_argument("--towpath-only", action="store_true")
    parser.add_argument("--untimed", action="store_true", help="instructions alone")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N functions that cost most here")
    parser.add_argument("--linux-functions", type=int, default=0, metavar="N", help="the same in Linux")
    parser.add_argument("--linux-append", default="", help="more for Linux's command line")
    args = parser.parse_args()
    try:
        with running(args) as guests:
            report(guests, args)
    except linux_guest.Unavailable as error:
        print(f"bench-kernel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
