"""The virtual kernel as a library (sim/towpath.h), used as an outside test suite uses it: frames in and out, system calls."""
import errno
import socket
import struct
import subprocess
from collections.abc import Iterator
from ctypes import addressof, create_string_buffer
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from grade.vkernel import Host, host
from sim.towpath import Process, sockaddr

PEER, SECOND = "10.0.0.9", 10**9
O_NONBLOCK = 0o4000


@pytest.fixture
def machine() -> Iterator[Host]:
    with host() as machine:
        yield machine


def listener(machine: Host, process: Process, port: int = 80) -> int:
    fd = process.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    assert process.call("bind", fd, sockaddr("0.0.0.0", port), 16) == 0
    assert process.call("listen", fd, 5) == 0
    return fd


def handshake(machine: Host, port: int = 80) -> tuple[IP, IP]:
    """Open a connection as a client would; the packet to build on, and the SYN+ACK."""
    machine.send(IP(src=PEER, dst=machine.address) / TCP(sport=1234, dport=port, flags="S", seq=1000, window=65535))
    answer = machine.take()
    assert answer is not None and answer[TCP].flags == "SA" and answer[TCP].ack == 1001
    packet = IP(src=PEER, dst=machine.address) / TCP(sport=1234, dport=port, flags="A", seq=1001, ack=answer[TCP].seq + 1, window=65535)
    machine.send(packet)
    return packet, answer


def test_an_echo_request_is_answered_at_its_virtual_time(machine: Host) -> None:
    machine.send(IP(src=PEER, dst=machine.address) / ICMP(id=7, seq=3) / b"hello", when=5 * SECOND)
    assert machine.take() is None
    machine.tp.run_until(4 * SECOND)
    assert machine.take() is None
    machine.tp.run_until(5 * SECOND)
    answer = machine.take()
    assert answer is not None and answer.time == 5.0
    assert (answer[IP].dst, answer[ICMP].type, answer[ICMP].id, answer[ICMP].load) == (PEER, 0, 7, b"hello")


def test_a_blocking_call_waits_until_a_packet_completes_it(machine: Host) -> None:
    process = machine.process()
    fd = listener(machine, process)
    accepting = process.begin("accept", fd, 0, 0)
    assert not accepting.done()
    packet, _ = handshake(machine)
    connection = accepting.result()
    buffer = create_string_buffer(100)
    reading = process.begin("read", connection, buffer, 100)
    assert not reading.done()
    data = packet.copy()
    data[TCP].flags = "PA"
    machine.send(data / b"GET /")
    assert reading.result() == 5 and buffer.raw[:5] == b"GET /"
    acknowledged = machine.take()  # at once, for the connection is young
    assert acknowledged is not None and not acknowledged[TCP].payload and acknowledged[TCP].ack == 1006
    assert process.call("write", connection, b"200", 3) == 3
    answer = machine.take()
    assert answer is not None and bytes(answer[TCP].payload) == b"200" and answer[TCP].ack == 1006


def test_poll_reports_what_holds_and_waits_for_the_rest(machine: Host) -> None:
    process = machine.process()
    fd = listener(machine, process)
    other = process.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    polled = create_string_buffer(struct.pack("<ihhihhihh", fd, 1, 0, other, 4, 0, 999, 1, 0))
    assert process.call("poll", polled, 3, -1) == 2
    assert struct.unpack("<ihhihhihh", polled.raw[:24]) == (fd, 1, 0, other, 4, 4, 999, 1, 0x20)
    alone = create_string_buffer(struct.pack("<ihh", fd, 1, 0))
    start = machine.tp.now()
    assert process.call("poll", alone, 1, 250) == 0
    assert machine.tp.now() - start == 250_000_000
    waiting = process.begin("poll", alone, 1, -1)
    assert not waiting.done()
    handshake(machine)
    assert waiting.result() == 1
    assert struct.unpack("<ihh", alone.raw[:8]) == (fd, 1, 1)


def fd_set(*fds: int) -> bytes:
    return sum(1 << fd for fd in fds).to_bytes(128, "little")


def test_select_tells_of_three_sets_and_waits(machine: Host) -> None:
    process = machine.process()
    listening, datagrams = listener(machine, process), process.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    most = datagrams + 1
    readable, writable = (create_string_buffer(fd_set(listening, datagrams), 128) for _ in range(2))
    assert process.call("select", most, readable, writable, 0, 0) == 1
    assert (readable.raw, writable.raw) == (fd_set(), fd_set(datagrams))
    readable = create_string_buffer(fd_set(listening, datagrams), 128)
    assert process.call("select", most, readable, 0, 0, struct.pack("<qq", 2, 500_000)) == 0
    assert machine.tp.now() == 2_500_000_000 and readable.raw == fd_set()
    readable = create_string_buffer(fd_set(listening), 128)
    waiting = process.begin("pselect6", most, readable, 0, 0, 0, 0)
    assert not waiting.done()
    handshake(machine)
    assert waiting.result() == 1 and readable.raw == fd_set(listening)
    assert process.call("select", 900, fd_set(899), 0, 0, 0) == -errno.EBADF
    assert process.call("select", -1, 0, 0, 0, 0) == -errno.EINVAL
    assert process.call("select", most, 8, 0, 0, 0) == -errno.EFAULT
    assert process.call("select", 0, 0, 0, 0, struct.pack("<qq", 0, 1_000_000)) == -errno.EINVAL
    polled = struct.pack("<ihh", listening, 4, 0)
    assert process.call("ppoll", polled, 1, struct.pack("<qq", 1, 0), 0, 0) == 0
    assert machine.tp.now() == 3_500_000_000


def test_a_pair_of_local_sockets_talks(machine: Host) -> None:
    process, fds, got = machine.process(), create_string_buffer(8), create_string_buffer(9)
    assert process.call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, fds) == 0
    left, right = struct.unpack("<ii", fds.raw)
    assert process.call("write", left, b"pair", 4) == 4
    assert process.call("read", right, got, 9) == 4 and got.value == b"pair"
    assert process.call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, 8) == -errno.EFAULT
    assert process.call("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0) == right + 1, "the descriptors of a pair that failed are free"



def test_an_interrupted_call_ends_with_eintr(machine: Host) -> None:
    process = machine.process()
    accepting = process.begin("accept", listener(machine, process), 0, 0)
    accepting.interrupt()
    assert accepting.result() == -errno.EINTR


def test_a_call_that_nothing_can_complete_says_so(machine: Host) -> None:
    process = machine.process()
    assert process.call("accept", listener(machine, process), 0, 0) == -errno.EDEADLK


def test_descriptors_are_those_of_linux(machine: Host) -> None:
    process = machine.process()
    fd = process.call("socket", socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
    assert process.call("fcntl", fd, 3, 0) & O_NONBLOCK
    copy = process.call("dup", fd)
    assert copy == fd + 1
    assert process.call("close", fd) == 0
    assert process.call("close", fd) == -errno.EBADF
    assert process.call("recvfrom", copy, create_string_buffer(10), 10, 0, 0, 0) == -errno.EAGAIN
    assert process.call("recvfrom", fd, create_string_buffer(10), 10, 0, 0, 0) == -errno.EBADF


def test_a_child_keeps_the_socket_open_and_the_last_end_closes_it(machine: Host) -> None:
    process = machine.process()
    fd = listener(machine, process)
    handshake(machine)
    connection = process.call("accept", fd, 0, 0)
    child = process.fork()
    assert process.call("close", connection) == 0
    assert machine.take() is None
    assert child.call("write", connection, b"x", 1) == 1
    written = machine.take()
    assert written is not None and bytes(written[TCP].payload) == b"x"
    child.exit()
    closing = machine.take()
    assert closing is not None and "F" in closing[TCP].flags


def test_datagrams_carry_their_addresses(machine: Host) -> None:
    process = machine.process()
    fd = process.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    assert process.call("bind", fd, sockaddr("0.0.0.0", 7), 16) == 0
    machine.send(IP(src=PEER, dst=machine.address) / UDP(sport=99, dport=7) / b"ping")
    buffer, address, length = create_string_buffer(10), create_string_buffer(16), create_string_buffer(struct.pack("<i", 16))
    assert process.call("recvfrom", fd, buffer, 10, 0, address, length) == 4
    assert address.raw[:16] == sockaddr(PEER, 99)
    assert process.call("sendto", fd, b"pong", 4, 0, sockaddr(PEER, 98), 16) == 4
    answer = machine.take()
    assert answer is not None and (answer[UDP].dport, bytes(answer[UDP].payload)) == (98, b"pong")


def test_a_message_brings_its_control_messages_and_no_more(machine: Host) -> None:
    process = machine.process()
    fd = process.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    assert process.call("bind", fd, sockaddr("0.0.0.0", 7), 16) == 0
    data, control = create_string_buffer(10), create_string_buffer(64)
    vector = create_string_buffer(struct.pack("<QQ", addressof(data), 10))

    def receive() -> tuple[int, bytes]:
        header = create_string_buffer(struct.pack("<QI4xQQQQi4x", 0, 0, addressof(vector), 1, addressof(control), 64, 0))
        machine.send(IP(src=PEER, dst=machine.address, ttl=33) / UDP(sport=99, dport=7) / b"x")
        assert process.call("recvmsg", fd, header, 0) == 1
        length = struct.unpack_from("<Q", header.raw, 40)[0]
        return length, control.raw[:length]

    assert receive()[0] == 0
    ip_recvttl, ip_ttl = 12, 2
    assert process.call("setsockopt", fd, socket.SOL_IP, ip_recvttl, struct.pack("<i", 1), 4) == 0
    assert receive() == (24, struct.pack("<Qiii4x", 20, socket.SOL_IP, ip_ttl, 33))


def test_counters_are_the_files_of_proc_net(machine: Host) -> None:
    machine.send(IP(src=PEER, dst=machine.address) / ICMP())
    rows = [line.split() for line in machine.proc_net("snmp").splitlines() if line.startswith("Icmp:")]
    assert dict(zip(rows[0], rows[1]))["InEchos"] == "1"
    with pytest.raises(FileNotFoundError):
        machine.proc_net("no-such-file")


def test_bad_configuration_is_refused(machine: Host) -> None:
    for address in ("10.0.0.1/33", "10.0.0", "10.0.0.1/", "10.0.0.1/x", "300.0.0.1/8", ""):
        with pytest.raises(OSError, match="Invalid argument"):
            machine.tp.address_set(machine.kernel, b"tun0", address.encode())
    with pytest.raises(OSError, match="No such device"):
        machine.tp.address_set(machine.kernel, b"eth7", b"10.0.0.1/8")
    with pytest.raises(OSError, match="File exists"):
        machine.tp.device_add(machine.kernel, b"tun0", machine.wire, None)
    with pytest.raises(OSError, match="Message too long"):
        machine.tp.inject(machine.port, 0, bytes(4000), 4000)


@pytest.mark.parametrize("flavour", ["libtowpath", "libtowpath-asan"])
def test_the_same_seed_gives_the_same_capture(tmp_path: Path, flavour: str) -> None:
    """The example program: a lossy megabyte, twice with one seed and once with another; ASan finds no leak."""
    def run(seed: int, name: str) -> tuple[str, bytes]:
        capture = tmp_path / name
        done = subprocess.run([f"build/{flavour}-transfer", str(seed), capture], capture_output=True, text=True, check=True)
        return done.stdout, capture.read_bytes()

    first, again, other = run(1, "first"), run(1, "again"), run(2, "other")
    assert first == again
    assert first != other
    assert first[0].startswith("1048576 bytes")


def test_a_knob_is_read_and_set(machine: Host) -> None:
    """And acts: what is sent next has that time to live."""
    name, text = b"net/ipv4/ip_default_ttl", create_string_buffer(64)
    assert machine.tp.knob_get(machine.kernel, name, text, len(text)) > 0 and text.value.strip() == b"64"
    machine.tp.knob_set(machine.kernel, name, b"17")
    machine.send(IP(src=PEER, dst=machine.address) / ICMP(id=1, seq=1))
    answer = machine.take()
    assert answer is not None and answer[IP].ttl == 17
    for path, value, error in ((name, b"0", errno.EINVAL), (b"net/ipv4/nonsense", b"1", errno.ENOENT)):
        with pytest.raises(OSError) as refused:
            machine.tp.knob_set(machine.kernel, path, value)
        assert refused.value.errno == error
