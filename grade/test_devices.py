"""Taking the card down and up, as ifconfig does."""
import pytest
from scapy.layers.inet import ICMP

from grade.machine import patience
from grade.plugin import Machines
from grade.wire import PEER_IP, to_guest

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
