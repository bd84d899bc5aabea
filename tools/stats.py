"""tools/stats.py - how the code reads, in figures: the table of the style guide for our tree, beside xv6's.

A function is found by its layout, which clang-format guarantees: it ends with `}` in the first column, and its body
begins with `{` there. Its length is that of the body's lines with the braces.
"""
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDERS = ("lib", "net", "dev", "kern", "sim", "user")
XV6 = "| xv6 kernel | 5,074 | 13 / 39 / 119 | 21 % | 0 | 11 | 64 % |"
CHECK = re.compile(r"\b(ASSERT|_Static_assert|panic|CHECK(_\w+)?)\(")
HEADING = ("| | lines | functions: median / p90 / longest | comments | `#if` per 1,000 lines "
           "| checks per 1,000 | functions with a comment above |")


@dataclass
class Count:
    lines: int = 0
    comments: int = 0
    conditionals: int = 0
    checks: int = 0
    lengths: list[int] = field(default_factory=list)
    documented: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values())))

    def quantile(self, share: float) -> int:
        return sorted(self.lengths)[min(int(share * len(self.lengths)), len(self.lengths) - 1)] if self.lengths else 0

    def row(self, name: str) -> str:
        thousands, functions = max(self.lines, 1) / 1000, max(len(self.lengths), 1)
        lengths = f"{self.quantile(0.5)} / {self.quantile(0.9)} / {max(self.lengths, default=0)}"
        return (f"| {name} | {self.lines:,} | {lengths} | {100 * self.comments / max(self.lines, 1):.0f} % "
                f"| {self.conditionals / thousands:.0f} | {self.checks / thousands:.0f} "
                f"| {100 * self.documented / functions:.0f} % |")


def is_comment(lines: list[str]) -> list[bool]:
    """Which lines are, or carry, a comment."""
    marks, inside = [], False
    for line in lines:
        marks.append(inside or "/*" in line or "//" in line)
        if "/*" in line or inside:
            inside = "*/" not in line[line.rfind("/*") + 2 if "/*" in line else 0:]
    return marks


def declared_with_comment(headers: list[Path]) -> set[str]:
    """Functions whose contract stands above their declaration, where it belongs."""
    names: set[str] = set()
    for header in headers:
        lines = header.read_text(errors="replace").splitlines()
        marks = is_comment(lines)
        for number, line in enumerate(lines):
            match = re.match(r"[\w*][\w\s*]*?\b(\w+)\(", line)
            if match and (marks[number] or number and marks[number - 1]):
                names.add(match[1])
    return names


def functions(lines: list[str]) -> list[tuple[int, int, str]]:
    """(first line of the head, length of the body, name)."""
    found = []
    for start, line in enumerate(lines):
        if line != "{":
            continue
        end = next((number for number in range(start, len(lines)) if lines[number].startswith("}")), start)
        head = start - 1
        while head > 0 and re.match(r"[\s]", lines[head]):
            head -= 1
        name = re.search(r"(\w+)\(", lines[head])
        if name and lines[end] == "}":
            found.append((head, end - start + 1, name[1]))
    return found


def measure(file: Path, documented: set[str]) -> Count:
    lines = file.read_text(errors="replace").splitlines()
    marks = is_comment(lines)
    bodies = functions(lines) if file.suffix == ".c" else []
    above = sum(1 for head, _, name in bodies if name in documented or head and marks[head - 1])
    return Count(len(lines), sum(marks), sum(bool(re.match(r"\s*#\s*(if|elif)", line)) for line in lines),
                 sum(len(CHECK.findall(line)) for line in lines), [length for _, length, _ in bodies], above)


def main() -> None:
    print(HEADING, "|---" * 7 + "|", XV6, sep="\n")
    total = Count()
    documented = declared_with_comment([header for folder in FOLDERS for header in Path(folder).rglob("*.h")])
    for folder in FOLDERS:
        files = sorted(path for suffix in ("c", "h") for path in Path(folder).rglob(f"*.{suffix}"))
        code = sum((measure(file, documented) for file in files if not file.name.endswith("_test.c")), Count())
        total += code
        print(code.row(f"{folder}/"))
    print(total.row("Towpath, without tests"))
    tests = [path for folder in FOLDERS for path in Path(folder).rglob("*_test.c")]
    print(sum((measure(file, documented) for file in tests), Count()).row("unit tests"))


if __name__ == "__main__":
    sys.exit(main())
