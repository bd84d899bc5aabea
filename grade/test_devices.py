"""The cards: down and up as ifconfig does it, and what only a TAP has."""
import os
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import rdpcap

from grade.machine import patience
from grade.namespace import Namespace
from grade.plugin import Machines
from grade.wire import GUEST_IP, PEER_IP, checksum_error, to_guest

IP_OR_ARP = (b"\x08\x00", b"\x08\x06")
DOWN, UP = "ifconfig eth0 down", "ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up"


@pytest.mark.parametrize("nic", ["e1000", "virtio"])
def test_several_at_once_take_turns(machines: Machines, nic: str) -> None:
    """Opening a card sleeps in the middle; who comes meanwhile waits."""
    guest = machines.on_wire(nic=nic)
    for _ in range(6):
        guest.machine.console.command(" & ".join([DOWN, UP, DOWN, UP, DOWN, UP]) + "; wait")
    guest.machine.run(DOWN)
    guest.machine.run(UP)
    ping = to_guest() / ICMP(type=8, id=1, seq=1)
    replies = (guest.wire.ask(ping, lambda frame: ICMP in frame and frame[ICMP].type == 0, patience(2)) for _ in range(5))
    assert any(reply is not None for reply in replies), f"no answer to a ping from {PEER_IP}"
    guest.machine.skbs_at_rest()


def without_virtio_header(captured: Packet) -> Packet:
    """Some versions of QEMU capture the 12 bytes in front of the frame, too."""
    raw = bytes(captured)
    return Ether(raw if raw[12:14] in IP_OR_ARP else raw[12:])


def test_virtio_leaves_checksums_to_a_tap(machines: Machines, linux: Namespace, tmp_path: Path) -> None:
    """virtio 1.1, 5.1.6.2: only a TAP takes packets whose checksum is still to be made. What it shows of them has the sum
    of the pseudo-header, and Linux takes it."""
    data, capture = os.urandom(500_000), tmp_path / "tap.pcap"
    machine = machines.in_namespace(linux, files={"www/random.bin": (0o100644, data)}, nic="virtio", capture=str(capture))
    fetched = linux.run(["curl", "-sS", "http://10.0.2.15/random.bin"], text=False)
    assert fetched.stdout == data
    sent = [frame for frame in map(without_virtio_header, rdpcap(str(capture))) if TCP in frame and frame[IP].src == GUEST_IP]
    unfinished = [checksum_error(bytes(frame)) == "TCP checksum wrong" for frame in sent]
    assert sum(unfinished) > len(unfinished) / 2
    machine.skbs_at_rest()
