"""The fuzz targets of sim/fuzz/: a short run that is the same each time, and a long one; neither finds anything.

And the stories of the target `segments` by chance alone, a thousand of them (sim/fuzz/hostile/), which can find something."""
import fcntl
import re
import subprocess
from pathlib import Path

import pytest

from grade.conformance.mutants import Mutant
from grade.machine import patience
from sim.fuzz import run as fuzz

HOSTILE, OBJECTS = Path("build/hostile"), Path("build/libtowpath-asan")

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


# ---- hostile stories

def test_a_thousand_hostile_stories_break_nothing() -> None:
    """In a minute, on the host; every state is a start."""
    done = subprocess.run([HOSTILE, "1000", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    figure = re.search(r"^1000 hostile stories, (\d+) actions, from 13 states, in ([\d.]+) s", done.stdout)
    assert figure, done.stdout
    assert float(figure[2]) < patience(60)
    print(done.stdout)


def with_fault(fault: Mutant, folder: Path) -> Path:
    """The program with one file of net/tcp changed; the rest is as `make build/hostile` left it."""
    place = fault.place()
    if place is None:
        pytest.skip(f"net/tcp has no /{fault.pattern}/ any more: write the fault anew")
    source, made, program = folder / "fault.c", folder / "fault.o", folder / "hostile"
    source.write_text(re.sub(fault.pattern, fault.into, place.read_text()))
    compiler, *flags = (OBJECTS / "flags").read_text().split()
    subprocess.run([compiler, *flags, "-w", "-ffreestanding", "-c", "-o", made, source], check=True)
    objects = [path for part in ("lib", "net", "sim/fuzz/segments", "sim/fuzz/hostile") for path in (OBJECTS / part).rglob("*.o")]
    rest = [path for path in [*objects, *(OBJECTS / "sim").glob("*.o")] if path != (OBJECTS / place).with_suffix(".o")]
    sanitize = [flag for flag in flags if flag.startswith("-fsanitize") or flag.startswith("-fno-sanitize")]
    subprocess.run([compiler, *sanitize, "-o", program, made, *(path for path in rest if path.stem != "mutate"), "-lm"], check=True)
    return program


FAULTS = [Mutant(name, "tcp", pattern, into) for name, pattern, into in [
    ("a sum that is not kept", r"tp->board\.lost -= skb->len;", ";"),
    ("text twice", r"trim_front\(skb, tp->rcv_nxt\); /\* RFC 9293[^*]*\*/", ";"),
    ("nobody waits", r"tcp_start_rexmit\(tp\);\s*tcp_tlp_schedule\(tp\);", "tcp_tlp_schedule(tp);"),
]]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.item)
def test_hostile_stories_find_a_fault(fault: Mutant, tmp_path: Path) -> None:
    done = subprocess.run([with_fault(fault, tmp_path), "2000", "1"], capture_output=True, text=True)
    assert done.returncode and "FAILED" in done.stdout, done.stdout
