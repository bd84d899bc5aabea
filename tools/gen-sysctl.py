"""tools/gen-sysctl.py - make doc/sysctl.md from the tables of knobs in the source.

    tools/python tools/gen-sysctl.py            write the page
    tools/python tools/gen-sysctl.py --check    say whether it is what the tables say

A table's entries are the macros of lib/sysctl.h: SYSCTL_INT("path", struct, field, min, max, "what") and so on.
"""
import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path("doc/sysctl.md")
PROSE = """\
# The knobs under /proc/sys

Made from the tables in the source by tools/gen-sysctl.py; change those, not this page.

A knob is a line in a constant table of its module: path, field, bounds, and what it does (`lib/sysctl.h:/^struct sysctl /`).
Reading and writing text is the same for all (`lib/sysctl.c:/^int sysctl_write/`): a value out of bounds, or no value, is EINVAL and changes
nothing. The network's tables hang on its struct net (`net/core/sysctl.c:/^void net_sysctl_register/`), so that each network has values of its
own; net/net.h offers them by path to the kernel and to sim/ (`net/net.h:/^int net_sysctl_set/`). `/proc/sys` is made of all tables
(`kern/fs/sysctlfs.c:/^static struct inode .sysctl_lookup/`); `sysctl -a` and `sysctl -w net.ipv4.ip_default_ttl=32` do what they do on Linux.
Names and units are Linux's. Where Linux has a knob for each device (`net/ipv4/neigh`), there is one for all here, `default`;
but those of `net/ipv4/conf` are there for `all`, for `default` and for each device.

Each value acts at once on what happens next; what is under way (a timer that runs, a socket that exists) keeps what it was given.
"""
UNITS = {"INT": "number", "INTS": "numbers", "U64": "number", "BOOL": "0 or 1", "MS": "ms", "SECONDS": "seconds",
         "TEXT": "text", "SHOW": "read only"}


class Knob(NamedTuple):
    path: str
    kind: str
    bounds: str
    what: str
    source: str


def arguments(text: str) -> list[str]:
    """The arguments of a macro whose opening parenthesis text follows, up to its closing one."""
    parts, depth, quoted, current = [], 0, False, ""
    for at, char in enumerate(text):
        quoted ^= char == '"' and text[at - 1] != "\\"
        if not quoted and char == "(":
            depth += 1
        if not quoted and char == ")":
            if depth == 0:
                return [*parts, current.strip()]
            depth -= 1
        if not quoted and depth == 0 and char == ",":
            parts.append(current.strip())
            current = ""
        else:
            current += char
    raise ValueError(f"no end: {text[:60]}")


def unquoted(literal: str) -> str:
    return "".join(re.findall(r'"([^"]*)"', literal))


def knobs_of(source: Path) -> list[Knob]:
    text, found = source.read_text(), []
    for match in re.finditer(r"\{\s*SYSCTL_(\w+)\(", text):
        kind, given = match[1], arguments(text[match.end():])
        limits = [] if kind in ("BOOL", "TEXT", "SHOW") else given[-3:-1]
        found.append(Knob(unquoted(given[0]), kind, " .. ".join(limits), unquoted(given[-1]), str(source)))
    return found


def page(knobs: list[Knob]) -> str:
    text, folder = PROSE, None
    for knob in sorted(knobs, key=lambda knob: knob.path.rpartition("/")):
        above, _, name = knob.path.rpartition("/")
        if above != folder:
            folder = above
            text += f"\n## {above}\n\n| knob | value | bounds | what it does | table |\n|---|---|---|---|---|\n"
        text += f"| {name} | {UNITS[knob.kind]} | {knob.bounds} | {knob.what} | {knob.source} |\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    sources = sorted(path for folder in ("net", "kern", "dev") for path in Path(folder).rglob("*.c")
                     if not path.name.endswith("_test.c"))
    wanted = page([knob for source in sources for knob in knobs_of(source)])
    if not args.check:
        PAGE.write_text(wanted)
        return 0
    if PAGE.exists() and PAGE.read_text() == wanted:
        return 0
    print(f"{PAGE}: not what the tables say; run tools/python tools/gen-sysctl.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
