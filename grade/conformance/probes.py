"""grade/conformance/probes.py - items P1 to P8: what port scanners send to learn what a host is; answered as the RFCs say, and survived."""
from collections.abc import Iterable

from scapy.layers.inet import ICMP, TCP, UDP
from scapy.packet import Packet, Raw

from grade.conformance.house import House, is_icmp, ours, payload, quoted, to_udp, wire_bytes
from grade.conformance.icmp import GROUP, GROUP_MAC
from grade.conformance.items import item
from grade.conformance.sockets import LISTEN, Socket
from grade.wire import BROADCAST

CLOSED = 4000
SEQ, ACK = 1000, 77777
SCANS = ("", "F", "FPU", "P", "U", "FSRPAU", "FA", "A", "SF", "SFPU", "SR", "R", "RA", "SA", "SEC")


def is_tcp(frame: Packet) -> bool:
    return TCP in frame and ICMP not in frame


def probe(port: int, flags: str, **fields: object) -> Packet:
    return ours() / TCP(**{"sport": 41000, "dport": port, "flags": flags, "seq": SEQ, "ack": ACK if "A" in flags else 0, **fields})


def listening(host: House) -> tuple[Socket, int]:
    listener = host.socket(1)
    port = listener.bind()
    listener.call(LISTEN, 16)
    return listener, port


def answer(host: House, frame: Packet | bytes) -> TCP | None:
    """The one segment that it is answered with, or None."""
    host.send(frame)
    said = [frame for frame in host.fence() if is_tcp(frame)]
    assert len(said) <= 1, f"{len(said)} answers"
    return said[0][TCP] if said else None


def forget(host: House, opened: Iterable[TCP]) -> None:
    """Reset what our SYNs have half opened."""
    for tcp in opened:
        host.send(ours() / TCP(sport=tcp.dport, dport=tcp.sport, flags="R", seq=tcp.ack))


@item("P1")
def odd_flags_to_a_closed_port(host: House) -> None:
    """RFC 9293 3.10.7.1, 3.5.2: RST for all but RST; its numbers follow from ours, SYN and FIN count one each."""
    for flags in SCANS:
        tcp, length = answer(host, probe(CLOSED, flags)), ("S" in flags) + ("F" in flags)
        if "R" in flags:
            assert tcp is None, f"a reset ({flags}) was answered"
        elif "A" in flags:
            assert tcp is not None and (str(tcp.flags), tcp.seq) == ("R", ACK), f"flags {flags or 'none'}"
        else:
            assert tcp is not None and (str(tcp.flags), tcp.seq, tcp.ack) == ("RA", 0, SEQ + length), f"flags {flags or 'none'}"


@item("P2")
def odd_flags_to_an_open_port(host: House) -> None:
    """RFC 9293 3.10.7.2: RST is ignored, ACK is reset, SYN is answered, anything else is dropped."""
    _, port = listening(host)
    for flags in SCANS:
        tcp = answer(host, probe(port, flags, sport=42000 + len(flags)))
        if "R" in flags or ("A" not in flags and "S" not in flags):
            assert tcp is None, f"flags {flags or 'none'} were answered by {tcp.flags}"
        elif "A" in flags:
            assert tcp is not None and (str(tcp.flags), tcp.seq) == ("R", ACK), f"flags {flags}"
        elif tcp is not None:  # SYN with others: to take it as a SYN, or to drop it, are both seen
            assert tcp.flags.S and tcp.flags.A and tcp.ack == SEQ + 1, f"flags {flags}"
            forget(host, [tcp])


@item("P3")
def a_syn_scan(host: House) -> None:
    """RFC 9293 3.10.7.1, 3.10.7.2: the open port is the one that opens."""
    _, port = listening(host)
    ports = [number for number in range(5000, 5200)] + [port]
    for number in ports:
        host.send(probe(number, "S"))
    said = {frame[TCP].sport: frame[TCP] for frame in host.fence() if is_tcp(frame)}
    assert sorted(said) == sorted(ports), f"{len(said)} of {len(ports)} ports answered"
    assert [number for number, tcp in said.items() if tcp.flags.S] == [port]
    forget(host, [said[port]])


@item("P4")
def syns_with_odd_windows_and_options(host: House) -> None:
    """RFC 9293 3.1, 3.2, 3.7.1, RFC 7323 2.3: taken or dropped, never more than one answer, and the port goes on opening."""
    _, port = listening(host)
    odd = [[("MSS", size)] for size in (0, 1, 87, 65535)] + [[("WScale", shift)] for shift in (0, 14, 15, 255)]
    odd += [[("WScale", 10), ("NOP", None), ("MSS", 265), ("Timestamp", (0xFFFFFFFF, 0)), ("SAckOK", b"")], [("MSS", 265), ("MSS", 1460)]]
    opened = []
    for number, options in enumerate(odd):
        for window in (0, 1, 31337):
            tcp = answer(host, probe(port, "S", sport=43000 + 10 * number + window % 10, window=window, options=options))
            opened += [tcp] if tcp is not None else []
    raw = [b"\2\0\1\1", b"\2\1\1\1", b"\2\5\5\xb4", b"\2\xff\1\1", b"\3\3\1\xfe", b"\xfe", b"\1" * 40, b"\x08\x0a", b"\xfd\x02\xfd\x04\0\0\0\0"]
    for number, options in enumerate(raw):
        tcp = answer(host, with_tcp_options(port, 44000 + number, options + bytes(-len(options) % 4)))
        opened += [tcp] if tcp is not None else []
    forget(host, opened)
    tcp = answer(host, probe(port, "S", sport=45000))
    assert tcp is not None and tcp.flags.S and tcp.flags.A, "the port does not open any more"
    forget(host, [tcp])


def with_tcp_options(port: int, sport: int, options: bytes) -> Packet:
    """Octets of any kind where the options are: Scapy would mend them."""
    return ours() / TCP(sport=sport, dport=port, flags="S", seq=SEQ, dataofs=5 + len(options) // 4) / Raw(options)


@item("P5")
def a_scan_of_the_protocols_above_ip(host: House) -> None:
    """RFC 1122 3.2.2.1: unreachable is what nobody has, and nothing else; one with a header too short is only dropped."""
    known = {1, 2, 6, 17}
    for protocol in range(256):
        host.send(ours(proto=protocol, id=protocol + 1))
    refused = [frame for frame in host.fence() if is_icmp(3, 2)(frame)]
    named = [quoted(frame)[9] for frame in refused]
    assert len(named) == len(set(named)), "two answers to one packet"
    assert set(named) == set(range(256)) - known, f"wrong: {sorted(set(named) ^ (set(range(256)) - known))}"


@item("P6")
def a_scan_of_udp_ports(host: House) -> None:
    """RFC 1122 4.1.3.1: closed ones are told, each with its own datagram quoted; the open one is silent, and has the data."""
    receiver = host.socket()
    port = receiver.bind()
    ports = [number for number in range(6000, 6200) if number != port]
    for number in [*ports, port]:
        host.send(to_udp(number, b""))
    told = [int.from_bytes(quoted(frame)[22:24], "big") for frame in host.fence() if is_icmp(3, 3)(frame)]
    assert sorted(told) == ports
    assert receiver.receive().length == 0


@item("P7")
def questions_by_icmp(host: House) -> None:
    """RFC 792, RFC 1122 3.2.2.6 to 3.2.2.9: echo whatever its code; information and masks are not told by a host."""
    for code in (0, 9):
        reply = answer_by_icmp(host, ICMP(type=8, code=code, id=5, seq=295) / Raw(bytes(120)))
        assert reply is not None and reply[ICMP].type == 0 and payload(reply) == bytes(120)
    reply = answer_by_icmp(host, ICMP(type=13, id=5, seq=6, ts_ori=1, ts_rx=0, ts_tx=0))
    if reply is not None:  # may be left out: RFC 1122 3.2.2.8
        body = wire_bytes(reply)[20:]
        assert reply[ICMP].type == 14 and len(body) == 20 and body[4:12] == b"\0\5\0\6\0\0\0\1"
    for kind in (10, 15, 17, 30, 37, 42, 255):
        assert answer_by_icmp(host, ICMP(type=kind) / Raw(bytes(16))) is None, f"a question of type {kind} was answered"


def answer_by_icmp(host: House, question: Packet) -> Packet | None:
    host.send(ours() / question)
    said = [frame for frame in host.fence() if ICMP in frame]
    assert len(said) <= 1
    return said[0] if said else None


@item("P8")
def connections_with_all(host: House) -> None:
    """RFC 9293 3.9.2.3 (MUST-57), RFC 1122 4.2.3.10: a SYN to a broadcast or group, or from one, is dropped silently."""
    _, port = listening(host)
    segment = TCP(sport=46000, dport=port, flags="S", seq=SEQ)
    for number in (port, CLOSED):
        segment.dport = number
        for address, mac in (("10.0.2.255", BROADCAST), ("255.255.255.255", BROADCAST), (GROUP, GROUP_MAC)):
            host.silent(ours(dst=address, dmac=mac) / segment)
        host.silent(ours("10.0.2.255") / segment, ours("224.0.0.1") / segment)
    host.silent(ours(dmac=BROADCAST, proto=17) / UDP(sport=1, dport=CLOSED))
