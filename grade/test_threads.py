"""net/ on real threads under ThreadSanitizer: no kind of work has a race, and a planted one is found."""
import fcntl
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "build/tsan"
RACE, PANIC = 66, 99  # exit statuses
WORK = ["tcp", "churn", "udp", "shared", "config", "netlink", "groups", "taps", "local", "pings"]
PLANTED = ["planted-cpus", "planted-process", "planted-timer"]


@pytest.fixture(scope="session")
def threads() -> Path:
    """The program; skips where the compiler has no ThreadSanitizer, or the system does not let it run."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / "lock", "w") as lock:  # one of the tests' processes builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        probe = BUILT / "probe"
        made = subprocess.run(["gcc", "-fsanitize=thread", "-x", "c", "-", "-o", str(probe)], text=True, capture_output=True,
                              input="int main(void) { return 0; }\n")
        if made.returncode or subprocess.run([str(probe)], capture_output=True).returncode:
            pytest.skip("ThreadSanitizer does not work here")
        subprocess.run(["make", "-s", "build/tsan/threads"], cwd=ROOT, check=True)
    return BUILT / "threads"


def run(threads: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = {"TSAN_OPTIONS": "history_size=5"}  # how long both stacks of a race are remembered
    return subprocess.run([str(threads), *arguments], capture_output=True, text=True, errors="replace", timeout=600,
                          env=os.environ | options)


def counts(line: str) -> dict[str, int]:
    """'tcp: 12 streams, 3 answers' -> {'streams': 12, 'answers': 3}"""
    return {what: int(times) for times, what in re.findall(r"(\d+) ([a-z ]+)", line.split(":", 1)[1])}


def assert_clean(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stderr[:8000]}"
    for line in done.stdout.splitlines():
        assert counts(line) and all(counts(line).values()), f"nothing was done: {line}"


def test_every_kind_of_work_is_tried(threads: Path) -> None:
    listed = [line.split()[0] for line in run(threads, "--list").stdout.splitlines()]
    assert listed == WORK + PLANTED


@pytest.mark.parametrize("work", PLANTED)
def test_a_planted_race_is_found(threads: Path, work: str) -> None:
    done = run(threads, "--seconds", "1", work)
    assert done.returncode == RACE, done.stderr
    assert "sim/threads/planted.c" in done.stderr
    assert re.search(r"WARNING: ThreadSanitizer: (data race|heap-use-after-free)", done.stderr)


def test_a_moment_of_all_work_has_no_race(threads: Path) -> None:
    assert_clean(run(threads, "--seconds", "1", *WORK))


@pytest.mark.long
@pytest.mark.parametrize("work", WORK)
def test_a_minute_of_work_has_no_race(threads: Path, work: str) -> None:
    assert_clean(run(threads, "--seconds", "60", "--seed", "2", work))


@pytest.mark.long
@pytest.mark.parametrize("work", WORK)
def test_work_with_little_memory_has_no_race(threads: Path, work: str) -> None:
    assert_clean(run(threads, "--seconds", "20", "--seed", "3", "--fail-allocs", "3000", work))
