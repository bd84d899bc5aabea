"""grade/trees.py - commands in another tree than this one: a lab's handout, a kernel with a part removed."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command there, its errors among its output. What the make that runs us told its children is not for it."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=tree, text=True, env=outside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
