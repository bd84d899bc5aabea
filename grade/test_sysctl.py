"""The knobs under /proc/sys: read and written by busybox, bad values refused, and each acts on what happens next."""
import pytest
from scapy.layers.inet import ICMP, IP

from grade.plugin import Guest
from grade.wire import to_guest


def show(guest: Guest, name: str) -> str:
    return guest.machine.run(f"sysctl -n {name}").strip()


def test_all_knobs_are_listed_with_their_values(guest: Guest) -> None:
    listed = dict(line.split(" = ", 1) for line in guest.machine.run("sysctl -a").splitlines() if " = " in line)
    assert listed["kernel.ostype"] == "Towpath"
    assert listed["net.ipv4.ip_local_port_range"].split() == ["32768", "60999"]
    assert listed["net.ipv4.neigh.default.base_reachable_time_ms"] == "30000"
    assert len(listed) >= 40
    tree = guest.machine.run("find /proc/sys -type f").split()
    assert len(tree) == len(set(tree)) and "/proc/sys/net/core/somaxconn" in tree
    assert set(listed) <= {path.removeprefix("/proc/sys/").replace("/", ".") for path in tree}


@pytest.mark.parametrize("name, bad", [("net.ipv4.ip_default_ttl", "0"), ("net.ipv4.ip_default_ttl", "x"),
                                       ("net.ipv4.ip_local_port_range", "9000 8000"), ("net.core.somaxconn", "-1"),
                                       ("vm.overcommit_memory", "3")])
def test_a_bad_value_is_refused_and_changes_nothing(guest: Guest, name: str, bad: str) -> None:
    before = show(guest, name)
    path = "/proc/sys/" + name.replace(".", "/")
    said = guest.machine.run(f"echo {bad} > {path}; echo status $?; sysctl -w {name}='{bad}' 2>&1; true")
    assert "Invalid argument" in said, said
    assert show(guest, name) == before


def test_a_knob_that_only_shows_cannot_be_written(guest: Guest) -> None:
    assert "ermission denied" in guest.machine.run("echo x > /proc/sys/kernel/ostype; true")


def reply_to_ping(guest: Guest) -> IP | None:
    answer = guest.wire.ask(to_guest() / ICMP(id=7, seq=1) / b"towpath", lambda frame: ICMP in frame and
                            frame[ICMP].type == 0 and frame[ICMP].id == 7, 2)
    return answer[IP] if answer else None


def test_the_time_to_live_is_on_the_wire(guest: Guest) -> None:
    assert reply_to_ping(guest).ttl == 64
    guest.machine.run("sysctl -w net.ipv4.ip_default_ttl=31")
    assert reply_to_ping(guest).ttl == 31
    guest.machine.run("echo 64 > /proc/sys/net/ipv4/ip_default_ttl")
    assert reply_to_ping(guest).ttl == 64


def test_pings_can_be_ignored(guest: Guest) -> None:
    guest.machine.run("sysctl -w net.ipv4.icmp_echo_ignore_all=1")
    assert reply_to_ping(guest) is None
    guest.machine.run("sysctl -w net.ipv4.icmp_echo_ignore_all=0")
    assert reply_to_ping(guest) is not None


def test_names_are_the_machines(guest: Guest) -> None:
    guest.machine.run("sysctl -w kernel.hostname=barge; hostname | grep -x barge; uname -n | grep -x barge")
    guest.machine.run("hostname towpath; grep -x towpath /proc/sys/kernel/hostname")
    first, second = (show(guest, "kernel.random.boot_id") for _ in range(2))
    assert first == second and len(first) == 36
    assert show(guest, "kernel.random.uuid") != show(guest, "kernel.random.uuid")


def test_limits_on_threads_and_files_hold_and_are_lifted(guest: Guest) -> None:
    """The shell is there already; whoever is one too many is told so, and nothing is left over."""
    machine = guest.machine
    used = int(show(guest, "fs.file-nr").split()[0])
    said = machine.run("sh -c 'echo 1 > /proc/sys/kernel/threads-max; (true); echo not here' 2>&1; "
                       "echo 3000 > /proc/sys/kernel/threads-max")
    assert "fork" in said and "not here" not in said, said
    assert machine.run("(echo again)").strip() == "again"
    assert abs(int(show(guest, "fs.file-nr").split()[0]) - used) < 8
