"""grade/conformance/items.py - the checklist, and which items have a test.

    @item(16)
    def a_protocol_that_nobody_has_is_unreachable(host: House) -> None:
        \"\"\"RFC 1122 3.2.2.1\"\"\"

What an item says and its level stand in checklist.md; that it is a test of the rule, in its docstring.
"""
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grade.conformance.house import House

CHECKLIST = Path(__file__).with_name("checklist.md")
# Items that the kernel is known to fail, and why: shown as FAILED, and no failure of `make test`.
KNOWN: dict[str, str] = {}
MODULES = ("arp", "ipv4", "fragments", "icmp", "udp", "bad_input", "probes")
LINE = re.compile(r"^(\d+|[BP]\d+)\. ([MSO]) (.+) — (.+)$")


@dataclass(frozen=True)
class Rule:
    """A line of checklist.md."""

    number: str
    level: str  # M must, S should, O optional
    what: str
    source: str
    part: str   # the heading above it


@dataclass(frozen=True)
class Item:
    """A test of a rule, to be run on any house. Slow ones wait for seconds in real time: they are run on one card only."""

    number: str
    run: Callable[[House], None]
    slow: bool

    @property
    def name(self) -> str:
        return f"{self.number}-{self.run.__name__}"


registry: dict[str, Item] = {}


def item(number: int | str, slow: bool = False) -> Callable[[Callable[[House], None]], Callable[[House], None]]:
    def register(function: Callable[[House], None]) -> Callable[[House], None]:
        assert str(number) not in registry, f"two tests of item {number}"
        assert "RFC" in (function.__doc__ or ""), f"item {number} names no RFC"
        registry[str(number)] = Item(str(number), function, slow)
        return function
    return register


def rules() -> list[Rule]:
    found, part = [], ""
    for line in CHECKLIST.read_text().splitlines():
        part = line.removeprefix("## ") if line.startswith("## ") else part
        if match := LINE.match(line):
            found.append(Rule(*match.groups(), part))
    return found


def items() -> list[Item]:
    """Those with a test, in the checklist's order."""
    for module in MODULES:
        importlib.import_module(f"grade.conformance.{module}")
    return [registry[rule.number] for rule in rules() if rule.number in registry]


def run(chosen: Item, host: House) -> None:
    """AssertionError: the host does not do what the item says, or left something behind."""
    try:
        host.begin()
        chosen.run(host)
    except BaseException:
        try:
            host.end()
        except (AssertionError, OSError):
            pass  # the first failure is the one to tell
        raise
    host.end()
