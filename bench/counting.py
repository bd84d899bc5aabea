"""bench/counting.py - machines whose QEMU counts guest instructions (bench/insncount.c), and whose they were."""
import mmap
import re
import struct
import subprocess
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grade.machine import Machine
from grade.wire import Wire
from tools.qemu import Settings, end_with_parent

PLUGIN = Path("build/bench/insncount.so")
BLOCK = struct.Struct("=QQQ")   # bench/insncount.c: address, size, instructions executed
REGIONS = struct.Struct("=QQQ")  # regions ended, instructions in them, CPU time in them (ns)
REST = 0.0005  # seconds without an instruction: the guest sleeps


class Counted(Machine):
    """blocks: count instructions (exact, slower); else only the time of regions is kept."""

    def __init__(self, settings: Settings, folder: Path, network: Wire | str, blocks: bool = True,
                 files: dict[str, tuple[int, bytes]] | None = None, before: Callable[[], None] = end_with_parent) -> None:
        self.files = {"regions": folder / "regions", **({"out": folder / "blocks"} if blocks else {})}
        super().__init__(settings, folder, network, files, before)

    def launch(self, argv: list[str], before: Callable[[], None]) -> "subprocess.Popen[bytes]":
        argv[argv.index("-accel") + 1] = "tcg,thread=single"
        options = "".join(f",{name}={path}" for name, path in self.files.items())
        return super().launch([*argv, "-plugin", f"{PLUGIN}{options}"], before)

    def boot(self) -> None:
        super().boot()
        self.maps = {name: self.map(path) for name, path in self.files.items()}

    @staticmethod
    def map(path: Path) -> mmap.mmap:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def executed(self) -> int:
        """Instructions so far."""
        return BLOCK.unpack_from(self.maps["out"])[2]

    def regions(self) -> "Regions":
        return Regions(*REGIONS.unpack_from(self.maps["regions"]))

    def cpu_ns(self) -> int:
        """CPU time of QEMU's threads so far."""
        return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"))

    def by_block(self) -> tuple[Counter[int], Counter[int]]:
        """Instructions by the address of their block, and how often each was entered."""
        counts: Counter[int] = Counter()
        entries: Counter[int] = Counter()
        for address, size, instructions in BLOCK.iter_unpack(self.maps["out"][BLOCK.size:]):
            if not address:
                break
            counts[address] += instructions
            entries[address] += instructions // size
        return counts, entries

    def react(self, to: Callable[[], object]) -> None:
        """Do something and return when the guest has begun to work on it."""
        before = self.executed()
        to()
        while self.executed() == before:
            time.sleep(REST / 10)

    def rest(self) -> None:
        """Return when the guest has nothing left to do."""
        before = -1
        while (now := self.executed()) != before:
            before = now
            time.sleep(REST)


@dataclass
class Regions:
    """What happened between the marks of bench/guest/op.h so far."""

    ended: int
    instructions: int
    cpu_ns: int

    def __sub__(self, other: "Regions") -> "Regions":
        return Regions(self.ended - other.ended, self.instructions - other.instructions, self.cpu_ns - other.cpu_ns)


class Functions:
    """Which function of a kernel an address lies in; from `nm -n`, or a System.map."""

    def __init__(self, listing: str) -> None:
        rows = re.findall(r"^(\w+) [Tt] (\S+)$", listing, re.M)
        self.starts, self.names = [int(start, 16) for start, _ in rows], [name for _, name in rows]

    @classmethod
    def of_elf(cls, elf: Path) -> "Functions":
        return cls(subprocess.run(["nm", "-n", str(elf)], capture_output=True, text=True, check=True).stdout)

    def name(self, address: int) -> str:
        i = bisect_right(self.starts, address) - 1
        return "(programs)" if address < 1 << 47 else self.names[i] if i >= 0 else "?"

    def sums(self, by_address: Counter[int]) -> Counter[str]:
        by_name: Counter[str] = Counter()
        for address, count in by_address.items():
            by_name[self.name(address)] += count
        return by_name

    def calls(self, entries: Counter[int]) -> Counter[str]:
        """A function is called as often as the block at its start is entered."""
        return Counter({name: entries[start] for start, name in zip(self.starts, self.names)})
