"""The graded tests of the lab `skb`: each verb on the host, then packets through the whole kernel."""
import random
import subprocess

import pytest
from scapy.layers.inet import ICMP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from grade.machine import patience
from grade.plugin import Guest
from grade.wire import arp_request, to_guest

UNIT_TESTS = "build/host/unit-tests"


def verb(name: str, points: int, why: str) -> object:
    return pytest.param(name, id=name, marks=pytest.mark.points(points, why))


@pytest.mark.parametrize("name", [
    verb("skb_reserve_makes_headroom", 5, "skb_reserve() moves data and tail, by n, and nothing else"),
    verb("skb_reserve_refuses_more_than_there_is", 5, "skb_reserve() must look at the tailroom before it moves"),
    verb("skb_reserve_refuses_a_buffer_that_holds_a_packet", 5, "headroom cannot be made under a packet"),
    verb("skb_put_opens_bytes_behind_the_packet", 10, "skb_put() returns where tail was; tail and len grow by n"),
    verb("skb_put_fills_to_the_last_byte_and_not_beyond", 5, "tail may reach end and never pass it, for any n"),
    verb("skb_push_opens_bytes_in_front", 10, "skb_push() returns where data is now; len grows by n"),
    verb("skb_push_refuses_more_than_the_headroom", 5, "data may reach head and never pass it, for any n"),
    verb("skb_pull_takes_bytes_off_the_front", 10, "skb_pull() returns where data is now; len shrinks by n"),
    verb("skb_pull_of_more_than_there_is_returns_null_and_moves_nothing", 10,
         "how much there is to pull is the sender's choice: too little is NULL, not a panic"),
    verb("skb_trim_cuts_the_end_off", 5, "skb_trim() keeps the first len bytes"),
    verb("skb_trim_never_makes_a_packet_longer", 5, "skb_trim() to more than there is changes nothing"),
    verb("skb_verbs_carry_a_frame_down_and_up", 5, "a frame's headers are pushed on the way down and pulled on the way up"),
])
def test_verb(name: str) -> None:
    run = subprocess.run([UNIT_TESTS, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.points(5, "the guest does not answer ARP: a frame of 42 bytes does not get through the verbs")
def test_arp_is_answered(guest: Guest) -> None:
    reply = guest.wire.ask(arp_request(), lambda frame: ARP in frame and frame[ARP].op == 2, patience(5))
    assert reply is not None, f"no answer; dropped: {guest.machine.drops()}"


@pytest.mark.points(3, "a ping's reply is missing or differs: `cat /proc/net/drops` in the guest says where packets were dropped")
@pytest.mark.parametrize("size", [1, 18, 1000, 1472], ids="{} bytes".format)
def test_ping_is_answered(guest: Guest, size: int) -> None:
    data = random.Random().randbytes(size)
    reply = guest.wire.ask(to_guest() / ICMP(id=7, seq=size) / Raw(data),
                           lambda frame: ICMP in frame and frame[ICMP].type == 0, patience(5))
    assert reply is not None, f"no answer; dropped: {guest.machine.drops()}"
    assert bytes(reply[ICMP].payload)[:size] == data, "the data came back changed"


@pytest.mark.points(5, "a datagram does not get to the echo server and back")
def test_udp_is_echoed(guest: Guest) -> None:
    data = random.Random().randbytes(300)
    reply = guest.wire.ask(to_guest() / UDP(sport=5000, dport=7) / Raw(data),
                           lambda frame: UDP in frame and frame[UDP].sport == 7, patience(5))
    assert reply is not None, f"no answer; dropped: {guest.machine.drops()}"
    assert bytes(reply[UDP].payload) == data, "the data came back changed"
    guest.machine.skbs_at_rest()
