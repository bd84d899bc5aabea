"""grade/conformance/ipv4.py - checklist 11 to 16, 23, 24 and 26: the header, who is spoken to, what is sent."""
import errno
import socket
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.packet import Packet, Raw

from grade.conformance.house import (House, from_bytes, is_echo_reply, is_icmp, is_udp, ours, payload, quoted, to_udp, wire_bytes)
from grade.conformance.items import item
from grade.conformance.sockets import Refused
from grade.wire import GUEST_IP, PEER_IP, PEER_MAC, ones_sum, to_guest

ECHO = to_guest() / ICMP(id=1, seq=1) / Raw(b"echo" * 10)  # so long that no card pads it
ELSEWHERE = "192.0.2.1"  # beyond the router, who is ours
IMPOSSIBLE = ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.2.255", GUEST_IP)
IP_TTL, IP_MTU_DISCOVER, DONT, DO = 2, 10, 0, 2


def is_tcp(frame: Packet) -> bool:
    return TCP in frame and ICMP not in frame


@item(11)
def the_header_checksum_is_verified_and_right_after_the_ttl_changed(host: House) -> None:
    """RFC 1122 3.2.1.2: a bad one is dropped silently; RFC 791 3.1, RFC 1624: a router's new one is right."""
    packet = wire_bytes(ECHO)
    good = int.from_bytes(packet[10:12], "big")
    with host.counts("IP_CSUM"):
        for wrong in (good ^ 1, good ^ 0x8000, 0, (good + 0x100) & 0xFFFF):
            host.silent(from_bytes(packet[:10] + struct.pack("!H", wrong) + packet[12:]))
    host.knob("net/ipv4/ip_forward", 1)
    for number in range(200):  # sums on either side of the wrap, 0xfeff and 0xffff among them
        ident = (0xFFFF - good + number - 100 + 0x100) & 0xFFFF
        host.send(ours(dst=ELSEWHERE, id=ident, ttl=64 - number % 60) / UDP(sport=1, dport=9))
    sent = [frame for frame in host.fence() if is_udp(frame)]
    assert len(sent) == 200, f"{len(sent)} of 200 packets were forwarded"
    for number, frame in enumerate(sent):
        assert frame[IP].ttl == 63 - number % 60 and frame.dst == PEER_MAC
        assert ones_sum(wire_bytes(frame)[:20]) == 0, f"the checksum of {wire_bytes(frame)[:20].hex()} is wrong"


@item(12)
def a_header_that_contradicts_itself_is_dropped_silently(host: House) -> None:
    """RFC 1122 3.2.1.1, RFC 791 3.1: version, header length, total length."""
    length = len(wire_bytes(ECHO))
    wrong = {"version": [{"version": v} for v in (0, 3, 5, 6, 15)], "header length": [{"ihl": i} for i in (0, 1, 4, 15)],
             "total length": [{"len": n} for n in (0, 1, 19, length + 1, 65535)]}
    with host.counts("IP_VERSION"):
        host.silent(*[to_guest(**fields) / ECHO[ICMP] for fields in wrong["version"]])
    with host.counts("IP_HEADER_LENGTH", "IP_CSUM"):
        host.silent(*[to_guest(**fields) / ECHO[ICMP] for fields in wrong["header length"]])
    with host.counts("IP_TOTAL_LENGTH"):
        host.silent(*[to_guest(**fields) / ECHO[ICMP] for fields in wrong["total length"]])


@item(13)
def an_impossible_source_is_dropped_silently(host: House) -> None:
    """RFC 1122 3.2.1.3: none of these is a source on the wire; the host's own neither (what LAND relied on)."""
    receiver = host.socket()
    port = receiver.bind()
    with host.counts("IP_SOURCE_INVALID", "IP_MARTIAN", "IP_MARTIAN_SOURCE"):
        for source in IMPOSSIBLE:
            host.silent(to_udp(port, src=source), to_udp(9, src=source), ours(source) / ICMP(id=1, seq=1),
                        ours(source, proto=253) / Raw(b"12345678"), ours(source) / TCP(sport=7, dport=7, flags="S"))
    assert receiver.empty(), "a datagram from an impossible source was delivered"


@item(14)
def what_is_for_others_is_dropped_silently(host: House) -> None:
    """RFC 1122 3.2.1.3: a host that is no router neither delivers nor forwards nor complains."""
    receiver = host.socket()
    port = receiver.bind()
    host.knob("net/ipv4/ip_forward", 0)
    for other in ("10.0.2.99", ELSEWHERE, "127.0.0.1", "239.1.2.3", "0.0.0.0"):
        host.silent(ours(dst=other) / UDP(sport=1, dport=port), ours(dst=other) / ICMP(id=1, seq=1),
                    ours(dst=other, ttl=1) / UDP(sport=1, dport=9), ours(dst=other, proto=253) / Raw(b"12345678"))
    assert receiver.empty(), "a packet for another host was delivered"


@item(15)
def options_are_passed_over_and_never_trusted(host: House) -> None:
    """RFC 1122 3.2.1.8, RFC 791 3.1: the data are where IHL says; unknown options are skipped by their length."""
    receiver = host.socket()
    port = receiver.bind()
    for options in (b"\0", b"\1\1\1\0", b"\1" * 40, b"\x5e\x04\xab\xcd", b"\x1e\x08abcdef\1\1\1\0", b"\x5e\x28" + bytes(38), b"\0\xff\xff\xff"):
        packet = to_udp(port, b"behind")
        packet[IP].options = [IPOption(options)]
        host.send(packet)
        assert receiver.receive().data == b"behind", f"options {options.hex()}"
        host.send(to_guest(options=[IPOption(options)]) / ECHO[ICMP])
        reply = host.wait_for(is_echo_reply)
        assert reply is not None and payload(reply) == b"echo" * 10, f"options {options.hex()}"
    for options in (b"\x5e\0\1\1", b"\x5e\1\1\1", b"\x5e\5\1\1", b"\x5e\xff\1\1", b"\1\1\1\x5e", b"\7\0\4\0", b"\x83\3\0\0", b"\x44\x28\5\0"):
        host.send(to_guest(options=[IPOption(options)]) / UDP(sport=1, dport=port) / Raw(b"wrong"))
        answers = host.fence()
        assert all(is_icmp(12)(frame) for frame in answers), f"options {options.hex()} were answered by {answers[0].summary()}"
    while not receiver.empty():
        assert receiver.receive().data != b"wrong", "a datagram with options past the header was delivered"


@item(16)
def a_protocol_that_nobody_has_is_unreachable(host: House) -> None:
    """RFC 1122 3.2.2.1: code 2."""
    for protocol in (253, 254, 99, 255):
        packet = ours(proto=protocol) / Raw(b"12345678")
        error = host.ask(packet, is_icmp(3, 2))
        assert error is not None, f"nothing is said of protocol {protocol}"
        assert quoted(error) == wire_bytes(packet)


@item(23)
def an_id_is_not_used_twice_while_its_packet_may_live(host: House) -> None:
    """RFC 6864 4: unique for (source, destination, protocol) where DF does not make it meaningless; RFC 1191 3: DF by
    IP_MTU_DISCOVER."""
    sender = host.socket()
    sender.set(socket.SOL_IP, IP_MTU_DISCOVER, DONT)
    for _ in range(120):
        sender.send(b"one more", PEER_IP, 9)
    sent = [frame[IP] for frame in host.fence() if is_udp(frame)]
    assert len(sent) == 120 and not any(packet.flags.DF for packet in sent)
    assert len({packet.id for packet in sent}) == 120, "an ID was used twice within 120 packets"
    sender.set(socket.SOL_IP, IP_MTU_DISCOVER, DO)
    sender.send(b"not to be cut", PEER_IP, 9)
    packet = host.wait_for(is_udp)
    assert packet is not None and packet[IP].flags.DF, "IP_PMTUDISC_DO sets no DF"
    try:
        sender.send(bytes(2000), PEER_IP, 9)
        raise AssertionError("2,000 bytes leave uncut over a link of 1,500")
    except Refused as error:
        assert error.errno == errno.EMSGSIZE


@item(24)
def the_time_to_live_is_64_or_what_the_program_wants_never_0(host: House) -> None:
    """RFC 1122 3.2.1.7."""
    sender = host.socket()
    for ttl in (None, 1, 17, 255):
        if ttl:
            sender.set(socket.SOL_IP, IP_TTL, ttl)
        sender.send(b"x", PEER_IP, 9)
        packet = host.wait_for(is_udp)
        assert packet is not None and packet[IP].ttl == (ttl or 64)
    for ttl in (0, 256, -2):
        try:
            sender.set(socket.SOL_IP, IP_TTL, ttl)
            raise AssertionError(f"a time to live of {ttl} is taken")
        except Refused as error:
            assert error.errno == errno.EINVAL
    connection = host.socket(1).connect(PEER_IP, 80)
    syn = host.wait_for(is_tcp)
    assert connection and syn is not None and syn[IP].ttl == 64
    host.send(ours() / TCP(sport=80, dport=syn[TCP].sport, flags="RA", ack=syn[TCP].seq + 1))
    assert host.ask(to_guest(ttl=1) / ECHO[ICMP], is_echo_reply) is not None, "what has arrived needs no time to live"


@item(26)
def what_is_for_the_host_itself_is_not_on_the_wire(host: House) -> None:
    """RFC 1122 3.2.1.3(g): 127/8 never leaves, nor does what is for an own address."""
    receiver, sender = host.socket(), host.socket()
    port = receiver.bind()
    for target in ("127.0.0.1", "127.0.0.5", "127.255.255.254", GUEST_IP):
        sender.send(target.encode(), target, port)
        assert receiver.receive().data == target.encode()
    bound = host.socket()
    bound.bind("127.0.0.1")
    try:
        bound.send(b"from 127.0.0.1", PEER_IP, 9)
    except Refused:
        pass
    said = [frame for frame in host.fence() if is_udp(frame)]
    assert not said, f"on the wire: {said[0].summary()}"
    host.silent(ours(dst="127.0.0.1") / UDP(sport=1, dport=port), ours("127.0.0.1") / UDP(sport=1, dport=port))
    assert receiver.empty()
