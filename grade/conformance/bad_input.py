"""grade/conformance/bad_input.py - items B1 to B9: what attacked hosts once; dropped, counted by its cause, never answered wrongly."""
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

from grade.conformance.fragments import MF, OVERDUE, echo, joined, part, parts, receive_whole
from grade.conformance.house import House, from_bytes, is_echo_reply, ours, to_udp, wire_bytes
from grade.conformance.items import item
from grade.wire import GUEST_IP, PEER_IP, ones_sum, to_guest

TIME = "net/ipv4/ipfrag_time"
SOURCES = ("IP_SOURCE_INVALID", "IP_MARTIAN", "IP_MARTIAN_SOURCE")


@item("B1")
def land(host: House) -> None:
    """RFC 1122 3.2.1.3: a SYN, a datagram and a ping from the host's own address and port."""
    listener = host.socket(1)
    port = listener.bind()
    listener.call(50, 8)  # listen(2)
    with host.counts(*SOURCES):
        host.silent(ours(GUEST_IP) / TCP(sport=port, dport=port, flags="S"), ours(GUEST_IP) / UDP(sport=port, dport=port),
                    ours(GUEST_IP) / ICMP(id=1, seq=1))


@item("B2")
def teardrop(host: House) -> None:
    """RFC 1858, RFC 791 3.2: a second part that lies within the first, so that its length comes out negative."""
    host.knob(TIME, 1)
    receiver = host.socket()
    port = receiver.bind()
    whole = to_udp(port, bytes(100))
    whole[IP].id = 242
    with host.counts("FRAG_BAD", "FRAG_OVERLAP"):
        host.silent(part(whole, 0, 56, more=True), part(whole, 24, 28, more=False), but=OVERDUE)
    assert receiver.empty()


@item("B3")
def ping_of_death(host: House) -> None:
    """RFC 791 3.1: parts that end behind 65,535."""
    host.knob(TIME, 1)
    for start in range(0, 65120, 1480):
        host.send(ours(id=666, proto=1, frag=start // 8, flags=MF) / Raw(bytes(1480)))
    with host.counts("FRAG_BAD"):
        host.silent(ours(id=666, proto=1, frag=65120 // 8) / Raw(bytes(1480)), but=OVERDUE)


@item("B4")
def options_of_no_length(host: House) -> None:
    """RFC 791 3.1, RFC 1122 3.2.1.8: walked by their lengths, they never end; or they end behind the header."""
    with host.counts("IP_OPTIONS"):
        for options in (b"\x44\0\0\0", b"\x44\1\0\0", b"\x82\0\0\0", b"\7\x28\4\0", b"\1\1\1\7"):
            host.send(with_options(wire_bytes(to_guest() / ICMP(id=1, seq=1)), options))
            assert not any(is_echo_reply(frame) for frame in host.fence()), options.hex()


@item("B5")
def headers_shorter_than_headers(host: House) -> None:
    """RFC 791 3.1: an IHL below 5; TCP's data offset below 5 (RFC 9293 3.1); UDP and ICMP cut short."""
    with host.counts("IP_HEADER_LENGTH"):
        host.silent(*[to_guest(ihl=words) / ICMP(id=1, seq=1) for words in range(5)])
    with host.counts("TCP_HEADER_LENGTH", "TCP_SHORT"):
        host.silent(*[to_guest() / TCP(sport=1, dport=7, dataofs=words, flags="S") for words in range(1, 5)])
    host.silent(*[to_guest(proto=protocol) / Raw(bytes(n)) for protocol in (6, 17) for n in (0, 1, 7)])


@item("B6")
def lengths_other_than_the_frames(host: House) -> None:
    """RFC 791 3.1, RFC 1122 2.3.3: a total length beyond the frame, or within its own header."""
    packet = wire_bytes(to_guest() / ICMP(id=1, seq=1) / Raw(bytes(100)))
    with host.counts("IP_TOTAL_LENGTH"):
        host.silent(*[to_guest(len=length) / ICMP(id=1, seq=1) / Raw(bytes(100)) for length in (0, 19, 129, 1500, 65535)])
    host.silent(*[from_bytes(packet[:length]) for length in (20, 21, 27, 60, 127)])


@item("B7")
def sources_that_speak_for_many(host: House) -> None:
    """RFC 1122 3.2.1.3, 3.2.2: smurf and fraggle: broadcast, group and loopback sources, echo to all."""
    with host.counts(*SOURCES):
        for source in ("255.255.255.255", "10.0.2.255", "224.0.0.1", "127.0.0.1", "0.0.0.0"):
            host.silent(ours(source) / ICMP(id=1, seq=1), to_udp(7, src=source), ours(source) / TCP(sport=1, dport=7, flags="S"))
    with host.counts("ICMP_BROADCAST"):
        host.silent(ours(dst="10.0.2.255", dmac="ff:ff:ff:ff:ff:ff") / ICMP(id=1, seq=1))


@item("B8")
def checksums_that_are_wrong(host: House) -> None:
    """RFC 1122 3.2.1.2, 3.2.2, 4.1.3.4, RFC 9293 3.1: of IP, ICMP, UDP and TCP."""
    for cause, frame in (("IP_CSUM", to_guest(chksum=0x1234) / ICMP(id=1, seq=1)), ("ICMP_CSUM", to_guest() / ICMP(id=1, seq=1, chksum=0x1234)),
                         ("UDP_CSUM", to_udp(9, chksum=0x1234)), ("TCP_CSUM", to_guest() / TCP(dport=7, flags="S", chksum=0x1234))):
        with host.counts(cause):
            host.silent(frame)


@item("B9", slow=True)
def the_largest_datagram_in_the_smallest_parts(host: House) -> None:
    """RFC 791 3.2, RFC 815: 65,515 bytes in parts of eight; put together, or dropped and counted; never a wrong answer."""
    host.knob(TIME, 2)
    data = host.chance.randbytes(65507)
    request = wire_bytes(echo(data, 77))
    before = sum(host.drops().values())
    for start in range(0, len(request) - 20, 8):
        flags = MF if start + 8 < len(request) - 20 else 0
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(request[20 + start:28 + start]), 77, flags << 13 | start // 8, 64, 1, 0)
        host.send(from_bytes(summed(header + request[12:20]) + request[20 + start:28 + start]))
    answer = [frame for frame in host.fence() if IP in frame and frame[IP].proto == 1 and not OVERDUE(frame)]
    if answer:
        assert joined(answer)[8:] == data and answer[0][IP].dst == PEER_IP, "a wrong answer"
    else:
        assert sum(host.drops().values()) > before, "neither answered nor counted"
        host.wait(3)
        host.fence()


def with_options(packet: bytes, options: bytes) -> bytes:
    """A frame with these between the header and the rest of a packet."""
    length = struct.pack("!H", len(packet) + len(options))
    header = bytes([0x45 + len(options) // 4]) + packet[1:2] + length + packet[4:10] + b"\0\0" + packet[12:20] + options
    return from_bytes(summed(header) + packet[20:])


def summed(header: bytes) -> bytes:
    return header[:10] + struct.pack("!H", ones_sum(header)) + header[12:]
