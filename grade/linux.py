"""grade/linux.py - the programs of user/tests: what each of their cases prints on the host's Linux and in the guest.

A program that includes cases.h consists of the cases in its source; any other is one case, called WHOLE. All programs
run in one guest, one behind the other. When the guest dies or says nothing for too long, the case that it was at has
failed, and another guest goes on behind it.
"""
import difflib
import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grade.machine import patience

SOURCES = Path("user/tests")
BINARIES = Path("build/debug/user/tests")
WHOLE = "whole"
CASE_LIMIT = 20.0    # seconds; cases.h cuts a case then
SILENCE = 60.0       # a guest that prints nothing for so long hangs
CASE_LINE = re.compile(r"^CASE\((\w+)\)", re.M)
MARK = "::::"        # before what the runner has the shell say


@dataclass(frozen=True)
class Case:
    program: str
    name: str

    def __str__(self) -> str:
        return f"{self.program}-{self.name}"


@dataclass
class Program:
    """A program and those of its cases that are to run."""

    name: str
    cases: list[str]
    all_of_them: bool = True

    def words(self, path: Path | str) -> list[str]:
        if self.cases == [WHOLE]:
            return [str(path)]
        return [str(path), "--limit", str(int(patience(CASE_LIMIT))), *([] if self.all_of_them else self.cases)]


@dataclass
class Outcome:
    """What cases printed, and why those did not end that did not."""

    printed: dict[Case, list[str]] = field(default_factory=dict)
    broken: dict[Case, str] = field(default_factory=dict)


def cases_of(source: Path) -> list[str]:
    return CASE_LINE.findall(source.read_text()) or [WHOLE]


def all_cases() -> list[Case]:
    return [Case(source.stem, name) for source in sorted(SOURCES.glob("*.c")) for name in cases_of(source)]


def programs(wanted: list[Case]) -> list[Program]:
    """The wanted cases by program, both in their order."""
    found = []
    for name in dict.fromkeys(case.program for case in wanted):
        here = [case.name for case in wanted if case.program == name]
        found.append(Program(name, here, here == cases_of(SOURCES / f"{name}.c")))
    return found


class Sorter:
    """Takes lines as they come and gives each to its case."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.current = Case(program.name, WHOLE) if program.cases == [WHOLE] else None
        self.printed: dict[Case, list[str]] = {self.current: []} if self.current else {}

    def take(self, line: str) -> None:
        if self.program.cases != [WHOLE] and line.startswith("== "):
            self.current = Case(self.program.name, line[3:])
            self.printed[self.current] = []
        elif self.current:
            self.printed[self.current].append(line)


def on_linux(wanted: list[Program], folder: Path) -> dict[Case, list[str]]:
    printed: dict[Case, list[str]] = {}
    for program in wanted:
        sorter = Sorter(program)
        run = subprocess.run(program.words((BINARIES / program.name).resolve()), cwd=folder, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience(600))
        for line in run.stdout.decode(errors="backslashreplace").splitlines():
            sorter.take(line)
        if sorter.current and program.cases == [WHOLE]:
            sorter.take(f"-- status {run.returncode if run.returncode >= 0 else 128 - run.returncode}")
        printed |= sorter.printed
    return printed


class Guest:
    """A machine that runs programs one behind the other and tells what they print, line by line."""

    def __init__(self, wanted: list[Program]) -> None:
        script = [f"echo {MARK} {p.name}; {' '.join(p.words(f'/tests/{p.name}'))}; echo {MARK} status $?" for p in wanted]
        command = [sys.executable, "tools/run_qemu.py", "--timeout", str(patience(1200)), "run"]
        self.run = subprocess.Popen(command, env={**os.environ, "CMD": "\n".join(script)}, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.why = ""

    def lines(self) -> Iterator[str]:
        """Until the machine has ended, or is ended because it was silent; why says then what was wrong."""
        assert self.run.stdout and self.run.stderr
        selector, text = selectors.DefaultSelector(), b""
        selector.register(self.run.stdout, selectors.EVENT_READ)
        while selector.select(patience(SILENCE)):
            data = os.read(self.run.stdout.fileno(), 65536)
            if not data:
                self.why = f"the guest ended:\n{self.run.stderr.read().decode(errors='replace')}"
                break
            *complete, text = (text + data).split(b"\n")
            yield from (line.decode(errors="backslashreplace").rstrip("\r") for line in complete)
        else:
            self.run.send_signal(signal.SIGINT)
            self.why = f"the guest printed nothing for {patience(SILENCE):.0f} s; its log:\n{self.log()}"
        self.run.wait()

    def log(self) -> str:
        return "\n".join(Path(f"build/run-{self.run.pid}.log").read_text(errors="replace").splitlines()[-40:])


def one_guest(wanted: list[Program], outcome: Outcome) -> list[Program]:
    """Run programs until the last has ended, or one breaks the guest. What is still to be run."""
    guest, done, sorter = Guest(wanted), 0, Sorter(wanted[0])
    for line in guest.lines():
        if line == f"{MARK} {wanted[min(done, len(wanted) - 1)].name}":
            sorter = Sorter(wanted[done])
        elif line.startswith(f"{MARK} status "):
            if sorter.program.cases == [WHOLE]:
                sorter.take(f"-- status {line.split()[-1]}")
            outcome.printed |= sorter.printed
            done += 1
        else:
            sorter.take(line)
    if done == len(wanted):
        return []
    outcome.printed |= sorter.printed
    at = sorter.current or Case(wanted[done].name, wanted[done].cases[0])
    outcome.broken[at] = guest.why
    return behind(at, wanted[done:])


def behind(case: Case, wanted: list[Program]) -> list[Program]:
    """What comes after a case of the first of these programs."""
    program, *rest = wanted
    left = program.cases[program.cases.index(case.name) + 1:] if case.name in program.cases else []
    return [*([Program(program.name, left, all_of_them=False)] if left else []), *rest]


def in_guests(wanted: list[Program]) -> Outcome:
    outcome = Outcome()
    while wanted:
        wanted = one_guest(wanted, outcome)
    return outcome


def difference(linux: list[str], towpath: list[str]) -> str:
    return "\n".join(difflib.unified_diff(linux, towpath, "Linux", "Towpath", lineterm="", n=5))
