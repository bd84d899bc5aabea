"""ICMP echo on the wire (RFC 792, RFC 1122 3.2.2.6)."""
import random

from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet, Raw

from grade.machine import patience
from grade.plugin import Guest
from grade.wire import to_guest

LARGEST = 1472  # bytes of data in one frame of 1,500
IN_FLIGHT = 32


def echo_reply(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type == 0


def data_of(frame: Packet) -> bytes:
    return bytes(frame[ICMP].payload)[:frame[IP].len - frame[IP].ihl * 4 - 8]


def test_pings_of_1_to_1472_bytes_come_back_unchanged(guest: Guest) -> None:
    """Checklist 27: same id, sequence number and data. Every size; the data cannot be guessed."""
    source = random.Random()
    sent = {size: source.randbytes(size) for size in range(1, LARGEST + 1)}
    for first in range(1, LARGEST + 1, IN_FLIGHT):
        sizes = range(first, min(first + IN_FLIGHT, LARGEST + 1))
        for size in sizes:
            guest.wire.send(to_guest() / ICMP(id=0x7700, seq=size) / Raw(sent[size]))
        for _ in sizes:
            reply = guest.wire.wait_for(echo_reply, patience(5))
            assert reply is not None, f"an echo reply is missing, of one of the sizes {sizes}"
            assert reply[ICMP].id == 0x7700
            assert data_of(reply) == sent.pop(reply[ICMP].seq, None), f"reply {reply[ICMP].seq} differs or came twice"
    guest.machine.skbs_at_rest()


def test_a_reply_has_a_fresh_time_to_live_and_swapped_addresses(guest: Guest) -> None:
    """Checklist 24, 27: a request that arrives with TTL 1 is for us, and answered with the default."""
    request = to_guest(ttl=1) / ICMP(id=9, seq=9) / Raw(b"x")
    reply = guest.wire.ask(request, echo_reply, patience(5))
    assert reply is not None
    assert (reply[IP].src, reply[IP].dst, reply[IP].ttl) == (request[IP].dst, request[IP].src, 64)


def test_padding_of_a_short_frame_is_not_echoed(guest: Guest) -> None:
    """Checklist 9: the frame is cut to the IP total length."""
    request = bytes(to_guest() / ICMP(id=3, seq=4) / Raw(b"ab"))
    reply = guest.wire.ask(request + b"\xee" * (64 - len(request)), echo_reply, patience(5))
    assert reply is not None and reply[IP].len == 30 and data_of(reply) == b"ab"


def test_a_wrong_icmp_checksum_is_dropped_and_counted(guest: Guest) -> None:
    """Checklist 32."""
    before = guest.machine.drops().get("ICMP_CSUM", 0)
    guest.wire.send(to_guest() / ICMP(id=5, seq=5, chksum=0x1234) / Raw(b"bad"))
    reply = guest.wire.ask(to_guest() / ICMP(id=5, seq=6) / Raw(b"good"), echo_reply, patience(5))
    assert reply is not None and reply[ICMP].seq == 6
    assert guest.machine.drops().get("ICMP_CSUM", 0) == before + 1


def test_the_guest_pings_the_peer(guest: Guest) -> None:
    """The guest asks for the peer's station, then sends echo requests that we answer here."""
    with guest.machine.console.running("ping -c 1 10.0.2.2") as command:
        request = guest.wire.wait_for(lambda frame: ICMP in frame and frame[ICMP].type == 8, patience(10))
        assert request is not None, "no echo request on the wire"
        echo = request[ICMP]
        guest.wire.send(to_guest() / ICMP(type=0, id=echo.id, seq=echo.seq) / Raw(data_of(request)))
    assert command.status == 0, command.printed
