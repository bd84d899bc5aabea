"""The host's Linux as the guest's peer over a TAP, both ways: ping, datagrams in parts, streams, ICMP errors, path MTU.

    guest 10.0.2.15 --- tap0 10.0.2.2 Linux 10.9.0.1 --- (1300 bytes at most) --- 10.9.0.2 another Linux, "far"
"""
import errno
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from grade.conformance.guest import InQemu
from grade.conformance.sockets import Refused
from grade.machine import Machine, patience
from grade.namespace import Namespace
from grade.plugin import Machines
from grade.wire import GUEST_IP, PEER_IP

FAR_IP, NARROW = "10.9.0.2", 1300
PORT, CLOSED = 5000, 5999
ME = ("-m", "grade.peers.linux_programs")
PYTHON = sys.executable
IP_MTU_DISCOVER, DO, IP_MTU = 10, 2, 14
SIZES = ("56", "1472", "1473", "8000", "20000")


@dataclass
class Pair:
    machine: Machine
    guest: InQemu
    linux: Namespace

    def program(self, *words: object) -> str:
        """One of linux_programs.py, on Linux."""
        return self.linux.must(PYTHON, *ME, *map(str, words), timeout=120).strip()


@pytest.fixture(scope="module")
def pair(shared_machines: Machines, linux: Namespace) -> Iterator[Pair]:
    machine = shared_machines.in_namespace(linux, line=True)
    with linux.serving(PYTHON, *ME, "echo", str(PORT), tcp=PORT):
        yield Pair(machine, InQemu("e1000", machine, None), linux)


@pytest.fixture(scope="module")
def far(pair: Pair) -> Iterator[None]:
    """Another Linux beyond the first, behind a link that the first knows to be narrower."""
    linux = pair.linux
    holder = linux.start("unshare", "--net", "sh", "-c", "echo ready; exec cat", stdin=subprocess.PIPE)
    assert holder.stdout and holder.stdout.readline() == "ready\n"

    def there(*command: str) -> str:
        return linux.must("nsenter", "-t", str(holder.pid), "-n", *command)

    linux.must("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    linux.must("ip", "link", "set", "v1", "netns", str(holder.pid))
    linux.must("ip", "address", "add", "10.9.0.1/24", "dev", "v0")
    linux.must("ip", "link", "set", "v0", "up")
    linux.must("ip", "route", "replace", f"{FAR_IP}/32", "dev", "v0", "mtu", "lock", str(NARROW))
    linux.must("sysctl", "-qw", "net.ipv4.ip_forward=1")
    there("ip", "address", "add", f"{FAR_IP}/24", "dev", "v1")
    there("ip", "link", "set", "v1", "up")
    there("ip", "route", "add", "default", "via", "10.9.0.1")
    server = linux.start("nsenter", "-t", str(holder.pid), "-n", PYTHON, *ME, "echo", str(PORT))
    deadline = time.monotonic() + patience(20)
    while f":{PORT} " not in there("ss", "-Hlnt"):
        assert time.monotonic() < deadline and server.poll() is None, "the far server does not listen"
        time.sleep(0.05)
    yield
    holder.kill()


def there_and_back(pair: Pair, address: str, blocks: int) -> None:
    """By busybox's nc, blocks of 64 KiB that nobody can guess."""
    pair.machine.run(f"dd if=/dev/urandom of=/tmp/sent bs=65536 count={blocks} 2>/dev/null")
    pair.machine.run(f"nc {address} {PORT} </tmp/sent >/tmp/back", timeout=120)
    sent, back, size = pair.machine.run("sha256sum </tmp/sent; sha256sum </tmp/back; wc -c </tmp/back").replace("-", "").split()
    assert int(size) == blocks << 16 and sent == back


@pytest.mark.parametrize("size", SIZES)
def test_linux_pings_the_guest(pair: Pair, size: str) -> None:
    """In one piece and in many: RFC 792, RFC 791 3.2."""
    if not shutil.which("ping"):
        pytest.skip("ping is not installed")
    said = pair.linux.must("ping", "-c", "3", "-i", "0.2", "-W", "10", "-s", size, "-p", "5a", GUEST_IP)
    assert " 0% packet loss" in said and "wrong data" not in said, said


@pytest.mark.parametrize("size", SIZES)
def test_the_guest_pings_linux(pair: Pair, size: str) -> None:
    said = pair.machine.run(f"ping -c 2 -s {size} {PEER_IP}", timeout=60)
    assert "2 packets received" in said, said


def test_datagrams_come_back_from_the_guest(pair: Pair) -> None:
    assert pair.program("udp-client", GUEST_IP, 7, 0, 1, 1472, 1473, 2952, 9000, 30000, 65507) == "equal"


def test_datagrams_come_back_from_linux(pair: Pair) -> None:
    sender = pair.guest.socket()
    sender.set(0, IP_MTU_DISCOVER, 0)
    for size in (0, 1, 1472, 1473, 9000, 40000):
        data = (os.urandom(251) * 200)[:size]
        sender.send(data, PEER_IP, PORT)
        message = sender.receive(65536, timeout=20)
        assert (message.data, message.source) == (data, (PEER_IP, PORT))
    sender.close()


def test_a_stream_comes_back_from_the_guest(pair: Pair) -> None:
    assert pair.program("tcp-client", GUEST_IP, 7, 3_000_000) == "equal"


def test_a_stream_goes_to_linux_and_back(pair: Pair) -> None:
    there_and_back(pair, PEER_IP, 16)


def test_a_closed_port_refuses_linux(pair: Pair) -> None:
    """RFC 1122 4.1.3.1, RFC 9293 3.10.7.1."""
    assert pair.program("refused", GUEST_IP, CLOSED).split() == ["udp", "ConnectionRefusedError", "tcp", "ConnectionRefusedError"]


def test_a_closed_port_of_linux_refuses_the_guest(pair: Pair) -> None:
    datagrams, stream = pair.guest.socket().connect(PEER_IP, CLOSED), pair.guest.socket(1).connect(PEER_IP, CLOSED)
    datagrams.send(b"anybody?")
    for one in (datagrams, stream):
        assert one.ready(20)
        assert one.error() == errno.ECONNREFUSED
        one.close()


def test_the_way_to_the_far_host_is_traced(pair: Pair, far: None) -> None:
    """RFC 792: time exceeded by the router, port unreachable by the end."""
    said = pair.machine.run(f"traceroute -n -w 5 -q 1 {FAR_IP}", timeout=60)
    hops = re.findall(r"^\s*\d+\s+([\d.]+)", said, re.M)
    assert hops == [PEER_IP, FAR_IP], said


def test_a_datagram_that_must_not_be_cut_learns_the_path_mtu(pair: Pair, far: None) -> None:
    """RFC 1191 3, 4: the router says the next hop's MTU, the next datagram of that size is refused at once."""
    sender = pair.guest.socket().connect(FAR_IP, PORT)
    sender.set(0, IP_MTU_DISCOVER, DO)
    sender.send(bytes(1400))
    assert sender.ready(20) and sender.error() == errno.EMSGSIZE
    try:
        sender.send(bytes(1400))
        raise AssertionError("the path's MTU was not learned")
    except Refused as error:
        assert error.errno == errno.EMSGSIZE
    assert sender.get(0, IP_MTU) == NARROW
    sender.send(bytes(NARROW - 28))
    assert len(sender.receive(timeout=20).data) == NARROW - 28
    sender.close()


def test_a_stream_fits_itself_to_the_path(pair: Pair, far: None) -> None:
    """RFC 1191 6.4: segments are made smaller and sent again; both ends think of 1,500 bytes when they begin."""
    before = pair.linux.must("cat", "/proc/net/snmp")
    there_and_back(pair, FAR_IP, 8)
    after = pair.linux.must("cat", "/proc/net/snmp")
    assert forwarded(after) > forwarded(before), "nothing went through the router"


def forwarded(snmp: str) -> int:
    names, values = (line.split() for line in snmp.splitlines() if line.startswith("Ip:"))
    return int(values[names.index("ForwDatagrams")])


def test_nothing_is_left_over(pair: Pair) -> None:
    pair.machine.skbs_at_rest()
