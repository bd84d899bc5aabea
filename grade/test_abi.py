"""What Debian's programs were seen to ask of the kernel is there, or its absence has a reason (doc/abi.md)."""
import pytest

from grade.plugin import Machines
from tools import abi_floor

FLOOR = {"socket": abi_floor.SOCKETS, "option": abi_floor.OPTIONS, "ioctl": abi_floor.IOCTLS, "file": abi_floor.FILES}


@pytest.fixture(scope="module")
def answers(shared_machines: Machines) -> dict[str, dict[str, str]]:
    """Kind -> name -> `there`, or the error."""
    found: dict[str, dict[str, str]] = {}
    for line in shared_machines.on_wire().machine.run("floor").splitlines():
        kind, name, answer = line.split(" ", 2)
        found.setdefault(kind, {})[name] = answer
    return found


@pytest.mark.parametrize("kind", FLOOR)
def test_the_floor_is_there_but_for_what_has_a_reason(answers: dict[str, dict[str, str]], kind: str) -> None:
    missing = {name: answer for name, answer in answers[kind].items() if answer != "there"}
    excused = {name for name in abi_floor.MISSING if name in FLOOR[kind]}
    assert answers[kind].keys() == FLOOR[kind].keys(), "user/floor.c asks for what tools/abi_floor.py lists"
    assert not missing.keys() - excused, f"missing without a reason: {missing}"
    assert not excused - missing.keys(), f"there by now, to be taken out of MISSING: {excused - missing.keys()}"
