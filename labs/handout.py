"""labs/handout.py - make the tree that students get: the reference without a lab's regions.

usage: labs/handout.py LAB OUT        (make handout LAB=skb OUT=dir)

The reference tree is the only source. A region is a pair of lines in a C file,

    /* LAB skb: skb_put.c */
    ...
    /* END LAB */

and the handout has the text of labs/skb/stubs/skb_put.c in its place. Every other marker line goes too, so that a
handout does not show where other labs cut. Left out as a whole: other labs, stubs, planted bugs, and this program.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BEGIN = re.compile(r"^\s*/\* LAB (?P<lab>[\w-]+): (?P<stub>[\w.-]+) \*/\s*$")
END = re.compile(r"^\s*/\* END LAB \*/\s*$")
SOURCES = {".c", ".h", ".S"}


class BadLab(Exception):
    """A lab that cannot be made; the text says why in one line."""


@dataclass(frozen=True)
class Region:
    """Lines [start, end) of a file, without the markers around them."""

    path: str
    lab: str
    stub: str
    start: int
    end: int


def regions(path: str, lines: list[str]) -> Iterator[Region]:
    begun: tuple[re.Match[str], int] | None = None
    for number, line in enumerate(lines):
        if match := BEGIN.match(line):
            if begun:
                raise BadLab(f"{path}:{number + 1}: a region inside a region")
            begun = (match, number)
        elif END.match(line):
            if not begun:
                raise BadLab(f"{path}:{number + 1}: an end without a beginning")
            yield Region(path, begun[0]["lab"], begun[0]["stub"], begun[1] + 1, number)
            begun = None
    if begun:
        raise BadLab(f"{path}:{begun[1] + 1}: a region that does not end")


def tracked(root: Path) -> list[str]:
    """The reference's files: those git knows, or, in an unpacked archive, all but what was built."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()]
    return sorted(name for name in names if not name.startswith("build/") and os.path.lexists(root / name))


def belongs(name: str, lab: str) -> bool:
    """Is this file of the reference part of the handout?"""
    parts = name.split("/")
    if name in ("labs/handout.py", "labs/README.md", "grade/test_labs.py", "grade/test_modules.py") or parts[0] == ".ci":
        return False
    if parts[0] == "labs" and len(parts) > 2:
        return parts[1] == lab and parts[2] not in ("stubs", "bugs")
    return True


def stub_text(root: Path, region: Region) -> list[str]:
    path = root / "labs" / region.lab / "stubs" / region.stub
    if not path.is_file():
        raise BadLab(f"{region.path}:{region.start}: there is no {path.relative_to(root)}")
    return path.read_text().splitlines(keepends=True)


def student_text(root: Path, name: str, lab: str) -> str:
    """A source file with this lab's regions replaced and all markers gone."""
    lines = (root / name).read_text().splitlines(keepends=True)
    found = {region.start: region for region in regions(name, lines)}
    out: list[str] = []
    number = 0
    while number < len(lines):
        region = found.get(number)
        if region and region.lab == lab:
            out += stub_text(root, region)
            number = region.end
        elif BEGIN.match(lines[number]) or END.match(lines[number]):
            number += 1
        else:
            out.append(lines[number])
            number += 1
    return "".join(out)


def lab_regions(root: Path, lab: str) -> list[Region]:
    found: list[Region] = []
    for name in tracked(root):
        if Path(name).suffix in SOURCES:
            found += [r for r in regions(name, (root / name).read_text().splitlines()) if r.lab == lab]
    return found


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def make(root: Path, lab: str, out: Path) -> list[Region]:
    """Write the handout; the regions that were taken out."""
    if not re.fullmatch(r"[\w-]+", lab) or not (root / "labs" / lab / "README.md").is_file():
        labs = sorted(path.parent.name for path in root.glob("labs/*/README.md"))
        raise BadLab(f"no lab '{lab}'; there are: {', '.join(labs)}")
    if out.exists() and any(out.iterdir()):
        raise BadLab(f"{out} is there already and not empty")
    taken = lab_regions(root, lab)
    if not taken:
        raise BadLab(f"no file has a region of lab '{lab}'")
    for name in tracked(root):
        if not belongs(name, lab):
            continue
        copy(root / name, out / name)
        if Path(name).suffix in SOURCES and not (root / name).is_symlink():
            (out / name).write_text(student_text(root, name, lab))
    return taken


def main() -> int:
    if len(sys.argv) != 3 or not all(sys.argv[1:]):
        print("usage: make handout LAB=name OUT=folder", file=sys.stderr)
        return 2
    try:
        taken = make(Path(__file__).resolve().parent.parent, sys.argv[1], Path(sys.argv[2]))
    except BadLab as why:
        print(f"handout: {why}", file=sys.stderr)
        return 1
    print(f"{sys.argv[2]}: lab {sys.argv[1]}, {len(taken)} regions to write; start with labs/{sys.argv[1]}/README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
