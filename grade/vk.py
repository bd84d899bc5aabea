"""grade/vk.py - virtual kernels in real time, and unmodified host programs on them: towpath-vk and its shim (sim/vk/)."""
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grade.machine import patience
from tools.qemu import end_with_parent

SHIM = os.path.abspath("build/libtowpath-shim.so")


class Kernel:
    """A towpath-vk, on the hub of a folder if nothing else is said; before is done by the child that becomes it."""

    def __init__(self, folder: Path, name: str, address: str, wire: str = "", before: Callable[[], None] = end_with_parent) -> None:
        self.address, self.socket = address, folder / f"{name}.sock"
        command = ["build/towpath-vk", "--address", f"{address}/24", "--listen", self.socket, "--wire", wire or f"hub:{folder}/hub"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=before)
        assert self.process.stdout and self.process.stdout.readline() == "ready\n"

    def environment(self) -> dict[str, str]:
        return {**os.environ, "LD_PRELOAD": SHIM, "TOWPATH_VK": str(self.socket)}

    def run(self, *command: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
        """A program on this kernel, from beginning to end."""
        return subprocess.run(command, env=self.environment(), capture_output=True, timeout=patience(60), **options)

    @contextmanager
    def running(self, *command: str | Path, until: bytes = b"", **options: object) -> Iterator[subprocess.Popen[bytes]]:
        """A program on this kernel while the block runs, which begins when it has printed `until`."""
        process = subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        assert process.stdout
        printed = b""
        while until not in printed:
            printed += (line := process.stdout.readline())
            assert line, f"{command} ended: {printed}"
        yield process
        process.terminate()
        process.wait(patience(20))
        process.stdout.close()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(patience(10)) == 0


@contextmanager
def pair(folder: Path, addresses: tuple[str, str], wire: str = "",
         before: Callable[[], None] = end_with_parent) -> Iterator[tuple[Kernel, Kernel]]:
    """Two kernels on one wire."""
    kernels = Kernel(folder, "a", addresses[0], wire, before), Kernel(folder, "b", addresses[1], wire, before)
    yield kernels
    for kernel in kernels:
        kernel.end()


def need(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def fetch(kernel: Kernel, url: str) -> bytes:
    """A page, asked for until there is one: what serves it may still be starting."""
    deadline = time.monotonic() + patience(30)
    while (page := kernel.run(need("curl"), "-sS", "--max-time", "10", url)).returncode:
        assert time.monotonic() < deadline, page.stderr
    return page.stdout
