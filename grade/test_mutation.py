"""Frames that are nearly right, thousands of them, at a guest with an open connection: it answers afterwards, nothing is lost."""
import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet, Raw

from grade.frames import mended
from grade.machine import patience
from grade.mutation import Live, mutated
from grade.plugin import Guest, Machines
from grade.wire import arp_request, to_guest

SEEDS = (20261127, 20261128)
ECHO, PORT, BURST = 7, 33000, 500


def open_connection(guest: Guest, port: int) -> Live:
    answer = guest.wire.ask(to_guest() / TCP(sport=port, dport=ECHO, flags="S", seq=5000),
                            lambda frame: TCP in frame and frame[TCP].flags == "SA" and frame[TCP].dport == port, patience(30))
    assert answer is not None, "the echo port does not open"
    guest.wire.send(to_guest() / TCP(sport=port, dport=ECHO, flags="A", seq=5001, ack=answer[TCP].seq + 1))
    return Live(port, ECHO, 5001, answer[TCP].seq + 1)


def heard(guest: Guest, ident: int) -> list[Packet]:
    """What the guest has said until it answers a ping. Where we are may have been forgotten, or learned wrongly, of the
    frames before: say so anew."""
    frames = guest.wire.drain()
    guest.wire.send(arp_request())
    guest.wire.send(to_guest() / ICMP(id=ident, seq=1) / Raw(b"alive?"))
    while (frame := guest.wire.receive(patience(30))) is not None:
        if ICMP in frame and frame[ICMP].type == 0 and frame[ICMP].id == ident:
            return frames
        frames.append(frame)
    raise AssertionError("no answer to a ping any more")


def reset_all(guest: Guest, live: Live, ident: int) -> None:
    """End what the frames have opened, as a host does that knows nothing of it: RST where the guest says that it stands."""
    guest.wire.send(to_guest() / TCP(sport=live.port, dport=ECHO, flags="S", seq=1))  # a challenge ACK tells (RFC 5961 4)
    segments = [frame for frame in heard(guest, ident) if TCP in frame and ICMP not in frame and not frame[TCP].flags.R]
    for frame in {(frame[IP].dst, frame[TCP].dport): frame for frame in segments}.values():
        reset = TCP(sport=frame[TCP].dport, dport=frame[TCP].sport, flags="R", seq=frame[TCP].ack)
        guest.wire.send(to_guest(src=frame[IP].dst) / reset)


def survive(guest: Guest, count: int, seed: int) -> None:
    print(f"seed {seed}, {count} frames")
    sent = 0
    for burst in range(0, count, BURST):
        live = open_connection(guest, PORT + burst // BURST % 20000)
        for frame in mutated(min(BURST, count - burst), seed + burst, live):
            guest.wire.send(frame)
            sent += 1
        reset_all(guest, live, 1 + burst // BURST % 65000)
    assert sent == count
    assert open_connection(guest, 60000).service == ECHO


def at_rest(guest: Guest) -> None:
    """Connections of ours that were left half closed are reset, as by a host that has gone."""
    guest.wire.resets_strangers = True
    guest.machine.run("echo 1 >/proc/sys/net/ipv4/ipfrag_time")
    heard(guest, 65001)
    guest.machine.skbs_at_rest(timeout=120)


@pytest.mark.parametrize("nic", ["e1000", "virtio"])
def test_frames_that_are_nearly_right_do_no_harm(machines: Machines, nic: str) -> None:
    guest = machines.on_wire(nic=nic)
    guest.machine.run("echo 2 >/proc/sys/net/ipv4/ipfrag_time")
    survive(guest, 3000, SEEDS[nic == "virtio"])
    at_rest(guest)


@pytest.mark.long
@pytest.mark.parametrize("nic", ["e1000", "virtio"])
def test_a_hundred_thousand_of_them_do_no_harm(machines: Machines, nic: str) -> None:
    guest = machines.on_wire(nic=nic)
    guest.machine.run("echo 2 >/proc/sys/net/ipv4/ipfrag_time")
    survive(guest, 100_000, random.randrange(1 << 32))
    at_rest(guest)


def test_the_same_seed_makes_the_same_frames() -> None:
    live = Live(PORT, ECHO, 1, 1)
    assert list(mutated(300, 1, live)) == list(mutated(300, 1, live)) != list(mutated(300, 2, live))


def test_most_frames_reach_what_lies_behind_the_checksums() -> None:
    """Of those that are whole IPv4 packets to the guest, more than half have a right header checksum."""
    frames = [frame for frame in mutated(2000, 3, Live(PORT, ECHO, 1, 1)) if frame[12:15] == b"\x08\0\x45" and len(frame) >= 34]
    right = [frame for frame in frames if mended(frame)[24:26] == frame[24:26]]
    assert len(frames) > 600 and len(right) > len(frames) // 2
