"""The system-call interface: a program of user/tests prints on Towpath, line by line, what it prints on Linux."""
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted(path.stem for path in Path("user/tests").glob("*.c"))


@pytest.mark.skipif(platform.system() != "Linux" or platform.machine() != "x86_64", reason="the host is not x86-64 Linux")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_prints_on_linux(tmp_path: Path, name: str) -> None:
    binary = Path("build/debug/user/tests").resolve() / name
    linux = subprocess.run([binary], cwd=tmp_path, capture_output=True, text=True)
    command = [sys.executable, "tools/run_qemu.py", "run"]
    ours = subprocess.run(command, env={**os.environ, "CMD": f"/tests/{name}"}, capture_output=True, text=True)
    assert ours.stdout.splitlines() == (linux.stdout + linux.stderr).splitlines(), ours.stderr
    assert ours.returncode == linux.returncode
