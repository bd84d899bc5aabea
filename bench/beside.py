"""bench/beside.py - operations of this kernel beside the same in a Linux guest: same QEMU, same machine, same program.

What bench/kernel.py, bench/udp.py and bench/tcp.py share. Each names its operations, the guest they run in and one figure
beside the first. The first is guest instructions an operation, whoever executed them, in a machine that counts them; the
second comes from the time of the host's CPU that emulates, in a machine of its own where nothing is counted. The runs of the
two guests alternate, and each figure is a median.
"""
import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import linux_guest
from bench.counting import Counted, Functions, Regions
from tools.qemu import NICS, Settings, initramfs

BUILD = Path("build/release")
OUT = Path("build/bench")
PROGRAM = "bin/kbench"


class Refused(Exception):
    """This guest cannot do the operation."""


class Guest:
    """One kernel: a machine that counts, and one that only keeps time. Others override what a machine is, and what is done in it."""

    def __init__(self, name: str, settings: Settings, functions: Functions, timed: bool) -> None:
        self.name, self.functions = name, functions
        self.counts: dict[str, int] = {}  # how often an operation was done the first time
        self.machines = {kind: self.machine(settings, OUT / f"{name}-{kind}", kind == "counted")
                         for kind in ("counted", "timed") if timed or kind == "counted"}

    def machine(self, settings: Settings, folder: Path, counts: bool) -> Counted:
        return Counted(settings, folder, "", counts, self.files())

    def files(self) -> dict[str, tuple[int, bytes]]:
        return {PROGRAM: (0o100755, (BUILD / "bench/kbench").read_bytes())}

    def boot(self) -> None:
        for machine in self.machines.values():
            machine.boot()

    def stop(self) -> None:
        for machine in self.machines.values():
            machine.stop()

    def do(self, machine: Counted, operation: str, times: int) -> int:
        """An operation as often as the program thinks right, or times as often as that; how often it was."""
        count = self.counts[operation] * times if times > 1 else ""
        printed = machine.run(f"/{PROGRAM} {operation} {count}", timeout=120)
        done = int(printed.split("done ")[1].split()[0])
        self.counts.setdefault(operation, done)
        return done

    def run(self, kind: str, operation: str) -> tuple[Regions, int]:
        """What happened between the program's marks, and how many operations that was."""
        machine = self.machines[kind]
        before = machine.regions()
        count = self.do(machine, operation, 1)
        return machine.regions() - before, count

    def profile(self, operation: str) -> tuple[Counter[str], Counter[str]]:
        """Instructions and calls by function for one operation: the difference of some and three times as many."""
        machine = self.machines["counted"]
        self.do(machine, operation, 1)  # what the first time costs
        runs = []
        for times in (1, 3):
            blocks, entries = machine.by_block()
            count = self.do(machine, operation, times)
            blocks_after, entries_after = machine.by_block()
            runs.append((count, blocks_after - blocks, entries_after - entries))
        (few, blocks, entries), (many, more_blocks, more_entries) = runs
        return (scaled(self.functions.sums(more_blocks - blocks), many - few),
                scaled(self.functions.calls(more_entries - entries), many - few))


def scaled(counts: Counter[str], by: int) -> Counter[str]:
    return Counter({name: count / by for name, count in counts.items()})


@dataclass(frozen=True)
class Figure:
    """Made of CPU time and how often."""

    title: str
    of: Callable[[Regions, int], float]
    decimals: int


TIME = Figure("ns of the emulating CPU", lambda spent, count: spent.cpu_ns / count, 0)
RATE = Figure("thousands a second of the emulating CPU", lambda spent, count: 1e6 * count / spent.cpu_ns, 1)


@dataclass(frozen=True)
class Bench:
    name: str
    operations: dict[str, str]  # a name on the command line -> a row's title
    guest: type[Guest]
    beside: Figure              # what stands beside the instructions
    nic: bool = False           # there is a card, and a choice of it
    rootfs: bool = False        # Debian's programs are there
    mem: str = "512M"
    repeat: int = 3

    def settings(self, args: argparse.Namespace) -> dict[str, str]:
        return {"smp": args.smp, "mem": args.mem, **({"nic": args.nic} if self.nic else {})}

    def arguments(self) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(self.operations)}; all if none")
        parser.add_argument("--repeat", type=int, default=self.repeat)
        parser.add_argument("--smp", default="1")
        parser.add_argument("--mem", default=self.mem)
        if self.nic:
            parser.add_argument("--nic", default="e1000", help=" or ".join(NICS))
        parser.add_argument("--towpath-only", action="store_true")
        parser.add_argument("--untimed", action="store_true", help="instructions alone")
        parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N functions that cost most here")
        parser.add_argument("--linux-functions", type=int, default=0, metavar="N", help="the same in Linux")
        parser.add_argument("--linux-append", default="", help="more for Linux's command line")
        return parser.parse_args()

    # ---- the guests

    def towpath(self, args: argparse.Namespace) -> Guest:
        settings = Settings(elf=BUILD / "towpath.elf", initrd=BUILD / initramfs(self.rootfs), **self.settings(args))
        return self.guest("towpath", settings, Functions.of_elf(settings.elf), not args.untimed)

    def linux(self, args: argparse.Namespace) -> Guest:
        symbols = Functions(linux_guest.kernel().symbols.read_text())
        behind = Path("build/rootfs.cpio").read_bytes() if self.rootfs else b""
        settings = linux_guest.settings(OUT, behind, append=args.linux_append, **self.settings(args))
        return self.guest("linux", settings, symbols, not args.untimed)

    @contextmanager
    def running(self, args: argparse.Namespace) -> Iterator[list[Guest]]:
        with ExitStack() as stack:
            guests = []
            for make in (self.towpath,) if args.towpath_only else (self.towpath, self.linux):
                guests.append(make(args))
                stack.callback(guests[-1].stop)
            for guest in guests:
                guest.boot()
            yield guests

    # ---- measuring

    def figure(self, guest: Guest, kind: str, operation: str) -> float:
        """nan: refused."""
        try:
            spent, count = guest.run(kind, operation)
        except Refused:
            return float("nan")
        return spent.instructions / count if kind == "counted" else self.beside.of(spent, count)

    def measure(self, guests: list[Guest], operation: str, repeat: int) -> dict[str, list[float]]:
        """A kind of machine -> the median of each guest. The guests take turns."""
        turns = [[(kind, i, self.figure(guest, kind, operation)) for i, guest in enumerate(guests) for kind in guest.machines]
                 for _ in range(repeat)]
        return {kind: [statistics.median(value for turn in turns for k, j, value in turn if (k, j) == (kind, i))
                       for i in range(len(guests))] for kind in guests[0].machines}

    def row(self, operation: str, figures: dict[str, list[float]]) -> str:
        text = f"{self.operations[operation]:50}"
        for kind, of_guests in figures.items():
            decimals = self.beside.decimals if kind == "timed" else 0
            text += "".join(f" {figure:11,.{decimals}f}" for figure in of_guests)
            text += f" {of_guests[0] / of_guests[1]:6.2f}" if len(of_guests) > 1 else ""
        return text

    def report(self, guests: list[Guest], args: argparse.Namespace) -> None:
        timed = "" if args.untimed else f", then {self.beside.title}"
        print(f"{', '.join(self.settings(args).values())}: instructions an operation{timed}; medians of {args.repeat}")
        heads = "".join(f" {guest.name:>11}" for guest in guests) + (f" {'ratio':>6}" if len(guests) > 1 else "")
        print(f"{'':50}{heads * len(guests[0].machines)}")
        for operation in args.operations or self.operations:
            print(self.row(operation, self.measure(guests, operation, args.repeat)), flush=True)
            for guest, n in zip(guests, (args.functions, args.linux_functions)):
                if n:
                    show_profile(guest, operation, n)

    def main(self) -> int:
        args = self.arguments()
        try:
            with self.running(args) as guests:
                self.report(guests, args)
        except linux_guest.Unavailable as error:
            print(f"{self.name}: {error}", file=sys.stderr)
            return 1
        return 0


def show_profile(guest: Guest, operation: str, n: int) -> None:
    instructions, calls = guest.profile(operation)
    for function, count in instructions.most_common(n):
        print(f"    {guest.name:8} {count:10,.1f} in {calls[function]:8.1f} calls  {function}")
