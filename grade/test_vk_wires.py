"""Virtual kernels on the other wires: IP multicast, as QEMU's socket netdev speaks it, and a TAP with the host's Linux.

All in a network namespace of the test's own, so that no datagram leaves it.
"""
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.machine import patience
from grade.namespace import Namespace
from grade.plugin import Machines
from grade.vk import Kernel, fetch, need, pair

A, B, LINUX = "10.0.2.101", "10.0.2.102", "10.0.2.2"
GROUP = "230.0.0.1:4711"
SERVER = ("/usr/bin/python3", "-u", "-m", "http.server", "80")


@pytest.fixture(scope="module")
def multicast(linux: Namespace) -> Namespace:
    linux.must("ip", "link", "set", "lo", "up", "multicast", "on")
    linux.must("ip", "route", "add", "224.0.0.0/4", "dev", "lo")
    return linux


@pytest.fixture(scope="module")
def kernels(multicast: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Kernel]]:
    with pair(tmp_path_factory.mktemp("vk"), (A, B), f"mcast:{GROUP}", multicast.enter) as both:
        yield both


def serve(kernel: Kernel, folder: Path, text: bytes):
    (folder / "page").write_bytes(text)
    return kernel.running(*SERVER, cwd=folder, until=b"Serving")


def test_two_virtual_kernels_share_a_multicast_group(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    a, b = kernels
    with serve(b, tmp_path, b"x" * 300_000):
        assert fetch(a, f"http://{B}/page") == b"x" * 300_000


def test_a_guest_in_qemu_shares_it_too(kernels: tuple[Kernel, Kernel], multicast: Namespace, machines: Machines,
                                       tmp_path: Path) -> None:
    machine = machines.on_netdev(f"socket,id=n0,mcast={GROUP}", multicast)
    assert b"<html" in fetch(kernels[0], "http://10.0.2.15/").lower()
    with serve(kernels[1], tmp_path, b"over multicast\n"):
        fetch(kernels[0], f"http://{B}/page")
        assert machine.run(f"wget -q -O - http://{B}/page") == "over multicast\n"


def test_linux_and_a_virtual_kernel_meet_on_a_tap(linux: Namespace, tmp_path: Path) -> None:
    """Linux's curl fetches from a program on the virtual kernel, and a program there from Linux."""
    linux.tap("tap1", f"{LINUX}/24")
    kernel = Kernel(tmp_path, "t", A, "tap:tap1", linux.enter)
    with serve(kernel, tmp_path, b"y" * 300_000):
        page = linux.run([need("curl"), "-sS", "--max-time", str(patience(20)), f"http://{A}/page"])
        assert page.stdout == "y" * 300_000, page.stderr
    (tmp_path / "linux").write_bytes(b"from Linux")
    with linux.serving(*SERVER, "--directory", str(tmp_path), tcp=80):
        assert fetch(kernel, f"http://{LINUX}/linux") == b"from Linux"
    kernel.end()
