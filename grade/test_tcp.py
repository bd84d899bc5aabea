"""TCP on the wire against a scripted peer: open, transfer, close, with losses that we choose (RFC 9293)."""
import random

import pytest
from scapy.layers.inet import TCP
from scapy.packet import Packet

from grade.faults import Faults
from grade.machine import patience
from grade.plugin import Guest
from grade.tcp_peer import TcpPeer
from grade.wire import to_guest

ECHO, CLOSED = 7, 4000

def echo(guest: Guest, port: int, size: int, timeout: float) -> TcpPeer:
    """Open, send size bytes that cannot be guessed, see them come back, close."""
    data = random.Random().randbytes(size)
    peer = TcpPeer(guest.wire, ECHO, port).connect(timeout)
    peer.send(data)
    assert peer.expect(size, timeout) == data
    peer.close(timeout)
    return peer


def test_echo_without_loss(guest: Guest) -> None:
    """Checklist 42 on: handshake, 256 KiB each way across the wrap of our sequence numbers, close."""
    peer = echo(guest, 30000, 256 * 1024, 30)
    assert not peer.reset
    guest.machine.skbs_at_rest()


@pytest.mark.parametrize("percent, size", [(5, 128 * 1024), (10, 64 * 1024)])
def test_echo_with_loss_both_ways(guest: Guest, percent: int, size: int) -> None:
    """RFC 6298, RFC 5681: the guest retransmits what the wire loses, and takes what came early."""
    guest.wire.to_guest = Faults(seed=percent, loss=percent / 100)
    guest.wire.from_guest = Faults(seed=percent + 1, loss=percent / 100)
    echo(guest, 30000 + percent, size, 120)
    guest.wire.to_guest, guest.wire.from_guest = Faults(), Faults()
    guest.machine.skbs_at_rest()


def test_echo_with_doubled_swapped_and_damaged_segments(guest: Guest) -> None:
    guest.wire.to_guest = Faults(seed=3, duplicate=0.05, reorder=0.05, corrupt=0.02)
    guest.wire.from_guest = Faults(seed=4, duplicate=0.05, reorder=0.05)
    echo(guest, 30020, 64 * 1024, 120)
    guest.wire.to_guest, guest.wire.from_guest = Faults(), Faults()
    guest.machine.skbs_at_rest()


@pytest.mark.long
def test_a_long_transfer_with_loss(guest: Guest) -> None:
    guest.wire.to_guest, guest.wire.from_guest = Faults(seed=8, loss=0.02), Faults(seed=9, loss=0.02)
    echo(guest, 30030, 4 << 20, 600)
    guest.wire.to_guest, guest.wire.from_guest = Faults(), Faults()
    guest.machine.skbs_at_rest()


def counter(guest: Guest, name: str) -> int:
    return int(guest.machine.run(f"grep '^{name} ' /proc/net/tcp_counters").split()[1])


def test_a_black_hole_for_large_segments_is_left_behind(guest: Guest) -> None:
    """RFC 4821 7.7: no ICMP tells of it; after three time-outs the guest sends what passes."""
    probing = "/proc/sys/net/ipv4/tcp_mtu_probing"
    guest.machine.run(f"echo 1 > {probing}")
    guest.wire.from_guest = Faults(largest=1200)
    echo(guest, 30040, 64 * 1024, 60)
    guest.wire.from_guest = Faults()
    assert counter(guest, "mtu_black_holes") == 1
    guest.machine.run(f"echo 0 > {probing}")
    guest.machine.skbs_at_rest()


def test_many_connections_one_after_the_other(guest: Guest) -> None:
    for number in range(20):
        echo(guest, 31000 + number, 100 + number, 20)
    guest.machine.skbs_at_rest()


def answer(guest: Guest, segment: Packet) -> Packet | None:
    port = segment[TCP].sport
    return guest.wire.ask(segment, lambda frame: TCP in frame and frame[TCP].dport == port, patience(5))


def test_a_syn_to_a_closed_port_is_reset(guest: Guest) -> None:
    """Checklist 42, RFC 9293 3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>."""
    reply = answer(guest, to_guest() / TCP(sport=32000, dport=CLOSED, flags="S", seq=1000))
    assert reply is not None
    assert (reply[TCP].flags, reply[TCP].seq, reply[TCP].ack) == ("RA", 0, 1001)


def test_an_ack_to_a_closed_port_is_reset(guest: Guest) -> None:
    """Checklist 42: <SEQ=SEG.ACK><CTL=RST>, without ACK."""
    reply = answer(guest, to_guest() / TCP(sport=32001, dport=CLOSED, flags="A", seq=1000, ack=777))
    assert reply is not None
    assert (reply[TCP].flags, reply[TCP].seq) == ("R", 777)


def test_a_reset_to_a_closed_port_is_not_answered(guest: Guest) -> None:
    """Checklist 42. That the SYN behind it is answered first shows that the RST was not."""
    guest.wire.drain()
    guest.wire.send(to_guest() / TCP(sport=32002, dport=CLOSED, flags="R", seq=5))
    reply = answer(guest, to_guest() / TCP(sport=32002, dport=CLOSED, flags="S", seq=50))
    assert reply is not None and reply[TCP].ack == 51


def test_a_connection_that_we_reset_leaves_nothing(guest: Guest) -> None:
    peer = TcpPeer(guest.wire, ECHO, 32003).connect()
    peer.send(b"half a thought")
    peer.expect(14, 10)
    guest.wire.send(to_guest() / TCP(sport=32003, dport=ECHO, flags="R", seq=peer.snd_una))
    guest.machine.skbs_at_rest()
    echo(guest, 32004, 10, 20)
