"""grade/conformance/table.py - the list that `make conformance` prints: every rule, tested or not, and `conformance: N of M`."""
from collections.abc import Callable

from grade.conformance.items import Rule
from grade.conformance.run import Outcome

IPV6 = "IPv6, ICMPv6, ND"
APART = {IPV6: "IPv6, not in this kernel yet", "Bad input": "bad input", "Probes": "probes"}  # parts that are counted by themselves
WHAT_MOST = 74


def mark(rule: Rule, outcomes: list[Outcome]) -> str:
    if not outcomes:
        return "not yet" if rule.part == IPV6 else "missing"
    return "FAILED" if any(outcome.why for outcome in outcomes) else "ok"


def row(rule: Rule, outcomes: list[Outcome]) -> list[str]:
    what = rule.what if len(rule.what) <= WHAT_MOST else rule.what[:WHAT_MOST - 3] + "..."
    ran = list(dict.fromkeys(outcome.where for outcome in outcomes))
    scripts = [where for where in ran if where.startswith("script ")]
    places = [where for where in ran if where not in scripts] + ([f"{len(scripts)} script{'s' if len(scripts) > 1 else ''}"] if scripts else [])
    line = f"{rule.number:>3} {rule.level} {mark(rule, outcomes):7} {what:{WHAT_MOST}} {rule.source} [{', '.join(places) or 'no test'}]"
    return [line, *[f"{'':14}{outcome.where}: {outcome.why}" for outcome in outcomes if outcome.why]]


def table(rules: list[Rule], outcomes: list[Outcome]) -> list[str]:
    """Its lines. A rule holds that was tested somewhere and failed nowhere; one without a test is missing, and counts."""
    of = {rule.number: [outcome for outcome in outcomes if outcome.number == rule.number] for rule in rules}
    lines, part = [], ""
    for rule in rules:
        lines += [f"-- {rule.part}"] if rule.part != part else []
        part = rule.part
        lines += row(rule, of[rule.number])
    for name, title in APART.items():
        lines.append(f"{title}: {count(rules, of, lambda rule: rule.part == name)}")
    return [*lines, f"conformance: {count(rules, of, lambda rule: rule.part not in APART)}"]


def count(rules: list[Rule], of: dict[str, list[Outcome]], chosen: Callable[[Rule], bool]) -> str:
    some = [rule for rule in rules if chosen(rule)]
    return f"{sum(mark(rule, of[rule.number]) == 'ok' for rule in some)} of {len(some)}"
