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
(`kern/sched/spinlock.c:/^void held_push/`): a wrong order panics the first time it is used, naming both locks, whether or not
another CPU was in the way. Two locks of one rank are never held together.

There are two kinds. net/ and the drivers use `struct lock` (`net/port.h:/^struct lock/`): softirqs are off while one is held, and
no hard interrupt takes one. The kernel's own parts use `struct spinlock` (`kern/sched/spinlock.h:/^struct spinlock/`): interrupts
are off. The second kind has the higher ranks, so that it may be taken inside the first. A mutex
(`kern/sched/spinlock.h:/^struct mutex/`) has no rank: it is taken with no lock held, and its holder may sleep; only its inner
lock is in the list. Whoever copies to or from user memory, or waits, holds nothing but what the wait itself drops.
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
        table("struct spinlock: the kernel, interrupts off", [rank for rank in ranks if rank.number >= FIRST_SPINLOCK])


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
