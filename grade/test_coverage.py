"""`make coverage` counts lines as it says."""
import subprocess
import sys
from pathlib import Path

import pytest

from tools import coverage

FILES = {"net/tcp/a.c": {1: True, 2: False, 3: False, 4: False, 9: False}, "net/tcpx/b.c": {1: True}, "net/tcp/c.h": {7: True}}


def test_lines_are_named_in_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    coverage.show(FILES, ["net/tcp/"])
    out = capsys.readouterr().out
    assert "net/tcp/: 33.3 % (2 of 6 lines)" in out and "      2-4 9\n" in out
    assert "net/tcpx/: 100.0 % (1 of 1 lines)" in out


def test_a_folder_that_falls_short_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.check(FILES, 90, ["net/tcpx"])
    assert not coverage.check(FILES, 90, ["net/tcpx", "net/tcp"])
    assert "net/tcp: 33.3 % (2 of 6 lines), not 90 %" in capsys.readouterr().out
    assert not coverage.check(FILES, 90, ["net/gone"]), "a folder without a line is not covered"


def test_without_gcov_it_says_what_is_missing(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "tools/coverage.py", "--present"], env={"PATH": str(tmp_path)},
                         capture_output=True, text=True)
    assert run.returncode == 2 and "gcov is not here" in run.stderr


@pytest.mark.long
def test_the_unit_tests_execute_nine_lines_in_ten_of_the_protocols() -> None:
    run = subprocess.run(["make", "-s", "coverage", "ARGS=--check 90 net/ipv4 net/udp net/tcp"], capture_output=True,
                         text=True, timeout=1200)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
