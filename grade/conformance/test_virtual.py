"""The checklist on the virtual kernel, and that its tests can fail: each with a fault planted in the kernel's source."""
import subprocess
from pathlib import Path

import pytest

from grade.conformance import items, mutants, run
from grade.conformance.items import KNOWN, Item
from grade.conformance.mutants import MUTANTS, Mutant
from grade.conformance.run import Outcome
from grade.conformance.table import table

BY_NUMBER = {item.number: item for item in items.items()}


def expected(chosen: list[Item]) -> list[object]:
    """Parameters; one that is known to fail is run all the same."""
    return [pytest.param(item, id=item.name, marks=[pytest.mark.xfail(reason=KNOWN[item.number])] if item.number in KNOWN else [])
            for item in chosen]


@pytest.mark.parametrize("item", expected(items.items()))
def test_item(item: Item) -> None:
    outcome = run.on_virtual(item)
    assert not outcome.why, outcome.why


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    place = mutant.place()
    if place is None:
        pytest.skip(f"net/{mutant.folder} has no /{mutant.pattern}/ any more: write the fault anew")
    try:
        library = mutants.build(mutant, place, tmp_path)
    except subprocess.CalledProcessError:
        pytest.skip(f"{place} with the fault does not compile any more: write it anew")
    assert run.on_virtual(BY_NUMBER[mutant.item], str(library)).why, "the item passes on a kernel that does it wrong"


def test_most_faults_can_still_be_planted() -> None:
    gone = [mutant.name for mutant in MUTANTS if mutant.place() is None]
    assert len(gone) <= len(MUTANTS) // 2, f"their places are gone: {', '.join(gone)}"


def test_every_item_from_1_to_41_has_a_test_and_the_list_is_whole() -> None:
    numbers = [rule.number for rule in items.rules()]
    assert numbers[:126] == [str(number) for number in range(1, 127)]
    assert {str(number) for number in range(1, 42)} <= BY_NUMBER.keys()


def test_what_is_missing_or_fails_is_shown_and_counted() -> None:
    rules = items.rules()
    lines = table(rules, [Outcome("1", "virtual", ""), Outcome("2", "virtual", ""), Outcome("2", "e1000", "it is silent")])
    assert lines[-1] == "conformance: 1 of 113"
    marks = {line.split()[0]: line.split()[2] for line in lines if line.split()[0] in ("1", "2", "3", "126")}
    assert marks == {"1": "ok", "2": "FAILED", "3": "missing", "126": "not"}
    assert any("e1000: it is silent" in line for line in lines)
