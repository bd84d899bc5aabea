"""tools/gen-locking.py - make doc/locking.md from the list of ranks in lib/lockrank.h.

    tools/python tools/gen-locking.py            write the page
    tools/python tools/gen-locking.py --check    say whether it is what the list says
"""
import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

SOURCE, PAGE = Path("lib/lockrank.h"), Path("doc/locking.md")
FIRST_SPINLOCK = 100  # lib/lockrank.h: from here on they are struct spinlock

PROSE = """\
# The lock order

Made from `lib/lockrank.h:/define LOCK_RANKS/` by tools/gen-locking.py; change that list, not this page.

A lock has a rank. Whoever holds one may take only locks of higher rank, so no two CPUs can wait for each other
in a circle. Every lock that is taken is checked against those its CPU holds, in every build
(`kern/sched/spinlock.c:/^static inline void push/`): a wrong order panics the first time it is used, naming both locks, whether or not
another CPU was in the way. Two locks of one rank are never held together.

There are two kinds. net/ and the drivers use `struct lock` (`net/port.h:/^struct lock/`): softirqs are off while one is held, and
no hard interrupt takes one. The kernel's own parts use `struct spinlock` (`kern/sched/spinlock.h:/^struct spinlock/`): interrupts
are off. The second kind has the higher ranks, so that it may be taken inside the first. A mutex
(`kern/sched/spinlock.h:/^struct mutex/`) has no rank: it is taken with no lock held, and its holder may sleep; only its inner
lock is in the list. Whoever copies to or from user memory, or waits, holds nothing but what the wait itself drops.
"""

WITNESS = """
## The witness

Debug kernels remember where things were done (`kern/debug/site.c:/^void site_take/`: the four innermost calls), so that a report
names both places: the one that is wrong and the one that it collides with. Each ends the kernel, but the last.

| report | names |
|---|---|
| a lock of lower or equal rank (`kern/debug/witness.c:/^void witness_bad_order/`) | where it is being taken, where the held one was taken, and where the two were first taken in the right order |
| mutexes whose order, seen so far, leads back (`kern/debug/witness_mutex.c:/^static _Noreturn void bad_order/`): A before B, B before C, now C before A | the same |
| sleeping, or touching user memory, in atomic context (`kern/debug/witness.c:/^void witness_may_sleep/`) | where it sleeps; where each lock held was taken, or where preemption, softirqs or interrupts went off |
| unlocking what another CPU or thread holds (`kern/debug/witness.c:/^void witness_not_held/`) | where it is released; who holds it and where it was taken |
| releasing what nobody holds | where, and where it was released last |
| a thread that ends or returns to its program with a mutex | where the mutex was taken |
| interrupts off for more than 100 ms, three times in a row from one place, or once for 10 s (`kern/debug/irqsoff.c:/^static void look_closely/`) | where they went off, where they came on, how long. A line in the log |

The clock of the last one is the TSC, which under emulation goes on while the host runs something else: hence three times in
a row. `/proc/irqsoff` has the longest times of each CPU with both places, single ones too; `/proc/lockorder` every order seen, with the
two places of its first time; `/proc/lockstat` how often each class was taken, how often somebody had to wait, and how long. A
class is a rank; a mutex's is its name.

`kern/sched/provoke.c:/^} mistakes\\[\\]/` makes each of these mistakes (`selftest provoke=sleep-with-lock`), and grade/test_selftest.py reads
the reports. A release kernel has none of this: the calls stand behind `CONFIG_DEBUG`, the files are not linked.
"""


class Rank(NamedTuple):
    name: str
    number: int
    protects: str


def read_ranks(text: str) -> list[Rank]:
    found = re.findall(r'LOCK_RANK\((\w+), (\d+),\s*\\?\s*"([^"]+)"\)', text)
    return [Rank(name, int(number), protects) for name, number, protects in found]


def table(title: str, ranks: list[Rank]) -> str:
    rows = [f"| {rank.number} | {rank.name} | {rank.protects} |" for rank in ranks]
    return "\n".join([f"\n## {title}\n", "| rank | name | protects |", "|---|---|---|", *rows]) + "\n"


def page(ranks: list[Rank]) -> str:
    return PROSE + table("struct lock: net/ and drivers, softirqs off",
                         [rank for rank in ranks if rank.number < FIRST_SPINLOCK]) + \
        table("struct spinlock: the kernel, interrupts off", [rank for rank in ranks if rank.number >= FIRST_SPINLOCK]) + WITNESS


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    ranks = read_ranks(SOURCE.read_text())
    if not ranks or ranks != sorted(ranks, key=lambda rank: rank.number):
        print(f"{SOURCE}: the ranks do not rise from line to line", file=sys.stderr)
        return 1
    wanted = page(ranks)
    if not args.check:
        PAGE.write_text(wanted)
        return 0
    if PAGE.exists() and PAGE.read_text() == wanted:
        return 0
    print(f"{PAGE}: not what {SOURCE} says; run tools/python tools/gen-locking.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
