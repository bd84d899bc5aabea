"""ARP on the wire: who is answered, how, and what is dropped (RFC 826)."""
import pytest
from scapy.layers.inet import ICMP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from grade.machine import patience
from grade.plugin import Guest
from grade.wire import BROADCAST, GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, arp_request, to_guest


def is_arp_reply(frame: Packet) -> bool:
    return ARP in frame and frame[ARP].op == 2


def is_echo_reply(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type == 0


def test_a_request_for_the_guests_address_is_answered(guest: Guest) -> None:
    """RFC 826 packet reception; checklist 1: fields swapped right, unicast to who asked."""
    reply = guest.wire.ask(arp_request(), is_arp_reply, patience(5))
    assert reply is not None, "no reply"
    assert (reply.src, reply.dst) == (GUEST_MAC, PEER_MAC)
    assert (reply[ARP].hwsrc, reply[ARP].psrc) == (GUEST_MAC, GUEST_IP)
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (PEER_MAC, PEER_IP)


def test_a_request_for_another_address_is_not_answered(guest: Guest) -> None:
    """Checklist 1. The answer to a second, good request shows that the first got none."""
    guest.wire.drain()
    guest.wire.send(arp_request(target="10.0.2.99"))
    reply = guest.wire.ask(arp_request(), is_arp_reply, patience(5))
    assert reply is not None and reply[ARP].psrc == GUEST_IP


# Field of the fixed part -> where it is in the frame, and what to put there.
MALFORMED = {
    "hardware type": (14, b"\x00\x06"),
    "protocol type": (16, b"\x86\xdd"),
    "hardware length": (18, b"\x08"),
    "protocol length": (19, b"\x10"),
    "opcode 0": (20, b"\x00\x00"),
    "opcode 3": (20, b"\x00\x03"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_packet_is_dropped_and_counted(guest: Guest, what: str) -> None:
    """Checklist 3."""
    offset, value = MALFORMED[what]
    good = bytes(arp_request())
    before = guest.machine.drops().get("ARP_BAD", 0)
    guest.wire.send(good[:offset] + value + good[offset + len(value):])
    assert guest.wire.ask(good, is_arp_reply, patience(5)) is not None
    assert not [frame for frame in guest.wire.drain() if ARP in frame], "the malformed packet was answered too"
    assert guest.machine.drops().get("ARP_BAD", 0) == before + 1


def test_an_entry_follows_its_owner_to_a_new_station(guest: Guest) -> None:
    """Checklist 2: any ARP packet from a known sender updates the entry."""
    moved = "52:55:0a:00:02:77"
    assert guest.wire.ask(to_guest() / ICMP(id=1, seq=1), is_echo_reply, patience(5)) is not None
    guest.wire.send(Ether(src=moved, dst=BROADCAST) / ARP(op=1, hwsrc=moved, psrc=PEER_IP, pdst=PEER_IP))
    reply = guest.wire.ask(to_guest() / ICMP(id=1, seq=2), is_echo_reply, patience(5))
    guest.wire.send(arp_request())  # back where it was, for the tests that follow
    assert reply is not None and reply.dst == moved


def test_a_neighbour_that_was_set_is_used_unasked(guest: Guest) -> None:
    """arp(8): -s sets it, the kernel's table tells of it, and -d takes it away."""
    other, mac = "10.0.2.77", "02:11:22:33:44:55"
    guest.machine.run(f"arp -s {other} {mac}")
    assert f"{other}        0x1         0x6         {mac}     *        eth0" in guest.machine.run("cat /proc/net/arp")
    guest.wire.drain()
    guest.machine.run(f"ping -c 1 -W 1 {other} || true")
    sent = [frame for frame in guest.wire.drain() if ICMP in frame or ARP in frame and frame[ARP].pdst == other]
    assert sent and all(ICMP in frame and frame.dst == mac for frame in sent), sent
    guest.machine.run(f"arp -d {other}")
    assert other not in guest.machine.run("cat /proc/net/arp")
