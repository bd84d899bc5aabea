"""grade/conformance/arp.py - checklist 1 to 10: ARP, and what Ethernet owes IP."""
import errno
from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from grade.conformance.house import (ANSWER, House, from_bytes, is_arp, is_echo_reply, is_icmp, is_udp, octets, ours, payload,
                                     to_udp, wire_bytes)
from grade.conformance.items import item
from grade.conformance.sockets import Refused, set_up
from grade.wire import BROADCAST, GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, arp_request, to_guest

STRANGER_IP, STRANGER_MAC = "10.0.2.60", "52:55:0a:00:02:60"
NOBODY, SILENT, LATE, GONE = "10.0.2.64", "10.0.2.65", "10.0.2.66", "10.0.2.67"  # each one's own: the host remembers them
NEIGH = "net/ipv4/neigh/default"
ECHO = to_guest() / ICMP(id=1, seq=1) / Raw(b"echo")


def asks_for(address: str) -> Callable[[Packet], bool]:
    return lambda frame: is_arp(frame, 1) and frame[ARP].pdst == address


def reply_for(address: str, mac: str) -> Packet:
    return Ether(src=mac, dst=GUEST_MAC) / ARP(op=2, hwsrc=mac, psrc=address, hwdst=GUEST_MAC, pdst=GUEST_IP)


@item(1)
def a_request_is_answered_for_an_own_address_only(host: House) -> None:
    """RFC 826 "packet reception": fields swapped, to the asker alone; RFC 5227 2.1.1: a probe is a request, too."""
    for asker in (PEER_IP, "0.0.0.0"):
        host.send(arp_request(psrc=asker))
        reply = host.wait_for(lambda frame: is_arp(frame, 2))
        assert reply is not None, f"no reply to {asker}"
        assert (reply.src, reply.dst) == (GUEST_MAC, PEER_MAC), "not from the host to the asker alone"
        assert (reply[ARP].hwsrc, reply[ARP].psrc) == (GUEST_MAC, GUEST_IP)
        assert (reply[ARP].hwdst, reply[ARP].pdst) == (PEER_MAC, asker)
    for target in (STRANGER_IP, "10.0.2.255", "255.255.255.255", "127.0.0.1", "224.0.0.1", "0.0.0.0"):
        host.silent(arp_request(target=target))


@item(2)
def any_packet_updates_an_entry_and_only_one_for_us_makes_one(host: House) -> None:
    """RFC 826: the merge flag."""
    moved = "52:55:0a:00:02:77"
    for op, target in ((1, STRANGER_IP), (1, PEER_IP), (2, GUEST_IP)):
        host.send(Ether(src=moved, dst=BROADCAST) / ARP(op=op, hwsrc=moved, psrc=PEER_IP, hwdst=GUEST_MAC, pdst=target))
        reply = host.ask(ECHO, is_echo_reply)
        assert reply is not None and reply.dst == moved, f"an operation {op} for {target} did not update the entry"
        host.know(PEER_IP, PEER_MAC)
    host.send(arp_request(target="10.0.2.61", psrc=STRANGER_IP, hwsrc=STRANGER_MAC))  # of no concern to the host
    host.send(ours(STRANGER_IP, STRANGER_MAC) / ICMP(id=1, seq=2))
    assert host.wait_for(asks_for(STRANGER_IP)) is not None, "an entry was made by a request for somebody else"
    host.send(reply_for(STRANGER_IP, STRANGER_MAC))
    assert host.wait_for(is_echo_reply) is not None
    host.know("10.0.2.62", STRANGER_MAC)
    host.send(ours("10.0.2.62", STRANGER_MAC) / ICMP(id=1, seq=3))
    assert host.fence()[0].dst == STRANGER_MAC, "who asked for the host had to be asked for"


@item(3)
def what_is_no_arp_of_ethernet_and_ipv4_is_dropped(host: House) -> None:
    """RFC 826: the hardware type, the protocol, their lengths, the operation; and nothing is learned of it."""
    moved = octets("52:55:0a:00:02:77")
    good = bytes(arp_request())
    good = good[:22] + moved + good[28:]
    wrong = {14: b"\x00\x06", 16: b"\x86\xdd", 18: b"\x08", 19: b"\x10", 20: b"\x00\x00", 21: b"\x03"}
    with host.counts("ARP_BAD"):
        host.silent(*[good[:at] + value + good[at + len(value):] for at, value in wrong.items()])
    host.silent(*[bytes(arp_request())[:length] for length in (14, 15, 21, 22, 28, 38, 41)])
    reply = host.ask(ECHO, is_echo_reply)
    assert reply is not None and reply.dst == PEER_MAC, "something was learned of a packet that should have been dropped"


@item(4)
def the_latest_packet_waits_for_an_address(host: House) -> None:
    """RFC 1122 2.3.2.2: at least one packet is kept, the latest, and sent when the address is known."""
    sender = host.socket()
    for number in range(30):
        sender.send(b"packet %d" % number, LATE, 9)
    assert host.wait_for(asks_for(LATE)) is not None, "the host does not ask"
    host.send(reply_for(LATE, STRANGER_MAC))
    sent = [payload(frame) for frame in host.fence() if is_udp(frame) and frame.dst == STRANGER_MAC]
    assert sent and sent[-1] == b"packet 29", f"the latest packet was lost; sent were {sent[-3:]}"


@item(5, slow=True)
def one_destination_is_asked_for_once_a_second_at_most(host: House) -> None:
    """RFC 1122 2.3.2.1: however many packets want to go there, and again after the host has given up."""
    sender, asked, start = host.socket(), [], host.now()
    while host.now() < start + (4 if host.real_time else 30):
        for _ in range(3):
            try:
                sender.send(b"?", NOBODY, 9)
            except Refused:
                pass  # given up: the error of the ones before
        frame = host.wait_for(asks_for(NOBODY), 0.1)
        asked += [frame.time] if frame is not None else []
    gaps = [after - before for before, after in zip(asked, asked[1:])]
    assert len(asked) > 1, "the host asks once and never again"
    assert min(gaps) > 0.8, f"questions came {min(gaps):.3f} s apart"  # 1 s, and what the way here may differ by


@item(6, slow=True)
def an_entry_that_nobody_confirms_is_asked_about_and_flushed(host: House) -> None:
    """RFC 1122 2.3.2.1(2): unicast polls to the old address, and when none is answered the entry goes."""
    host.knob(f"{NEIGH}/base_reachable_time_ms", 100)
    host.knob(f"{NEIGH}/delay_first_probe_time", 1)
    host.knob(f"{NEIGH}/retrans_time_ms", 300)
    host.know(GONE, STRANGER_MAC)
    sender, polls = host.socket(), 0
    for _ in range(100):
        try:
            sender.send(b"there?", GONE, 9)
        except Refused as error:
            assert error.errno == errno.EHOSTUNREACH
        question = host.wait_for(asks_for(GONE), 0.2)
        polls += question is not None and question.dst == STRANGER_MAC
        if question is not None and question.dst == BROADCAST:
            break
    else:
        raise AssertionError(f"the entry is never flushed ({polls} polls of its owner)")
    assert polls >= 1, "the owner was never asked directly"


@item(7, slow=True)
def a_host_that_does_not_answer_is_unreachable(host: House) -> None:
    """RFC 1122 2.4: the layer above is told, and the program by EHOSTUNREACH."""
    host.knob(f"{NEIGH}/retrans_time_ms", 200)
    sender = host.socket().connect(SILENT, 9)
    sender.send(b"?")
    assert sender.ready(ANSWER), "no error in 5 s"
    assert sender.error() == errno.EHOSTUNREACH
    asked = [frame for frame in host.fence() if asks_for(SILENT)(frame)]
    assert 1 <= len(asked) <= 10, f"{len(asked)} questions"


@item(8)
def an_address_is_announced_and_defended(host: House) -> None:
    """RFC 5227 2.3: an announcement to all when the address is taken into use; 2.4: another when somebody else claims it."""
    def is_announcement(frame: Packet) -> bool:
        return ARP in frame and (frame[ARP].psrc, frame[ARP].pdst, frame[ARP].hwsrc) == (GUEST_IP, GUEST_IP, GUEST_MAC)

    set_up(host, False, PEER_IP)
    set_up(host, True, PEER_IP)
    said = host.wait_for(is_announcement)
    assert said is not None and said.dst == BROADCAST, "the address is not announced"
    host.settle()
    host.send(Ether(src=STRANGER_MAC, dst=BROADCAST) / ARP(op=1, hwsrc=STRANGER_MAC, psrc=GUEST_IP, pdst=GUEST_IP))
    said = host.wait_for(is_announcement)
    assert said is not None and said.dst == BROADCAST, "the address is not defended"
    reply = host.ask(ECHO, is_echo_reply)
    assert reply is not None and reply[IP].src == GUEST_IP, "the address was given up at the first claim"


@item(9)
def what_pads_a_frame_is_no_data(host: House) -> None:
    """RFC 894, RFC 1122 2.3.3: cut to IP's total length before anything is summed or delivered."""
    receiver = host.socket()
    port = receiver.bind()
    for padding in (1, 17, 100, 1000):
        host.send(bytes(to_udp(port, b"x")) + b"\xa5" * padding)
        assert receiver.receive().data == b"x"
        host.send(bytes(ECHO) + b"\xa5" * padding)
        reply = host.wait_for(is_echo_reply)
        assert reply is not None and payload(reply) == b"echo", f"{padding} bytes of padding came back"


@item(10)
def frames_for_others_and_of_other_kinds_are_nothing_to_the_host(host: House) -> None:
    """RFC 1122 2.4, 3.2.2: silence; and no ICMP error about what was sent to all stations."""
    other = "52:55:0a:00:02:99"
    receiver = host.socket()
    port = receiver.bind()
    foreign = to_udp(port)
    foreign.dst = other
    host.silent(foreign, ours(dmac=other) / ICMP(id=1, seq=1), ours(dmac=other) / UDP(sport=1, dport=9))
    packet = wire_bytes(ECHO)
    host.silent(*[octets(GUEST_MAC) + octets(PEER_MAC) + kind + packet for kind in (b"\x88\xb5", b"\x00\x2e", b"\x81\x37")])
    host.silent(*[from_bytes(packet[:length]) for length in (0, 1, 19)], octets(GUEST_MAC)[:3], octets(GUEST_MAC) + b"\1\2")
    host.silent(ours(dmac=BROADCAST) / UDP(sport=1, dport=9), ours(dmac=BROADCAST, proto=253) / Raw(b"12345678"))
    assert receiver.empty(), "a frame for another station was delivered"
    assert host.ask(ours(proto=253) / Raw(b"12345678"), is_icmp(3, 2)) is not None, "the same to the host alone is answered"
