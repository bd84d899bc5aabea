"""Two guests through a third, a router with a card on either link; the link behind it takes 1,300 bytes.

    left 10.1.0.2 --- 10.1.0.1 router 10.2.0.1 --- (1300 bytes) --- 10.2.0.2 right
"""
import errno
import re
import socket
from dataclasses import dataclass

import pytest

from grade.conformance.guest import InQemu
from grade.conformance.sockets import Refused
from grade.machine import Machine
from grade.plugin import Machines

NEAR, FAR, RIGHT = "10.1.0.1", "10.2.0.1", "10.2.0.2"
NARROW, ECHO = 1300, 7
IP_MTU_DISCOVER, DONT, DO, IP_MTU = 10, 0, 2, 14


@dataclass
class Three:
    left: Machine
    router: Machine
    right: Machine
    sockets: InQemu  # of the left one


@pytest.fixture(scope="module")
def three(shared_machines: Machines) -> Three:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    left = shared_machines.on_cables(pairs[0][0], line=True, smp="1", mac="52:54:00:00:00:01")
    router = shared_machines.on_cables(pairs[0][1], pairs[1][0], smp="1", mac="52:54:00:00:00:02")
    right = shared_machines.on_cables(pairs[1][1], smp="1", mac="52:54:00:00:00:03")
    for machine, address, gateway in ((left, "10.1.0.2", NEAR), (right, RIGHT, FAR)):
        machine.run(f"ifconfig eth0 {address} netmask 255.255.255.0 up; route del default; route add default gw {gateway}")
    router.run(f"route del default; ifconfig eth0 {NEAR} netmask 255.255.255.0 up; ifconfig eth1 {FAR} netmask 255.255.255.0 mtu {NARROW} up")
    router.run("echo 1 >/proc/sys/net/ipv4/ip_forward")
    return Three(left, router, right, InQemu("left", left, None))


def test_a_ping_goes_through_the_router(three: Three) -> None:
    """One less to live each way (RFC 1812 5.3.1)."""
    said = three.left.run(f"ping -c 3 {RIGHT}")
    assert "3 packets received" in said and "ttl=63" in said, said


def test_a_datagram_that_may_be_cut_is_cut_by_the_router(three: Three) -> None:
    """RFC 791 3.2: for the narrow link; put together at the end. First, before the left one learns of that link."""
    created = counter(three.router, "FragCreates")
    sender = three.sockets.socket().connect(RIGHT, ECHO)
    sender.set(socket.SOL_IP, IP_MTU_DISCOVER, DONT)
    sender.send(bytes(1400))
    assert len(sender.receive(timeout=20).data) == 1400
    assert counter(three.router, "FragCreates") == created + 2
    sender.close()


@pytest.mark.parametrize("how", ["", "-I"])
def test_the_way_is_traced(three: Three, how: str) -> None:
    """RFC 792: the router says that time is up, the end that the port is closed, or answers."""
    said = three.left.run(f"traceroute -n {how} -q 1 -w 5 {RIGHT}", timeout=60)
    assert re.findall(r"^\s*\d+\s+([\d.]+)", said, re.M) == [NEAR, RIGHT], said


def test_a_datagram_learns_the_path_mtu(three: Three) -> None:
    """RFC 1191 3, 4: the router names the next link's MTU; the next datagram of that size is refused at once."""
    sender = three.sockets.socket().connect(RIGHT, ECHO)
    sender.set(socket.SOL_IP, IP_MTU_DISCOVER, DO)
    sender.send(bytes(1400))
    assert sender.ready(20) and sender.error() == errno.EMSGSIZE
    with pytest.raises(Refused):
        sender.send(bytes(1400))
    assert sender.get(socket.SOL_IP, IP_MTU) == NARROW
    sender.send(bytes(NARROW - 28))
    assert len(sender.receive(timeout=20).data) == NARROW - 28
    sender.close()


def test_a_stream_gets_through_the_narrow_link(three: Three) -> None:
    """RFC 1191 6.4: both ends begin with segments for 1,500 bytes."""
    three.left.run("dd if=/dev/urandom of=/tmp/sent bs=65536 count=8 2>/dev/null")
    three.left.run(f"nc {RIGHT} {ECHO} </tmp/sent >/tmp/back", timeout=120)
    sent, back, size = three.left.run("sha256sum </tmp/sent; sha256sum </tmp/back; wc -c </tmp/back").replace("-", "").split()
    assert int(size) == 8 << 16 and sent == back


def counter(machine: Machine, name: str) -> int:
    names, values = (line.split() for line in machine.run("grep ^Ip: /proc/net/snmp").splitlines())
    return int(values[names.index(name)])


def test_a_host_that_is_not_there_is_told_by_the_router(three: Three) -> None:
    """RFC 1812 4.3.3.1, 5.2.7.1: host unreachable, when nobody answers on its link; net unreachable, where no route leads."""
    for address, number in (("10.2.0.77", errno.EHOSTUNREACH), ("10.99.0.1", errno.ENETUNREACH)):
        sender = three.sockets.socket().connect(address, 9)
        sender.send(b"anybody?")
        assert sender.ready(20) and sender.error() == number
        sender.close()


def test_nothing_is_left_over(three: Three) -> None:
    for machine in (three.left, three.router, three.right):
        machine.skbs_at_rest()
