"""Scripts of TCP's items over the wire: the same text that runs on the virtual kernel, against a guest in QEMU.

The items are chosen for risk, half of all: what may be answered and what not, what is accepted, how a connection ends,
what is told of gaps and duplicates. Left to virtual time is what takes longer than a few seconds or asks for milliseconds.
"""
import re
import subprocess
from pathlib import Path

import pytest

from grade.plugin import Machines
from grade.script_wire import PROGRAM, Replay, numbers

ITEMS = {*range(42, 68), 69, 72, 74, 75, 76, 77, 89, 103, 104, 107, 108, 109}
LONGEST = 6.0  # seconds that a script tells of
NOT_HERE = {
    "52-initial-numbers": "the numbers of the guest's own clock",
    "53-numbers-wrap": "a delayed ACK between two calls",
}


def scripts() -> list[Path]:
    """Those of the chosen items, as long as they take in virtual time."""
    done = subprocess.run([PROGRAM, "grade/scripts/tcp"], capture_output=True, text=True)
    took = {Path(line[1]): float(line[2]) for line in re.finditer(r"^ok (\S+) .* for ([\d.]+) s$", done.stdout, re.M)}
    return [path for path, seconds in took.items()
            if numbers(path) & ITEMS and seconds <= LONGEST and path.stem not in NOT_HERE]


@pytest.fixture(scope="module")
def replay(shared_machines: Machines) -> Replay:
    return Replay(shared_machines.on_wire(line=True))


@pytest.mark.parametrize("path", scripts() if Path(PROGRAM).exists() else [], ids=lambda path: path.stem)
def test_over_the_wire(replay: Replay, path: Path) -> None:
    outcome = replay.run(path)
    assert outcome.passed, outcome.text


def test_a_third_of_tcp_s_items_is_here() -> None:
    covered = {number for path in scripts() for number in numbers(path)}
    assert len(covered & set(range(42, 114))) >= 72 / 3


def test_a_wrong_expectation_fails_here_too(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "setup").symlink_to(Path("grade/scripts/setup").resolve())
    script = tmp_path / "a.script"
    script.write_text("use accepted\npeer: RST seq 1\nread(c, 10) = 0\n")
    outcome = replay.run(script)
    assert not outcome.passed
    assert "a.script:3: read() should return 0 and returned ECONNRESET" in outcome.text
