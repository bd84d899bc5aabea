"""grade/conformance/fragments.py - checklist 17 to 22, 25 and 27: datagrams in parts, both ways."""
import itertools
import re
from collections.abc import Iterable

from scapy.layers.inet import ICMP, IP, UDP, IPOption
from scapy.packet import Packet, Raw

from grade.conformance.house import SECOND_IP, SECOND_MAC, House, is_echo_reply, is_icmp, ours, payload, quoted, to_udp, wire_bytes
from grade.conformance.items import item
from grade.conformance.sockets import Refused, Socket, set_mtu
from grade.wire import GUEST_IP, PEER_IP, PEER_MAC, ones_sum, to_guest

MF, DF = 1, 2
MTU = 1500
TIME, HIGH = "net/ipv4/ipfrag_time", "net/ipv4/ipfrag_high_thresh"
OVERDUE = is_icmp(11, 1)  # told of parts that an item left lying about
PERIOD = 251  # a prime, so that parts that changed places are seen
Part = tuple[int, int]


def part(whole: Packet, start: int, end: int, more: bool | None = None) -> Packet:
    """Bytes start to end of an IP packet's payload as a fragment."""
    data = wire_bytes(whole)[20:]
    fields = {"src": whole[IP].src, "id": whole[IP].id, "proto": whole[IP].proto, "frag": start // 8,
              "flags": MF if (end < len(data) if more is None else more) else 0}
    return ours(smac=whole.src, **fields) / Raw(data[start:end])


def parts(whole: Packet, size: int) -> list[Packet]:
    length = len(wire_bytes(whole)) - 20
    return [part(whole, start, min(start + size, length)) for start in range(0, length, size)]


def echo(data: bytes, ident: int, src: str = PEER_IP, smac: str = PEER_MAC, seq: int = 1) -> Packet:
    return ours(src, smac, id=ident) / ICMP(id=ident, seq=seq) / Raw(data)


def joined(frames: Iterable[Packet]) -> bytes:
    """The payload of the IP packet whose fragments these are."""
    data = bytearray()
    for frame in sorted(frames, key=lambda frame: frame[IP].frag):
        assert frame[IP].frag * 8 == len(data), f"a hole or overlap at {len(data)}"
        data += wire_bytes(frame)[frame[IP].ihl * 4:]
    return bytes(data)


def receive_whole(host: House, timeout: float = 20) -> list[Packet]:
    """The fragments of the next packet of ICMP or UDP to one of ours that is in fragments, or the packet."""
    def wanted(frame: Packet) -> bool:
        return IP in frame and frame[IP].proto in (1, 17) and not frame[IP].dst.startswith("10.0.3.") and not OVERDUE(frame)

    frames: list[Packet] = []
    while not (frames and not frames[-1][IP].flags.MF):
        frame = host.wait_for(wanted, timeout)
        assert frame is not None, f"no more after {len(frames)} fragments"
        frames.append(frame)
    return frames


def fragment_memory(host: House) -> tuple[int, int]:
    """Datagrams in parts, and their bytes."""
    found = re.search(r"FRAG: inuse (\d+) memory (\d+)", host.proc_net("sockstat"))
    assert found, "/proc/net/sockstat does not tell"
    return int(found[1]), int(found[2])


@item(17)
def a_datagram_in_parts_is_put_together(host: House) -> None:
    """RFC 791 3.2, RFC 1122 3.3.2 (576 bytes at least), RFC 815: in any order, with parts that come twice."""
    orders = [*itertools.permutations(range(4)), (3, 2, 2, 1, 3, 1, 0), (0, 0, 1, 2, 2, 3)]
    for number, order in enumerate(orders):
        data = host.chance.randbytes(700)
        pieces = parts(echo(data, 100 + number), 184)
        for index in order:
            host.send(pieces[index])
        replies = [frame for frame in host.fence() if is_echo_reply(frame)]
        assert len(replies) == 1 and payload(replies[0]) == data, f"order {order}: {len(replies)} replies"


@item(18)
def parts_of_different_datagrams_are_kept_apart(host: House) -> None:
    """RFC 791 2.3: by source, destination, protocol and ID."""
    host.knob(TIME, 1)
    receiver = host.socket()
    port = receiver.bind()
    wholes = [echo(b"a" * 600, 7), echo(b"b" * 600, 7, SECOND_IP, SECOND_MAC), echo(b"c" * 600, 8)]
    datagram = to_udp(port, b"d" * 600)
    datagram[IP].id = 7
    for pieces in zip(*[parts(whole, 200) for whole in (*wholes, datagram)]):
        for piece in pieces:
            host.send(piece)
    for piece in (parts(whole, 200)[-1] for whole in (*wholes, datagram)):  # the last, once more
        host.send(piece)
    replies = [frame for frame in host.fence() if is_echo_reply(frame)]
    got = {(frame[IP].dst, frame[ICMP].id): payload(frame) for frame in replies}
    assert got == {(PEER_IP, 7): b"a" * 600, (SECOND_IP, 7): b"b" * 600, (PEER_IP, 8): b"c" * 600}
    assert receiver.receive().data == b"d" * 600


@item(19)
def parts_that_cannot_be_are_dropped(host: House) -> None:
    """RFC 791 3.1: all but the last are multiples of 8; nothing ends behind 65,535 (the ping of death)."""
    host.knob(TIME, 1)
    odd = echo(bytes(300), 20)
    with host.counts("FRAG_BAD"):
        host.send(part(odd, 0, 100, more=True))
        host.silent(part(odd, 96, 308), part(odd, 104, 308), but=OVERDUE)
    for number, (start, length) in enumerate(((65528, 16), (65512, 1000), (65528, 1400), (65504, 16))):
        whole = echo(bytes(64), 30 + number)
        host.send(part(whole, 0, 64, more=True))
        beyond = ours(id=30 + number, proto=1, frag=start // 8) / Raw(bytes(length))
        with host.counts("FRAG_BAD"):
            host.silent(beyond, but=OVERDUE)
    host.silent(*[ours(id=50, proto=1, frag=frag, flags=MF) for frag in (0, 5)], but=OVERDUE)  # of no bytes at all


@item(20)
def parts_that_overlap_are_never_mixed(host: House) -> None:
    """RFC 1858, RFC 3128, RFC 815: by one rule, whatever the order: dropped whole, or all that came first, or last."""
    host.knob(TIME, 1)
    receiver = host.socket()
    port = receiver.bind()
    rules = {"nothing", "first", "last"}
    places = [((0, 104), (96, 200)), ((0, 200), (48, 104)), ((48, 104), (0, 200)), ((96, 200), (0, 104)), ((0, 104), (0, 200))]
    for number, (one, other) in enumerate(places):
        old, new = to_udp(port, b"o" * 288, chksum=0), to_udp(port, b"n" * 288, chksum=0)
        old[IP].id = new[IP].id = 200 + number
        for piece in (part(old, *one), part(new, *other), part(new, 200, 296)):
            host.send(piece)
        host.fence()
        rules &= followed(receiver, one, other)
        assert rules, f"parts {one} and {other} were mixed, or by another rule than those before"


def followed(receiver: Socket, one: Part, other: Part) -> set[str]:
    """The rules by which what was received, old bytes at one and new ones at other, may have been made."""
    try:
        data = receiver.receive(timeout=0).data
    except Refused:
        return {"nothing"}
    start, end = max(one[0], other[0], 8) - 8, min(one[1], other[1]) - 8
    return {{b"o": "first", b"n": "last"}.get(data[start:start + 1], "")} if len(set(data[start:end])) == 1 else set()


@item(21, slow=True)
def what_stays_incomplete_is_given_up_and_told(host: House) -> None:
    """RFC 1122 3.3.2: between 60 s and 120 s (Linux: 30), by the first part's arrival; ICMP 11/1 only with part 0."""
    seconds = int(host.knob(TIME))
    assert 15 <= seconds <= 120, f"the timer is {seconds} s"
    if host.real_time:
        seconds = 4
        host.knob(TIME, seconds)
    told, untold = echo(bytes(600), 300), echo(bytes(600), 301)
    start = host.now()
    host.send(part(untold, 200, 400))
    host.send(part(told, 0, 200))
    host.wait(seconds * 0.7)
    host.send(part(told, 200, 400))  # does not wind the timer up again
    error = host.wait_for(is_icmp(11, 1), seconds)
    assert error is not None, "nothing is said of a datagram of which part 0 came"
    assert seconds * 0.95 <= host.now() - start <= seconds * 1.6, f"after {host.now() - start:.1f} s"
    assert quoted(error)[:28] == wire_bytes(part(told, 0, 200))[:28]
    host.silent(part(told, 400, 608), part(untold, 400, 608), part(untold, 0, 200, more=True), but=OVERDUE)


@item(22, slow=True)
def a_flood_of_first_parts_starves_nobody(host: House) -> None:
    """RFC 1122 3.3.2, RFC 4963: memory is bounded, and an honest datagram in parts still gets through."""
    most = int(host.knob(HIGH))
    host.knob(TIME, 3 if host.real_time else 30)
    honest = parts(echo(bytes(range(256)) * 8, 9), 1400)
    host.send(honest[0])
    flood(host, [SECOND_IP], most, 2400)
    host.send(honest[1])
    assert joined(receive_whole(host))[8:] == bytes(range(256)) * 8, "a flood from one address ends another's datagram"
    flood(host, [f"10.0.3.{number}" for number in range(1, 251)], most, 2400)
    for piece in honest:
        host.send(piece)
    assert joined(receive_whole(host))[8:] == bytes(range(256)) * 8, "an honest datagram does not get through"
    host.wait(4 if host.real_time else 31)
    host.fence()
    assert fragment_memory(host) == (0, 0), "the flood is still held when its time is up"


def flood(host: House, sources: list[str], most: int, count: int) -> None:
    """First parts of datagrams whose rest never comes."""
    for ident in range(count):
        host.send(ours(src=sources[ident % len(sources)], id=ident, proto=17, flags=MF) / Raw(bytes(1400)))
        if ident % 800 == 799:
            _, memory = fragment_memory(host)
            assert memory <= most, f"{memory} bytes are held, {most} are the bound"


@item(25)
def a_datagram_larger_than_the_mtu_is_cut(host: House) -> None:
    """RFC 791 2.3, 3.2, RFC 1122 3.3.3: at multiples of 8, MF on all but the last; 3.1: which options each part has."""
    sender = host.socket()
    for length in (1473, 1480, 2952, 2953, 9000, 65507):
        data = (host.chance.randbytes(PERIOD) * (length // PERIOD + 1))[:length]
        sender.set(0, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
        sender.send(data, PEER_IP, 9)
        frames = receive_whole(host)
        assert joined(frames)[8:] == data and len({frame[IP].id for frame in frames}) == 1
        assert all(len(wire_bytes(frame)) <= MTU and not frame[IP].flags.DF for frame in frames)
        assert ones_sum(pseudo(frames[0], joined(frames))) == 0, "the UDP checksum over all parts is wrong"
    options_of_fragments(host)


def pseudo(frame: Packet, payload_of_all: bytes) -> bytes:
    return wire_bytes(frame)[12:20] + b"\0\x11" + len(payload_of_all).to_bytes(2, "big") + payload_of_all


def options_of_fragments(host: House) -> None:
    """By a router, whose next link is narrower: an option is copied if its type says so (RFC 791 3.1), NOP may take its place."""
    copied, once = b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0\0"  # router alert, record route
    host.knob("net/ipv4/ip_forward", 1)
    set_mtu(host, 576)
    try:
        host.send(ours(dst="192.0.2.1", id=77, options=[IPOption(copied), IPOption(once)]) / UDP(sport=1, dport=9) / Raw(bytes(1000)))
        frames = receive_whole(host)
    finally:
        set_mtu(host, MTU)
    assert len(joined(frames)) == 1008 and all(len(wire_bytes(frame)) <= 576 for frame in frames)
    headers = [wire_bytes(frame)[20:frame[IP].ihl * 4] for frame in frames]
    assert headers[0][:4] == copied and headers[0][4:6] == once[:2], f"the first part's options are {headers[0].hex()}"
    assert all(header.strip(b"\0\1") == copied.strip(b"\0") for header in headers[1:]), f"the second part's options are {headers[1].hex()}"


@item(27)
def an_echo_comes_back_as_it_was(host: House) -> None:
    """RFC 1122 3.2.2.6, RFC 792: ID, sequence number and data, from the address that was asked; large ones in parts."""
    for length in (0, 1, 7, 56, 57, 1471, 1472, 1473, 3000, 9001, 20000):
        data, ident = host.chance.randbytes(length), host.chance.randrange(1, 65536)
        request = echo(data, ident, seq=length % 65536)
        for piece in parts(request, 1480):
            host.send(piece)
        frames = receive_whole(host)
        answer = joined(frames)
        assert answer[:2] == b"\0\0" and ones_sum(answer) == 0
        assert answer[4:8] == wire_bytes(request)[24:28] and answer[8:] == data, f"{length} bytes came back otherwise"
        assert all((frame[IP].src, frame[IP].dst) == (GUEST_IP, PEER_IP) for frame in frames)
    for zeroes in (b"", bytes(8), bytes(9)):  # the sum of nothing but zeroes is all ones (RFC 1071, RFC 1624 3)
        reply = host.ask(to_guest() / ICMP(id=0, seq=0) / Raw(zeroes), is_echo_reply)
        assert reply is not None and ones_sum(wire_bytes(reply)[20:]) == 0, "an echo of zeroes has a wrong checksum"
