"""The fuzz targets of sim/fuzz/: a short run that is the same each time, and a long one; neither finds anything."""
import fcntl
import subprocess
from pathlib import Path

import pytest

from sim.fuzz import run as fuzz

RUNS = {"bpf": 20000, "fragments": 3000, "frames": 3000, "netlink": 3000, "script": 10000, "segments": 1500, "syscalls": 5000, "tcp_options": 20000,
        "tcp_text": 5000}
MINUTES = 2


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the targets; skips where clang cannot make them."""
    folder = subprocess.run(["clang", "-print-runtime-dir"], capture_output=True, text=True).stdout.strip()
    if not folder or not list(Path(folder).glob("libclang_rt.fuzzer*")):
        pytest.skip("clang has no fuzzer runtime (Debian: libclang-rt-dev)")
    fuzz.BUILT.mkdir(parents=True, exist_ok=True)
    with open(fuzz.BUILT / "lock", "w") as lock:  # one of the tests' processes builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "fuzz-targets"], cwd=fuzz.ROOT, check=True)
    return fuzz.BUILT


def test_every_target_has_its_number_of_runs() -> None:
    assert sorted(RUNS) == fuzz.targets()


@pytest.mark.parametrize("target", RUNS)
def test_a_short_run_finds_nothing(built: Path, target: str, tmp_path: Path) -> None:
    outcome = fuzz.run(target, f"-runs={RUNS[target]}", "-seed=1", found=tmp_path, built=built)
    assert outcome.crash is None, str(outcome)
    assert outcome.runs >= RUNS[target]


@pytest.mark.long
@pytest.mark.parametrize("target", RUNS)
def test_minutes_find_nothing(built: Path, target: str, tmp_path: Path) -> None:
    outcome = fuzz.run(target, f"-max_total_time={MINUTES * 60}", "-seed=2", found=tmp_path, built=built)
    assert outcome.crash is None, str(outcome)
