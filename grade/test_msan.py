"""The unit tests under MemorySanitizer: nothing uses a byte that nobody wrote."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_nothing_is_used_before_it_is_written() -> None:
    folder = subprocess.run(["clang", "-print-runtime-dir"], capture_output=True, text=True).stdout.strip()
    if not folder or not list(Path(folder).glob("libclang_rt.msan*")):
        pytest.skip("clang has no MemorySanitizer (Debian: libclang-rt-dev)")
    subprocess.run(["make", "-s", "build/msan/unit-tests"], cwd=ROOT, check=True)
    run = subprocess.run(["build/msan/unit-tests", "--timeout", "300"], cwd=ROOT, capture_output=True, text=True,
                         errors="replace", timeout=1200)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-6000:]
    assert int(re.findall(r"(\d+) passed, 0 failed", run.stdout)[-1]) > 600
