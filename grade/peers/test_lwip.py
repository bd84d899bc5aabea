"""lwIP as the peer of a virtual kernel (lwip_peer.c), over good and bad wires, in virtual time: the same each time."""
import os
import subprocess
from pathlib import Path

import pytest

from grade.conformance import mutants
from grade.conformance.mutants import Mutant
from grade.machine import patience

PROGRAM = Path("build/peers/lwip-peer")
FLOWS = ("up", "down", "echo-peer", "echo-towpath", "udp")
WIRES = {  # what the wire does, in percent of frames; delay in ms
    "good": {}, "loss 1": {"loss": 1}, "loss 5": {"loss": 5}, "loss 10": {"loss": 10}, "reorder": {"reorder": 10},
    "duplicate": {"duplicate": 10}, "damage": {"corrupt": 3}, "long": {"delay": 200, "loss": 1},
    "all": {"loss": 3, "reorder": 5, "duplicate": 3, "corrupt": 1, "delay": 20},
}
FEW, MANY = 3, 200  # runs, each with another seed


@pytest.fixture(scope="module", autouse=True)
def program() -> None:
    if not PROGRAM.exists():
        pytest.skip("no lwIP to build it with (Debian: liblwip-dev)")


def runs(flow: str, opener: str, count: int, environment: dict[str, str] | None = None, **wire: int) -> subprocess.CompletedProcess[str]:
    words = [f"{name}={value}" for name, value in {"flow": flow, "opener": opener, "runs": count, **wire}.items()]
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=patience(300), env={**os.environ, **(environment or {})})


def openers(flow: str) -> tuple[str, ...]:
    return ("towpath",) if flow == "udp" else ("peer", "towpath")


COMBINATIONS = [pytest.param(flow, opener, wire, id=f"{flow}-{opener}-{wire}")
                for flow in FLOWS for opener in openers(flow) for wire in WIRES]


@pytest.mark.parametrize("flow,opener,wire", COMBINATIONS)
def test_lwip_gets_what_was_sent(flow: str, opener: str, wire: str) -> None:
    """Bytes equal, both ends closed, nothing left over on either side."""
    done = runs(flow, opener, FEW, bytes=100_000, **WIRES[wire])
    assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.parametrize("flow,opener,wire", COMBINATIONS)
def test_lwip_gets_it_two_hundred_times(flow: str, opener: str, wire: str) -> None:
    done = runs(flow, opener, MANY, bytes=300_000, seed=1000, **WIRES[wire])
    assert done.returncode == 0, done.stdout


def test_a_kernel_that_believes_damaged_segments_is_found_out(tmp_path: Path) -> None:
    """The comparison of bytes can fail: a virtual kernel that does not look at TCP's checksum."""
    fault = Mutant("57", "tcp", r"if \(!checksum_right\(skb, ip\)\)", "if (false)")
    place = fault.place()
    if place is None:
        pytest.skip("the check of TCP's checksum is written otherwise now")
    library = mutants.build(fault, place, tmp_path)
    done = runs("up", "peer", 1, bytes=10_000)
    assert done.returncode == 0, done.stdout
    done = runs("down", "peer", 5, {"LD_PRELOAD": str(library)}, bytes=500_000, corrupt=10)
    assert "FAILED" in done.stdout, done.stdout
