"""A file by nginx's sendfile(), whose segments refer to the file's pages: it arrives whole over a cable that loses frames, while it
is rewritten or removed, and everything that was lent comes back."""
import re
import time
from collections.abc import Iterator
from hashlib import md5

import pytest

from grade.faults import Faults
from grade.machine import Machine, patience
from grade.plugin import Guest, Machines
from grade.tcp_peer import TcpPeer

NGINX, SIZE = 8080, 600 * 1024
NAME = "/www/large"


@pytest.fixture(scope="module")
def guest(shared_machines: Machines) -> Guest:
    guest = shared_machines.on_wire(rootfs="1")
    guest.machine.run("nginx")
    return guest


@pytest.fixture
def lossy(guest: Guest) -> Iterator[Guest]:
    guest.wire.to_guest, guest.wire.from_guest = Faults(seed=5, loss=0.02), Faults(seed=6, loss=0.05, reorder=0.02)
    yield guest
    guest.wire.to_guest, guest.wire.from_guest = Faults(), Faults()


def fresh_file(machine: Machine) -> str:
    """The sum of a file that cannot be guessed."""
    machine.run(f"dd if=/dev/urandom of={NAME} bs=1024 count={SIZE // 1024} 2>/dev/null")
    return machine.run(f"md5sum {NAME}").split()[0]


def ask(guest: Guest, port: int) -> TcpPeer:
    """The answer's first bytes have come: the server is at it."""
    peer = TcpPeer(guest.wire, NGINX, port).connect(60)
    peer.send(f"GET /{NAME.rpartition('/')[2]} HTTP/1.0\r\n\r\n".encode())
    peer.until(lambda: b"\r\n\r\n" in peer.received, 60, "the answer's header")
    header, _, body = bytes(peer.received).partition(b"\r\n\r\n")
    assert re.search(rb"^HTTP/1.1 200 .*Content-Length: %d" % SIZE, header, re.S), header
    peer.received = bytearray(body)
    return peer


def free_memory(machine: Machine) -> int:
    return int(re.search(r"MemFree: +(\d+) kB", machine.run("cat /proc/meminfo"))[1])  # type: ignore[index]


def test_a_file_arrives_whole_under_loss(lossy: Guest) -> None:
    digest = fresh_file(lossy.machine)
    peer = ask(lossy, 41000)
    assert md5(peer.expect(SIZE, 300)).hexdigest() == digest
    peer.close(60)


def test_a_file_that_is_removed_meanwhile_arrives_whole(lossy: Guest) -> None:
    digest = fresh_file(lossy.machine)
    peer = ask(lossy, 41001)
    lossy.machine.run(f"rm {NAME}")
    assert md5(peer.expect(SIZE, 300)).hexdigest() == digest
    peer.close(60)


def test_a_file_that_is_rewritten_meanwhile_comes_in_old_and_new_bytes(lossy: Guest) -> None:
    """Which of the two is a matter of time, as on Linux; every segment's checksum is right, or the wire says so (grade/wire.py)."""
    lossy.machine.run(f"yes | head -c {SIZE} > {NAME}")
    peer = ask(lossy, 41002)
    lossy.machine.run(f"dd if=/dev/zero of={NAME} bs=1024 count={SIZE // 1024} conv=notrunc 2>/dev/null")
    got = peer.expect(SIZE, 300)
    old = (b"y\n" * SIZE)[:SIZE]
    assert all(byte in (0, was) for byte, was in zip(got, old))
    assert b"\0" in got and b"y" in got
    peer.close(60)


def test_pages_and_packets_come_back(guest: Guest) -> None:
    machine = guest.machine
    fresh_file(machine)
    machine.run(f"rm {NAME}")
    before = free_memory(machine)
    for port in range(41010, 41014):
        fresh_file(machine)
        peer = ask(guest, port)
        machine.run(f"rm {NAME}")
        peer.expect(SIZE, 120)
        peer.close(60)
    machine.skbs_at_rest(90)
    deadline = time.monotonic() + patience(20)
    while (now := free_memory(machine)) < before - SIZE // 1024:
        assert time.monotonic() < deadline, f"{before} kB were free, now {now}"
        time.sleep(0.2)
