"""tools/coverage.py - which lines of net/ and lib/ the unit tests execute, from gcov's counters (`make coverage`).

usage: tools/coverage.py [--lines [PATH...]] [--check PERCENT PATH...] | --present

Without options, a table a folder and a file. `--lines` adds the numbers of the lines that were not executed, of the
files below PATH only when one is given; `--check` ends with 1 if a folder PATH has fewer than PERCENT of its lines
executed. A line is executed if it was in any object that it was compiled into: a header's function is in many.
"""
import argparse
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

BUILD = Path("build/coverage")
ROOTS = ("lib/", "net/")
Lines = dict[int, bool]  # number: was it executed?


def gcov(notes: list[Path]) -> Iterable[dict]:
    """What gcov says of each object, one JSON document a line."""
    command = ["gcov", "--json-format", "--stdout", *map(str, notes)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return (json.loads(line) for line in output.splitlines() if line.startswith("{"))


def read_counters() -> dict[str, Lines]:
    """A file's lines that carry code."""
    files: dict[str, Lines] = defaultdict(lambda: defaultdict(bool))
    notes = sorted(BUILD.rglob("*.gcno"))
    for document in gcov(notes):
        for source in document["files"]:
            for line in source["lines"]:
                if source["file"].startswith(ROOTS):
                    files[source["file"]][line["line_number"]] |= line["count"] > 0
    return files


def share(lines: Iterable[bool]) -> tuple[float, int, int]:
    """Percent, executed, all."""
    marks = list(lines)
    return 100 * sum(marks) / max(len(marks), 1), sum(marks), len(marks)


def below(files: dict[str, Lines], path: str) -> list[bool]:
    prefix = path.rstrip("/")
    return [mark for name, lines in files.items() if name == prefix or name.startswith(prefix + "/")
            for mark in lines.values()]


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as `1-3 7`."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def show(files: dict[str, Lines], missing: list[str] | None) -> None:
    for folder in sorted({str(Path(name).parent) for name in files}):
        print("{}/: {:.1f} % ({} of {} lines)".format(folder, *share(below(files, folder))))
        for name in sorted(name for name in files if str(Path(name).parent) == folder):
            print("  {:34} {:5.1f} % {:5} {:5}".format(Path(name).name, *share(files[name].values())))
            lacking = ranges([number for number, mark in files[name].items() if not mark])
            if missing is not None and lacking and (not missing or name.startswith(tuple(missing))):
                print(f"      {lacking}")


def check(files: dict[str, Lines], percent: float, paths: list[str]) -> bool:
    """Say of each path how much of it is executed, and whether that is enough everywhere."""
    good = True
    for path in paths:
        marks = below(files, path)
        enough = bool(marks) and share(marks)[0] >= percent
        good &= enough
        print("{}: {:.1f} % ({} of {} lines){}".format(path, *share(marks), "" if enough else f", not {percent:g} %"))
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", nargs="*", metavar="PATH")
    parser.add_argument("--check", nargs="+", metavar=("PERCENT", "PATH"))
    parser.add_argument("--present", action="store_true", help="only: can it be done here?")
    args = parser.parse_args()
    if not shutil.which("gcov"):
        print("coverage: gcov is not here; it comes with gcc (Debian: apt-get install gcc)", file=sys.stderr)
        return 2
    if args.present:
        return 0
    files = read_counters()
    if not files:
        print(f"coverage: no counters in {BUILD}; `make coverage` makes them", file=sys.stderr)
        return 2
    if args.check:
        return 0 if check(files, float(args.check[0]), args.check[1:]) else 1
    show(files, args.lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
