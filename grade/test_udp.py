"""UDP on the wire: the echo service, and ports where nobody listens (RFC 768, RFC 1122 4.1)."""
import random
from collections.abc import Callable

import pytest
from scapy.layers.inet import ICMP, UDP
from scapy.packet import Packet, Raw

from grade.machine import patience
from grade.plugin import Guest
from grade.wire import to_guest

ECHO, CLOSED = 7, 4000
SIZES = [0, 1, 2, 17, 18, 19, 63, 64, 511, 512, 1023, 1024, 1471, 1472]


def from_port(port: int, to: int) -> Callable[[Packet], bool]:
    return lambda frame: UDP in frame and ICMP not in frame and frame[UDP].sport == port and frame[UDP].dport == to


def data_of(frame: Packet) -> bytes:
    return bytes(frame[UDP].payload)[:frame[UDP].len - 8]


@pytest.mark.parametrize("size", SIZES)
def test_a_datagram_is_echoed(guest: Guest, size: int) -> None:
    """Checklist 38, 39: any size up to the frame's, empty ones too."""
    data = random.Random().randbytes(size)
    request = to_guest() / UDP(sport=20000 + size, dport=ECHO) / Raw(data)
    reply = guest.wire.ask(request, from_port(ECHO, 20000 + size), patience(10))
    assert reply is not None, "no echo"
    assert data_of(reply) == data


def test_a_port_without_a_listener_is_unreachable(guest: Guest) -> None:
    """Checklist 30, 37: ICMP 3/3 that quotes our IP header and at least 8 bytes."""
    request = to_guest(id=0x5A5A) / UDP(sport=20001, dport=CLOSED) / Raw(b"anybody?")
    error = guest.wire.ask(request, lambda frame: ICMP in frame and frame[ICMP].type == 3, patience(5))
    assert error is not None, "no ICMP error"
    assert error[ICMP].code == 3
    assert bytes(error[ICMP].payload)[:28] == bytes(request)[14:42]


def test_a_wrong_checksum_is_dropped_and_none_is_accepted(guest: Guest) -> None:
    """Checklist 35: verified when it is not zero."""
    before = guest.machine.drops().get("UDP_CSUM", 0)
    guest.wire.send(to_guest() / UDP(sport=20002, dport=ECHO, chksum=0x1111) / Raw(b"wrong"))
    none = to_guest() / UDP(sport=20002, dport=ECHO, chksum=0) / Raw(b"none")
    reply = guest.wire.ask(none, from_port(ECHO, 20002), patience(5))
    assert reply is not None and data_of(reply) == b"none"
    assert guest.machine.drops().get("UDP_CSUM", 0) == before + 1


def test_a_length_beyond_the_packet_is_dropped(guest: Guest) -> None:
    """Checklist 36."""
    before = guest.machine.drops().get("UDP_LENGTH", 0)
    for length in (0, 7, 100):
        guest.wire.send(to_guest() / UDP(sport=20003, dport=ECHO, len=length, chksum=0) / Raw(b"12345678"))
    reply = guest.wire.ask(to_guest() / UDP(sport=20003, dport=ECHO) / Raw(b"ok"), from_port(ECHO, 20003), patience(5))
    assert reply is not None and data_of(reply) == b"ok"
    assert guest.machine.drops().get("UDP_LENGTH", 0) == before + 3


def test_a_surplus_behind_the_length_is_ignored(guest: Guest) -> None:
    """Checklist 36."""
    request = to_guest() / UDP(sport=20004, dport=ECHO, len=8 + 4, chksum=0) / Raw(b"head-and-more")
    reply = guest.wire.ask(request, from_port(ECHO, 20004), patience(5))
    assert reply is not None and data_of(reply) == b"head"


def test_no_buffer_is_left_over(guest: Guest) -> None:
    guest.machine.skbs_at_rest()
