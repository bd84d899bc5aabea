"""Unmodified host programs on virtual kernels: towpath-vk and its shim (sim/vk/), two kernels and a guest on one hub."""
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grade.machine import patience
from grade.plugin import Machines

MIB = 1 << 20
FILE = os.urandom(8 * MIB)
SHIM = os.path.abspath("build/libtowpath-shim.so")
PYTHON = sys.executable
A, B = "10.0.2.101", "10.0.2.102"


class Kernel:
    """A towpath-vk on the hub of a folder."""

    def __init__(self, folder: Path, name: str, address: str, *more: str) -> None:
        self.address, self.socket = address, folder / f"{name}.sock"
        command = ["build/towpath-vk", "--address", f"{address}/24", "--listen", self.socket, "--wire", f"hub:{folder}/hub", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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
        process.kill()
        process.wait()
        process.stdout.close()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(patience(10)) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vk")


@pytest.fixture(scope="module")
def kernels(folder: Path) -> Iterator[tuple[Kernel, Kernel]]:
    pair = Kernel(folder, "a", A), Kernel(folder, "b", B)
    yield pair
    for kernel in pair:
        kernel.end()


def need(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def web_server(kernel: Kernel, folder: Path) -> Iterator[None]:
    (folder / "file").write_bytes(FILE)
    with kernel.running(PYTHON, "-u", "-m", "http.server", "80", cwd=folder, until=b"Serving"):
        yield


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("program", ["curl", "wget", "python3"])
def test_a_file_comes_through_two_virtual_kernels_unchanged(kernels: tuple[Kernel, Kernel], tmp_path: Path, program: str) -> None:
    a, b = kernels
    url = f"http://{B}/file"
    commands = {"curl": ("curl", "-sS", url), "wget": ("wget", "-q", "-O", "-", url),
                "python3": (PYTHON, "-c", "import sys, urllib.request as u; "
                            f"sys.stdout.buffer.write(u.urlopen('{url}').read())")}
    if program != "python3":
        need(program)
    with web_server(b, tmp_path):
        fetched = a.run(*commands[program])
    assert fetched.returncode == 0, fetched.stderr
    assert digest(fetched.stdout) == digest(FILE)


def test_a_program_that_is_refused_hears_so(kernels: tuple[Kernel, Kernel]) -> None:
    refused = kernels[0].run(need("curl"), "-sS", f"http://{B}:81/")
    assert refused.returncode == 7, refused.stderr
    assert b"refused" in refused.stderr or b"Couldn't connect" in refused.stderr


def test_iperf3_measures_both_directions(kernels: tuple[Kernel, Kernel]) -> None:
    iperf3 = need("iperf3")
    a, b = kernels
    for direction in ([], ["-R"]):
        with b.running(iperf3, "-4", "-s", "-1", "--forceflush", until=b"Server listening"):
            client = a.run(iperf3, "-4", "-c", B, "-n", "4M", "-J", *direction)
        assert client.returncode == 0, client.stdout
        report = json.loads(client.stdout)["end"]
        assert report["sum_sent"]["bytes"] >= 4 * MIB
        assert report["sum_received"]["bytes"] >= 3 * MIB  # it is counted while the last of it is still on its way


def test_nc_carries_a_stream_both_ways(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    nc = need("nc.openbsd")
    a, b = kernels
    environment = b.environment()
    with (tmp_path / "got").open("wb") as got:
        server = subprocess.Popen([nc, "-l", "-N", "9"], env=environment, stdin=subprocess.PIPE, stdout=got)
        assert server.stdin
        server.stdin.write(b"from the server\n")
        server.stdin.close()
        deadline = time.monotonic() + patience(30)
        while (client := a.run(nc, "-N", B, "9", input=FILE[:MIB])).returncode:
            assert time.monotonic() < deadline, client.stderr
        assert server.wait(patience(30)) == 0
    assert client.stdout == b"from the server\n"
    assert digest((tmp_path / "got").read_bytes()) == digest(FILE[:MIB])


def test_redis_serves_its_client(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    server, client = need("redis-server"), need("redis-cli")
    a, b = kernels
    options = ["--bind", "0.0.0.0", "--port", "6379", "--protected-mode", "no", "--save", "", "--dir", str(tmp_path)]
    with b.running(server, *options, until=b"Ready to accept connections"):
        assert a.run(client, "-h", B, "set", "canal", "boat").stdout == b"OK\n"
        assert a.run(client, "-h", B, "get", "canal").stdout == b"boat\n"
        assert a.run(client, "-h", B, "append", "big", "x" * 100_000).stdout == b"100000\n"
        assert a.run(client, "-h", B, "shutdown", "nosave").returncode == 0


MIXED = """
import os, select, socket, sys
ours = socket.socket(); host_read, host_write = os.pipe()
ours.bind(("0.0.0.0", 4000)); ours.listen()
poll, epoll = select.poll(), select.epoll()
for fd in (ours.fileno(), host_read):
    poll.register(fd, select.POLLIN); epoll.register(fd, select.EPOLLIN)
print(poll.poll(0), select.select([ours, host_read], [], [], 0), epoll.poll(0))
os.write(host_write, b"x")
print([fd == host_read for fd, _ in poll.poll()], [fd == host_read for fd, _ in epoll.poll()]); os.read(host_read, 1)
client = socket.socket(); client.setblocking(False)
print(client.connect_ex((sys.argv[1], 4000)) == 115, select.select([], [client], [], 5)[1] == [client])
print([fd == ours.fileno() for fd, _ in epoll.poll(5)])
peer, _ = ours.accept()
print(poll.poll(0), epoll.poll(0), peer.getpeername()[0] == sys.argv[1])
if os.fork() == 0:
    client.setblocking(True); client.sendall(b"from the child"); os._exit(0)
os.wait()
client.close()
print(peer.recv(100), peer.recv(100))
copy = os.dup(peer.fileno()); peer.close()
print(select.select([copy], [], [], 0)[0] == [copy]); os.close(copy); ours.close()
again = socket.socket(); again.bind(("0.0.0.0", 4001)); again.close()
again = socket.socket(); again.bind(("0.0.0.0", 4001)); print("bound again")
"""


def test_our_sockets_and_the_hosts_descriptors_mix(kernels: tuple[Kernel, Kernel]) -> None:
    """poll, select and epoll over both kinds, fork, dup and close: what Linux itself prints for the same program."""
    ours = kernels[0].run(PYTHON, "-c", MIXED, A)
    linux = subprocess.run([PYTHON, "-c", MIXED, "127.0.0.1"], capture_output=True)
    assert linux.returncode == 0, linux.stderr
    assert (ours.stdout, ours.stderr) == (linux.stdout, linux.stderr)


def test_the_end_of_a_program_closes_its_sockets(kernels: tuple[Kernel, Kernel]) -> None:
    """Killed in the middle, it leaves its port free and its peer with the end of the stream."""
    a, b = kernels
    begin = ("import socket, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
             "s.bind(('0.0.0.0', 4002)); s.listen(); print('up', flush=True); ")
    listen = (begin + "c = s.accept(); print('accepted', flush=True); time.sleep(99)")
    peer = f"import socket; s = socket.create_connection(('{B}', 4002)); print('up', flush=True); print(s.recv(1))"
    with b.running(PYTHON, "-c", listen, until=b"up") as server:
        with a.running(PYTHON, "-c", peer, until=b"up") as client:
            assert server.stdout and server.stdout.readline() == b"accepted\n"
            server.kill()
            server.wait()
            assert client.stdout and client.stdout.read() == b"b''\n"
    assert b.run(PYTHON, "-c", begin).stdout == b"up\n"  # it would be refused while another listens


def test_a_page_comes_from_the_guest_in_qemu(folder: Path, kernels: tuple[Kernel, Kernel], shared_machines: Machines) -> None:
    """Host curl, virtual kernel, hub, QEMU's card, our driver, our TCP, the guest's httpd; and ping from the guest."""
    machine = shared_machines.on_netdev(f"stream,id=n0,server=off,addr.type=unix,addr.path={folder}/hub")
    deadline = time.monotonic() + patience(30)
    while (page := kernels[0].run(need("curl"), "-sS", "--max-time", "10", "http://10.0.2.15/")).returncode:
        assert time.monotonic() < deadline, page.stderr
    assert b"<html" in page.stdout.lower()
    assert re.search(r"\b1 (packets )?received", machine.run(f"ping -c 1 {B}"))


@pytest.mark.long
def test_a_hundred_megabytes_have_the_right_digest(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    a, b = kernels
    data = os.urandom(MIB) * 100
    (tmp_path / "large").write_bytes(data)
    with b.running(PYTHON, "-u", "-m", "http.server", "80", cwd=tmp_path, until=b"Serving"):
        start = time.monotonic()
        fetched = a.run(need("curl"), "-sS", f"http://{B}/large")
        print(f"{100 / (time.monotonic() - start):.0f} MB/s")
    assert digest(fetched.stdout) == digest(data)


def test_a_socket_in_use_is_refused_and_a_stale_one_replaced(folder: Path, kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    command = ["build/towpath-vk", "--address", "10.9.9.9/24", "--listen"]
    second = subprocess.run([*command, kernels[0].socket], capture_output=True, text=True)
    assert second.returncode == 1 and "another towpath-vk" in second.stderr
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(str(stale))
    replaced = subprocess.Popen([*command, stale], stdout=subprocess.PIPE, text=True)
    assert replaced.stdout and replaced.stdout.readline() == "ready\n"
    replaced.terminate()
    replaced.wait()
