"""grade/conformance/table.py - the list that `make conformance` prints: every rule, tested or not, and `conformance: N of M`."""
from grade.conformance.items import Rule
from grade.conformance.run import Outcome

APART = {"IPv6, ICMPv6, ND": "IPv6, not in this kernel yet", "Bad input": "bad input", "Probes": "probes"}  # parts that are counted by themselves
WHAT_MOST = 74


def mark(outcomes: list[Outcome]) -> str:
    if not outcomes:
        return "missing"
    return "FAILED" if any(outcome.why for outcome in outcomes) else "ok"


def row(rule: Rule, outcomes: list[Outcome]) -> list[str]:
    what = rule.what if len(rule.what) <= WHAT_MOST else rule.what[:WHAT_MOST - 3] + "..."
    ran = list(dict.fromkeys(outcome.where for outcome in outcomes))
    scripts = [where for where in ran if where.startswith("script ")]
    places = [where for where in ran if where not in scripts] + ([f"{len(scripts)} scripts"] if scripts else [])
    line = f"{rule.number:>3} {rule.level} {mark(outcomes):7} {what:{WHAT_MOST}} {rule.source} [{', '.join(places) or 'no test'}]"
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


def count(rules: list[Rule], of: dict[str, list[Outcome]], chosen: "callable[[Rule], bool]") -> str:
    numbers = [rule.number for rule in rules if chosen(rule)]
    return f"{sum(mark(of[number]) == 'ok' for number in numbers)} of {len(numbers)}"
