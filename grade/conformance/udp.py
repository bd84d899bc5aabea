"""grade/conformance/udp.py - checklist 35 to 41: datagrams, ports, and what a program sees of them."""
import errno
import socket
from collections.abc import Callable

from scapy.layers.inet import UDP
from scapy.packet import Packet

from grade.conformance.house import SECOND_IP, SECOND_MAC, House, is_icmp, is_udp, ours, payload, to_udp, wire_bytes
from grade.conformance.icmp import error_about, sent_by
from grade.conformance.items import item
from grade.conformance.sockets import Refused, Socket
from grade.wire import BROADCAST, GUEST_IP, PEER_IP, ones_sum

RANGE = "net/ipv4/ip_local_port_range"


def listening(host: House, address: str = "0.0.0.0", port: int = 0) -> tuple[Socket, int]:
    receiver = host.socket()
    return receiver, receiver.bind(address, port)


def refused(call: Callable[[], object]) -> int:
    """The errno of a call that must fail; 0 if it does not."""
    try:
        call()
        return 0
    except Refused as error:
        return error.errno or 0


@item(35)
def a_checksum_is_verified_and_never_sent_as_zero(host: House) -> None:
    """RFC 768, RFC 1122 4.1.3.4: zero on the wire is "none"; one that computes to zero is sent as all ones."""
    receiver, port = listening(host)
    with host.counts("UDP_CSUM"):
        for wrong in (1, 0x1234, 0xFFFF):
            host.silent(to_udp(port, chksum=wrong))
    assert receiver.empty(), "a datagram with a wrong checksum was delivered"
    host.send(to_udp(port, b"none", chksum=0))
    assert receiver.receive().data == b"none"
    sender, source = listening(host)
    sender.send(b"\0\0", PEER_IP, 9)
    frame = host.wait_for(is_udp)
    assert frame is not None and frame[UDP].chksum not in (0, None), "a datagram without a checksum"
    filler = frame[UDP].chksum.to_bytes(2, "big")  # added to the data, it makes the sum all ones and its complement zero
    sender.send(filler, PEER_IP, 9)
    frame = host.wait_for(is_udp)
    assert frame is not None and frame[UDP].chksum == 0xFFFF, f"a checksum that computes to zero is sent as {frame[UDP].chksum:#x}"
    assert source and ones_sum(wire_bytes(frame)[12:20] + b"\0\x11\0\x0a" + wire_bytes(frame)[20:]) == 0


@item(36)
def the_length_is_held_against_the_packets(host: House) -> None:
    """RFC 768: less than the header, or more than the packet has, is dropped; what lies behind it is not the datagram's."""
    receiver, port = listening(host)
    with host.counts("UDP_LENGTH"):
        for length in (0, 7, 13, 100, 65535):
            host.silent(to_udp(port, b"1234", len=length, chksum=0))
    host.silent(*[ours(proto=17) / bytes(length) for length in (0, 1, 7)])
    assert receiver.empty(), "a datagram with a wrong length was delivered"
    host.send(to_udp(port, b"head and more", len=8 + 4, chksum=0))
    assert receiver.receive().data == b"head"


@item(37)
def a_port_that_nobody_has_is_unreachable(host: House) -> None:
    """RFC 1122 4.1.3.1; 3.2.2: not when it was sent to all."""
    error = host.ask(to_udp(9), is_icmp(3, 3))
    assert error is not None, "no error"
    for address in ("10.0.2.255", "255.255.255.255"):
        host.silent(ours(dst=address, dmac=BROADCAST) / UDP(sport=1, dport=9))
    receiver, port = listening(host)
    host.silent(to_udp(port))
    receiver.close()
    assert host.ask(to_udp(port), is_icmp(3, 3)) is not None, "a port that was closed still takes datagrams"


@item(38)
def a_datagram_may_be_empty(host: House) -> None:
    """RFC 768, POSIX recv(): it is received as 0 bytes, with its source."""
    receiver, port = listening(host)
    host.send(to_udp(port, b"", sport=4321))
    assert receiver.ready(5), "an empty datagram does not wake the receiver"
    message = receiver.receive()
    assert (message.length, message.source) == (0, (PEER_IP, 4321))
    assert receiver.empty(), "it was received twice"
    receiver.send(b"", PEER_IP, 9)
    frame = host.wait_for(is_udp)
    assert frame is not None and frame[UDP].len == 8, "an empty datagram is not sent"


@item(39)
def a_datagram_tells_its_source_and_a_peer_is_kept_to(host: House) -> None:
    """RFC 1122 4.1.3.5, 4.1.3.3, 4.1.4: a connected socket hears its peer alone, and of errors on the next call, once."""
    receiver, port = listening(host)
    for source, mac, sport in ((PEER_IP, None, 1234), (SECOND_IP, SECOND_MAC, 65535)):
        host.send(to_udp(port, source.encode(), sport, source, mac or host.hosts[PEER_IP]))
        message = receiver.receive()
        assert (message.data, message.source) == (source.encode(), (source, sport))
    receiver.connect(PEER_IP, 9)
    host.send(to_udp(port, b"other host", 9, SECOND_IP, SECOND_MAC))
    host.send(to_udp(port, b"other port", 10))
    host.send(to_udp(port, b"peer", 9))
    assert receiver.receive().data == b"peer", "a connected socket hears others, too"
    host.fence()
    assert receiver.empty()
    for fails in (lambda: receiver.receive(timeout=0), lambda: receiver.send(b"again")):
        host.send(error_about(sent_by(host, receiver)))
        host.fence()
        assert refused(fails) == errno.ECONNREFUSED, "the next call does not fail"
        assert receiver.error() == 0, "the error is told twice"
    unconnected = host.socket()
    unconnected.send(b"x", PEER_IP, 9)
    frame = host.wait_for(is_udp)
    host.send(error_about(wire_bytes(frame)))
    host.fence()
    assert unconnected.error() == 0, "one that is not connected hears of it without having asked (ip(7), IP_RECVERR)"


@item(40)
def a_datagram_is_received_whole_or_cut_never_joined(host: House) -> None:
    """RFC 768; POSIX recv(): what does not fit is lost, MSG_TRUNC says so."""
    receiver, port = listening(host)
    for data in (b"0123456789", b"second", b"third", b"fourth"):
        host.send(to_udp(port, data))
    host.fence()
    message = receiver.receive(4)
    assert (message.data, message.length, message.truncated) == (b"0123", 4, True)
    message = receiver.receive(3, flags=socket.MSG_TRUNC)
    assert (message.data, message.length, message.truncated) == (b"sec", 6, True)
    assert receiver.receive(flags=socket.MSG_PEEK).data == b"third"
    message = receiver.receive(5)
    assert (message.data, message.truncated) == (b"third", False)
    assert receiver.receive(100).data == b"fourth" and receiver.empty()


@item(41)
def a_port_has_one_owner_and_free_ones_are_given_at_random(host: House) -> None:
    """RFC 6056 3: not to be guessed; RFC 1122 4.1.3.5, POSIX bind(): EADDRINUSE; the most specific owner is meant."""
    anyone, port = listening(host)
    assert refused(lambda: host.socket().bind("0.0.0.0", port)) == errno.EADDRINUSE
    assert refused(lambda: host.socket().bind(GUEST_IP, port)) == errno.EADDRINUSE
    anyone.close()
    ports = [listening(host)[1] for _ in range(40)]
    low, high = map(int, host.knob(RANGE).split())
    steps = {after - before for before, after in zip(ports, ports[1:])}
    assert len(set(ports)) == 40 and all(low <= port <= high for port in ports)
    assert len(steps) > 30, f"ports in a row: {ports[:5]}"
    for order in (("wildcard", "own", "connected"), ("connected", "own", "wildcard")):
        most_specific(host, order)


def most_specific(host: House, order: tuple[str, ...]) -> None:
    """Three who share a port, bound in this order: each hears what is meant for it."""
    sharing, port = {name: host.socket() for name in order}, 0
    for name in order:
        sharing[name].set(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = sharing[name].bind("0.0.0.0" if name == "wildcard" else GUEST_IP, port)
    sharing["connected"].connect(PEER_IP, 9)
    host.send(to_udp(port, b"peer", 9))
    host.send(to_udp(port, b"other", 10))
    host.send(ours(dst="10.0.2.255", dmac=BROADCAST) / UDP(sport=11, dport=port) / b"all")
    got = {name: one.receive().data for name, one in sharing.items()}
    assert got == {"wildcard": b"all", "own": b"other", "connected": b"peer"}
    for one in sharing.values():
        one.close()
