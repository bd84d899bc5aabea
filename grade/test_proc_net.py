"""/proc/net/{tcp,snmp,netstat} of the guest beside those of the Linux that runs the test: names, order, columns."""
from pathlib import Path

import pytest

from grade.plugin import Guest


def sections(text: str) -> dict[str, list[str]]:
    """Names by section; each section is a line of names and one of as many numbers."""
    lines = text.splitlines()
    found = {}
    for names, values in zip(lines[::2], lines[1::2]):
        assert names.split()[0] == values.split()[0] and len(names.split()) == len(values.split()), names
        assert all(value.lstrip("-").isdigit() for value in values.split()[1:]), values
        found[names.split(":")[0]] = names.split()[1:]
    return found


def in_linux_order(ours: list[str], theirs: list[str]) -> bool:
    """Kernels differ in what they know, not in the order of what both know; and most of it both know."""
    shared = [name for name in ours if name in theirs]
    return shared == [name for name in theirs if name in ours] and len(shared) > 0.8 * min(len(ours), len(theirs))


@pytest.mark.parametrize("name", ["snmp", "netstat"])
def test_sections_have_linux_names_in_linux_order(guest: Guest, name: str) -> None:
    guest.machine.run("ping -c 1 127.0.0.1")
    ours = sections(guest.machine.run(f"cat /proc/net/{name}"))
    theirs = sections(Path(f"/proc/net/{name}").read_text())
    known = [section for section in theirs if section in ours]
    assert list(ours) == known, "the sections themselves"
    assert "TcpExt" in ours if name == "netstat" else {"Ip", "Icmp", "Tcp", "Udp"} <= set(ours)
    for section in known:
        if section != "IcmpMsg":  # only what there was
            assert in_linux_order(ours[section], theirs[section]), section


def columns(line: str) -> list[tuple[int, bool]]:
    """Of each word its length where it is fixed, up to the inode, and whether it is a number."""
    words = line.split()
    return [(len(word) if i in range(1, 7) else 0, word.isalnum()) for i, word in enumerate(words)]


def test_a_listener_looks_as_on_linux(guest: Guest) -> None:
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f":{server.getsockname()[1]:04X} "
        theirs = next(line for line in Path("/proc/net/tcp").read_text().splitlines() if port in line)
    ours = guest.machine.run("nc -l -p 7777 & sleep 1; grep :1E61 /proc/net/tcp; kill $!").splitlines()[0]
    assert columns(ours) == columns(theirs)
    assert ours.split()[12:] == theirs.split()[12:], "time-out, delay, quick ACKs, window, queue"
    assert len(guest.machine.run("head -1 /proc/net/tcp").rstrip("\n")) in (149, len(ours.rstrip()))


def test_trace_points_tell_the_story_of_a_connection(guest: Guest) -> None:
    guest.machine.run("sysctl -w net.ipv4.tcp_trace=7")
    guest.machine.run("echo hello | nc -l -p 7778 >/dev/null & sleep 1; nc 127.0.0.1 7778 </dev/null; wait; true")
    points = [line.split() for line in guest.machine.run("grep ' tcp[.]' /proc/trace").splitlines()]
    server = [(point, value) for _, _, connection, point, value in points
              if connection.startswith("7778") and len(connection) == 9]
    names = [point for point, _ in server]
    assert "tcp.established" in names and "tcp.cwnd" in names and "tcp.closed" in names
    assert names.index("tcp.listen") < names.index("tcp.syn_received") < names.index("tcp.established")
    guest.machine.run("sysctl -w net.ipv4.tcp_trace=1")
