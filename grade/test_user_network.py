"""Through QEMU's user-mode network, as `make qemu` has it: real programs on the host against the guest's servers."""
import hashlib
import os
import socket
import subprocess
from pathlib import Path

import pytest

from grade.machine import Machine, patience
from grade.plugin import Machines

MIB = 1 << 20
FETCHES = 100
FILE = os.urandom(MIB)  # nobody can guess it


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    return shared_machines.on_user_network(files={"www/random.bin": (0o100644, FILE)})


def curl(machine: Machine, *words: str, count: int = 1) -> subprocess.CompletedProcess[bytes]:
    """curl for the same page count times in one process."""
    urls = [f"http://127.0.0.1:{machine.port('http')}{words[-1]}"] * count
    limit = ["--max-time", str(patience(60 + count * 5))]
    return subprocess.run(["curl", "--silent", "--show-error", "--fail", *limit, *words[:-1], *urls], capture_output=True)


def test_curl_gets_the_page(machine: Machine) -> None:
    page = curl(machine, "/")
    assert page.returncode == 0, page.stderr
    assert b"<html" in page.stdout.lower()


def test_curl_fetches_a_mebibyte_a_hundred_times_unchanged(machine: Machine) -> None:
    """One connection kept alive for half of them, a new one for each of the others."""
    wanted = hashlib.sha256(FILE).hexdigest()
    kept = curl(machine, "/random.bin", count=FETCHES // 2)
    assert kept.returncode == 0, kept.stderr
    bodies = [kept.stdout[start:start + MIB] for start in range(0, len(kept.stdout), MIB)]
    for _ in range(FETCHES - FETCHES // 2):
        fetched = curl(machine, "/random.bin")
        assert fetched.returncode == 0, fetched.stderr
        bodies.append(fetched.stdout)
    assert len(bodies) == FETCHES
    assert {hashlib.sha256(body).hexdigest() for body in bodies} == {wanted}
    machine.skbs_at_rest()


def test_tcp_echo_answers_through_a_forwarded_port(machine: Machine) -> None:
    data = os.urandom(200_000)
    with socket.create_connection(("127.0.0.1", machine.port("echo")), timeout=patience(30)) as connection:
        connection.sendall(data[:100_000])
        got = receive(connection, 100_000)
        connection.sendall(data[100_000:])
        connection.shutdown(socket.SHUT_WR)
        got += receive(connection, 100_000)
        assert connection.recv(1) == b"", "the guest should close when we have"
    assert got == data


def receive(connection: socket.socket, count: int) -> bytes:
    got = bytearray()
    while len(got) < count and (piece := connection.recv(count - len(got))):
        got += piece
    return bytes(got)


def test_udp_echo_answers_through_a_forwarded_port(machine: Machine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(patience(10))
        data = os.urandom(700)
        sender.sendto(data, ("127.0.0.1", machine.port("udp-echo")))
        assert sender.recv(2000) == data


def test_a_page_that_is_not_there_is_404(machine: Machine) -> None:
    answer = curl(machine, "--output", "/dev/null", "/no/such/page")
    assert answer.returncode == 22, answer.stderr  # curl --fail: HTTP status 400 or above
    assert b"404" in answer.stderr


def test_many_clients_at_once(machine: Machine) -> None:
    url = f"http://127.0.0.1:{machine.port('http')}/random.bin"
    limit = str(patience(120))
    clients = [subprocess.Popen(["curl", "-sS", "--max-time", limit, url], stdout=subprocess.PIPE) for _ in range(10)]
    bodies = [client.communicate()[0] for client in clients]
    assert all(body == FILE for body in bodies)
    machine.skbs_at_rest()


def test_the_log_is_kept(machine: Machine) -> None:
    assert Path(machine.log).stat().st_size > 0
