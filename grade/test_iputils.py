"""Unmodified ping of iputils between two virtual kernels: options, large packets, hosts that are not there."""
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.vk import Kernel, need, pair

A, B, NOBODY = "10.0.2.103", "10.0.2.104", "10.0.2.222"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Kernel]]:
    with pair(tmp_path_factory.mktemp("vk"), (A, B)) as both:
        yield both


@pytest.fixture(scope="module")
def ping(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A copy: with capabilities on the file the dynamic linker would not load the shim."""
    program = Path(need("ping")).resolve()
    if b"iputils" not in program.read_bytes():
        pytest.skip("ping is not that of iputils")
    return shutil.copy(program, tmp_path_factory.mktemp("bin") / "ping")


def test_the_route_is_recorded_there_and_back(kernels: tuple[Kernel, Kernel], ping: str) -> None:
    """RFC 791 3.1, RFC 1122 3.2.2.6."""
    done = kernels[0].run(ping, "-n", "-c", "2", "-R", B)
    assert done.returncode == 0, done.stderr
    assert re.search(rb"RR: \t10\.0\.2\.103\n\t10\.0\.2\.104\n", done.stdout), done.stdout
    assert b"(same route)" in done.stdout


@pytest.mark.parametrize("kind, told", [("tsonly", rb"TS: \t\d+ absolute\n\t-?\d+\n"),
                                        ("tsandaddr", rb"TS: \t10\.0\.2\.103\t\d+ absolute\n\t10\.0\.2\.104\t-?\d+\n")])
def test_each_stage_is_stamped(kernels: tuple[Kernel, Kernel], ping: str, kind: str, told: bytes) -> None:
    """RFC 791 3.1, RFC 1122 3.2.1.8(e)."""
    done = kernels[0].run(ping, "-n", "-c", "1", "-T", kind, B)
    assert done.returncode == 0, done.stderr
    assert re.search(told, done.stdout), done.stdout


@pytest.mark.parametrize("size", [1473, 30000, 65507])
def test_a_ping_in_fragments_comes_back_whole(kernels: tuple[Kernel, Kernel], ping: str, size: int) -> None:
    """RFC 1122 3.2.2.6, 3.3.2; ping compares the bytes."""
    done = kernels[0].run(ping, "-n", "-c", "1", "-s", str(size), B)
    assert done.returncode == 0 and b"wrong data" not in done.stdout, (done.stdout, done.stderr)


def test_a_host_that_is_not_there_is_told_of(kernels: tuple[Kernel, Kernel], ping: str) -> None:
    """RFC 1122 2.4: nobody answers ARP."""
    done = kernels[0].run(ping, "-n", "-c", "1", NOBODY)
    assert done.returncode == 1 and b"Destination Host Unreachable" in done.stdout, (done.stdout, done.stderr)
