"""Unmodified host programs on virtual kernels: two kernels and a guest on one hub."""
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grade.machine import patience
from grade.plugin import Machines
from grade.vk import Kernel, fetch, need, pair

MIB = 1 << 20
FILE = os.urandom(8 * MIB)
PYTHON = sys.executable
A, B = "10.0.2.101", "10.0.2.102"
ON_VK = sorted(Path("grade/on_vk").glob("*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vk")


@pytest.fixture(scope="module")
def kernels(folder: Path) -> Iterator[tuple[Kernel, Kernel]]:
    with pair(folder, (A, B)) as both:
        yield both


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


@pytest.mark.parametrize("program", ON_VK, ids=lambda path: path.stem)
def test_a_program_prints_what_it_prints_on_linux(kernels: tuple[Kernel, Kernel], program: Path) -> None:
    """Our sockets beside the host's descriptors: waiting for them, handing them on, streams on them."""
    ours = kernels[0].run(PYTHON, program, A)
    linux = subprocess.run([PYTHON, program, "127.0.0.1"], capture_output=True)
    assert linux.returncode == 0, linux.stderr
    assert (ours.stdout.decode(), ours.stderr) == (linux.stdout.decode(), linux.stderr)


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


NGINX = """
daemon off; worker_processes 2; pid {folder}/pid; error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log; sendfile on; tcp_nopush on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 80; root {folder}; }}
}}
"""


@contextmanager
def nginx(kernel: Kernel, files: dict[str, bytes]) -> Iterator[Path]:
    """Debian's nginx with its workers, which give up root's rights if they have them; the folder that it serves."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # its workers may be nobody
        folder = Path(name)
        for path, data in files.items():
            (folder / path).write_bytes(data)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
        with kernel.running(need("nginx"), "-c", folder / "nginx.conf", "-e", "stderr", until=b"start worker process "):
            yield folder


def test_nginx_serves_curl_unchanged_from_kernel_to_kernel(kernels: tuple[Kernel, Kernel]) -> None:
    """epoll, accept4, sendfile, writev, workers that share a listener."""
    a, b = kernels
    with nginx(b, {"index.html": b"small", "file": FILE}) as served:
        assert fetch(a, f"http://{B}/") == b"small"
        assert digest(fetch(a, f"http://{B}/file")) == digest(FILE)
        assert (served / "access.log").read_text().startswith(f"{A} - - ")  # not the host's own nginx


@pytest.mark.parametrize("keep", [(), ("-k",)], ids=["a-connection-a-request", "kept"])
def test_nginx_answers_ab_without_a_failure(kernels: tuple[Kernel, Kernel], keep: tuple[str, ...]) -> None:
    a, b = kernels
    with nginx(b, {"index.html": b"small"}):
        fetch(a, f"http://{B}/")
        ab = a.run(need("ab"), *keep, "-q", "-n", "500", "-c", "10", f"http://{B}/")
    assert ab.returncode == 0, ab.stderr
    assert b"Complete requests:      500\n" in ab.stdout
    assert b"Failed requests:        0\n" in ab.stdout


def test_pages_go_between_the_guest_in_qemu_and_virtual_kernels(folder: Path, kernels: tuple[Kernel, Kernel],
                                                                shared_machines: Machines) -> None:
    """Host curl, virtual kernel, hub, QEMU's card, our driver, our TCP, the guest's httpd; the guest's wget and nginx."""
    a, b = kernels
    machine = shared_machines.on_netdev(f"stream,id=n0,server=off,addr.type=unix,addr.path={folder}/hub")
    assert b"<html" in fetch(a, "http://10.0.2.15/").lower()
    assert re.search(r"\b1 (packets )?received", machine.run(f"ping -c 1 {B}"))
    with nginx(b, {"page": b"from nginx\n"}):
        fetch(a, f"http://{B}/page")
        assert machine.run(f"wget -q -O - http://{B}/page") == "from nginx\n"


@pytest.mark.parametrize(("program", "server"), [("curl", "nginx"), *(pytest.param(*other, marks=pytest.mark.long) for other in (
    ("wget", "nginx"), ("curl", "http.server"), ("wget", "http.server")))])
def test_a_hundred_megabytes_have_the_right_digest(kernels: tuple[Kernel, Kernel], tmp_path: Path, program: str, server: str) -> None:
    a, b = kernels
    data = os.urandom(MIB) * 100
    command = {"curl": ("curl", "-sS"), "wget": ("wget", "-q", "-O", "-")}[program]
    (tmp_path / "large").write_bytes(data)
    served = nginx(b, {"large": data}) if server == "nginx" else \
        b.running(PYTHON, "-u", "-m", "http.server", "80", cwd=tmp_path, until=b"Serving")
    with served:
        need(program)
        start = time.monotonic()
        fetched = a.run(*command, f"http://{B}/large")
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
