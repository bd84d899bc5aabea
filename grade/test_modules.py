"""A protocol is a folder and a line of net/init.c: without both the kernel still builds and boots."""
from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from grade import trees
from labs import handout

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_without_a_protocol_the_kernel_builds_and_boots(protocol: str, tmp_path: Path) -> None:
    for name in handout.tracked(ROOT):
        handout.copy(ROOT / name, tmp_path / name)
    shutil.rmtree(tmp_path / "net" / protocol)
    table = tmp_path / "net" / "init.c"
    lines = table.read_text().splitlines(keepends=True)
    left = [line for line in lines if not re.match(rf'#include "net/{protocol}/|    &{protocol}_module,', line)]
    assert len(left) == len(lines) - 2
    table.write_text("".join(left))
    run = trees.run(tmp_path, "tools/run", "cat /proc/net/dev; cat /proc/initcalls; exit 3")
    assert run.returncode == 3 and "eth0" in run.stdout, run.stdout[-4000:]
    assert "net/ipv4" in run.stdout and f"net/{protocol}" not in run.stdout, run.stdout[-4000:]
