"""grade/conformance/icmp.py - checklist 28 to 34: errors, who they are about, who hears of them."""
import errno
from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.packet import Packet, Raw

from grade.conformance.fragments import MF, part
from grade.conformance.house import SECOND_IP, SECOND_MAC, House, is_echo_reply, is_icmp, is_udp, ours, quoted, to_udp, wire_bytes
from grade.conformance.items import item
from grade.conformance.sockets import Socket
from grade.wire import BROADCAST, GUEST_IP, PEER_IP, to_guest

ELSEWHERE = "192.0.2.1"
UNKNOWN = 253  # a protocol that nobody has
GROUP, GROUP_MAC = "224.0.0.1", "01:00:5e:00:00:01"


def is_error(frame: Packet) -> bool:
    return ICMP in frame and frame[ICMP].type in (3, 4, 5, 11, 12)


def is_tcp(frame: Packet) -> bool:
    return TCP in frame and ICMP not in frame


def error_about(packet: bytes, kind: int = 3, code: int = 3, **fields: object) -> Packet:
    """An ICMP error to the host about a packet of its own."""
    return to_guest() / ICMP(type=kind, code=code, **fields) / Raw(packet)


def sent_by(host: House, sender: Socket) -> bytes:
    """A datagram of a connected socket, as it was on the wire."""
    sender.send(b"a datagram")
    frame = host.wait_for(is_udp)
    assert frame is not None, "nothing was sent"
    return wire_bytes(frame)


@item(28)
def an_echo_to_all_is_not_answered(host: House) -> None:
    """RFC 1122 3.2.2.6: it may be discarded, and should (RFC 2644 says why)."""
    for address, mac in (("10.0.2.255", BROADCAST), ("255.255.255.255", BROADCAST), (GROUP, GROUP_MAC)):
        host.silent(ours(dst=address, dmac=mac) / ICMP(id=1, seq=1) / Raw(b"who is there?"))


@item(29)
def no_error_is_sent_about_what_must_not_have_one(host: House) -> None:
    """RFC 1122 3.2.2: not about an ICMP error, a broadcast or group, a later fragment, a source that is none."""
    assert host.ask(ours(proto=UNKNOWN) / Raw(b"12345678"), is_icmp(3, 2)) is not None, "about an ordinary packet there is one"
    for address, mac in (("10.0.2.255", BROADCAST), ("255.255.255.255", BROADCAST), (GROUP, GROUP_MAC), (GUEST_IP, BROADCAST)):
        host.silent(ours(dst=address, dmac=mac, proto=UNKNOWN) / Raw(b"12345678"), ours(dst=address, dmac=mac) / UDP(sport=1, dport=9))
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.2.255"):
        host.silent(ours(source, proto=UNKNOWN) / Raw(b"12345678"))
    host.knob("net/ipv4/ip_forward", 1)
    assert host.ask(ours(dst=ELSEWHERE, ttl=1) / ICMP(id=1, seq=1), is_icmp(11, 0)) is not None, "a router says whose time is up"
    for kind in (3, 4, 5, 11, 12):
        host.silent(ours(dst=ELSEWHERE, ttl=1) / ICMP(type=kind) / Raw(wire_bytes(to_udp(9))))
    host.silent(ours(dst=ELSEWHERE, ttl=1, frag=10, flags=MF, proto=17) / Raw(bytes(64)))


@item(30)
def an_error_quotes_what_it_is_about(host: House) -> None:
    """RFC 1122 3.2.2: the header as it was, 8 bytes at least; RFC 1812 4.3.2.3: up to 576 bytes in all."""
    about = {"short": to_udp(9, b""), "one": to_udp(9, b"x"), "long": to_udp(9, bytes(1400)),
             "options": to_guest(options=[IPOption(b"\1\1\1\0")]) / UDP(sport=1, dport=9) / Raw(b"12345678"),
             "odd fields": to_guest(tos=0x28, id=0xBEEF, ttl=3, flags=2) / UDP(sport=1, dport=9) / Raw(b"12345678")}
    for name, packet in about.items():
        error = host.ask(packet, is_icmp(3, 3))
        assert error is not None, f"{name}: no error"
        sent, told = wire_bytes(packet), quoted(error)
        header = (sent[0] & 15) * 4
        assert told == sent[:len(told)], f"{name}: quoted otherwise than it was sent"
        assert len(told) >= min(len(sent), header + 8), f"{name}: {len(told)} bytes are quoted"
        assert len(wire_bytes(error)) <= 576, f"{name}: an error of {len(wire_bytes(error))} bytes"
        assert (error[IP].src, error[IP].dst) == (GUEST_IP, PEER_IP)


@item(31)
def an_error_is_told_to_the_socket_concerned_and_no_other(host: House) -> None:
    """RFC 1122 3.2.2.1, 4.1.3.3, 4.2.3.9: by the ports that are quoted."""
    expected = {(3, 3): errno.ECONNREFUSED, (3, 1): errno.EHOSTUNREACH, (3, 0): errno.ENETUNREACH, (3, 2): errno.ENOPROTOOPT,
                (11, 0): errno.EHOSTUNREACH, (12, 0): errno.EPROTO}
    concerned, other = host.socket().connect(PEER_IP, 9), host.socket().connect(PEER_IP, 10)
    packet = sent_by(host, concerned)
    for (kind, code), number in expected.items():
        host.send(error_about(packet, kind, code))
        host.fence()
        assert concerned.error() == number, f"ICMP {kind}/{code}"
        assert other.error() == 0
    connecting, waiting = host.socket(1).connect(PEER_IP, 80), host.socket(1).connect(PEER_IP, 81)
    syns = [frame for frame in host.fence() if is_tcp(frame)]
    host.send(error_about(wire_bytes(syns[0])))
    host.fence()
    assert (connecting.error(), waiting.error()) == (errno.ECONNREFUSED, 0)
    host.send(ours() / TCP(sport=81, dport=syns[1][TCP].sport, flags="RA", ack=syns[1][TCP].seq + 1))


@item(32)
def an_error_that_is_no_whole_one_is_dropped(host: House) -> None:
    """RFC 1122 3.2.2: too short a quotation, a wrong checksum, an unknown type; nobody hears of it."""
    sender = host.socket().connect(PEER_IP, 9)
    packet = sent_by(host, sender)
    bad = [error_about(packet[:length]) for length in (0, 1, 19, 20, 27)]
    bad += [error_about(packet, chksum=0x1234), error_about(packet, kind=99), error_about(packet, kind=255)]
    bad += [error_about(bytes([value]) + packet[1:]) for value in (0x44, 0x4F, 0x65, 0x05)]
    bad += [error_about(packet[:12] + b"\xc0\0\2\1" + packet[16:])]  # the host has sent no such packet
    host.silent(*bad)
    assert sender.error() == 0, "the socket heard of an error that is none"
    host.silent(*[to_guest(proto=1) / Raw(bytes(length)) for length in range(8)], *[to_guest(proto=1, flags=MF, id=1) / Raw(b"\3\3")])
    host.send(error_about(packet))
    host.fence()
    assert sender.error() == errno.ECONNREFUSED, "a whole one is told"


@item(33)
def errors_are_not_sent_without_limit(host: House) -> None:
    """RFC 1812 4.3.2.8: a flood of packets makes no flood of errors, and the limit is no silence."""
    for path in ("net/ipv4/icmp_msgs_per_sec", "net/ipv4/icmp_msgs_burst", "net/ipv4/icmp_ratelimit"):
        if path in host.changed:
            host.write_knob(path, host.changed[path])
    frames = [bytes(to_udp(9, b"%d" % number)) for number in range(2000)]
    start = host.now()
    for frame in frames:
        host.send(frame)
    sent = len([frame for frame in host.fence() if is_error(frame)])
    assert 1 <= sent <= 1000, f"{sent} errors about 2,000 packets in {host.now() - start:.2f} s"
    host.wait(2)
    assert host.ask(to_udp(9), is_icmp(3, 3)) is not None, "after the flood there is none any more"


@item(34)
def a_redirect_is_the_routers_alone_and_quench_is_ignored(host: House) -> None:
    """RFC 1122 3.2.2.2: only from the current first hop, to one on this link; RFC 6633 3: source quench is nothing."""
    sender = host.socket().connect(ELSEWHERE, 9)
    packet, way = sent_by(host, sender), host.hosts[PEER_IP]
    false = [redirect(packet, SECOND_IP, SECOND_MAC, "10.0.2.4"), redirect(packet, SECOND_IP, SECOND_MAC, SECOND_IP),
             redirect(packet, PEER_IP, way, "172.16.0.1"), redirect(packet, PEER_IP, way, "10.0.2.255"),
             redirect(packet, PEER_IP, way, GUEST_IP), redirect(packet, PEER_IP, way, "224.0.0.5")]
    for frame in false:
        host.silent(frame)
        assert goes_to(host, sender) == way, f"a redirect by {frame[IP].src} to {frame[ICMP].gw} was obeyed"
    host.silent(to_guest() / ICMP(type=4) / Raw(packet))
    assert sender.error() == 0 and goes_to(host, sender) == way
    host.silent(redirect(packet, PEER_IP, way, SECOND_IP))  # the router's own: obeyed or not, the packet must arrive
    assert goes_to(host, sender) in (way, SECOND_MAC)


def redirect(packet: bytes, by: str, mac: str, to: str) -> Packet:
    return ours(by, mac) / ICMP(type=5, code=1, gw=to) / Raw(packet)


def goes_to(host: House, sender: Socket) -> str:
    sender.send(b"which way?")
    frame = host.wait_for(is_udp)
    assert frame is not None, "nothing was sent"
    return frame.dst
