"""Many connections: at once, one after the other, and under a flood of SYNs, in a guest of 512 MiB."""
import random
import re
import time
from collections.abc import Iterator

import pytest

from grade.crowd_peer import Connection, Crowd, flood
from grade.machine import Machine, patience
from grade.plugin import Guest, Machines

MANY, OUTSTANDING = 10_000, 200
PORT, CLOSING_PORT = 4000, 4001


@pytest.fixture(scope="module")
def big(shared_machines: Machines) -> Guest:
    guest = shared_machines.on_wire(mem="512M")
    for port, connections in ((PORT, f"{MANY + 100}"), (CLOSING_PORT, "1000 close")):
        guest.machine.run(f"(crowdd {port} {connections} &)")
        guest.machine.run(f"until grep -q ':{port:04X} 00000000:0000 0A' /proc/net/tcp; do sleep 0.1; done")
    return guest


@pytest.fixture
def crowd(big: Guest) -> Iterator[Crowd]:
    big.wire.drain()
    yield Crowd(big.wire, PORT)


def established(machine: Machine) -> int:
    """Of /proc/net/snmp."""
    names, values = re.findall(r"^Tcp: (.*)", machine.run("cat /proc/net/snmp"), re.M)
    return int(dict(zip(names.split(), values.split()))["CurrEstab"])


def free_kb(machine: Machine) -> int:
    return machine.table("/proc/meminfo")["MemFree"]


def in_use(machine: Machine, cache: str) -> int:
    match = re.search(rf"^{cache}\s+(\d+)", machine.run("cat /proc/slabinfo"), re.M)
    return int(match[1]) if match else 0


def gone(machine: Machine, before: int, kept: int) -> None:
    """No connection is left, no buffer, and memory is back but for what caches keep (kB)."""
    deadline = time.monotonic() + patience(20)
    while established(machine) or free_kb(machine) < before - kept:
        assert time.monotonic() < deadline, f"{established(machine)} open; {before} kB were free, now {free_kb(machine)}"
        time.sleep(0.2)
    machine.skbs_at_rest()


def open_all(crowd: Crowd, n: int, text: bytes) -> list[Connection]:
    """n connections, OUTSTANDING at a time, each of which has its text back."""
    everyone = []
    for start in range(0, n, OUTSTANDING):
        some = [crowd.open(text) for _ in range(min(OUTSTANDING, n - start))]
        crowd.until(some, "answered", 60)
        everyone += some
    return everyone


def in_turns(crowd: Crowd, everyone: list[Connection], deed: str, done: str) -> None:
    for start in range(0, len(everyone), OUTSTANDING):
        some = everyone[start:start + OUTSTANDING]
        for c in some:
            crowd.close(c) if deed == "close" else crowd.say(c, deed.encode())
        crowd.until(some, done, 60)


def test_ten_thousand_connections_at_once(big: Guest, crowd: Crowd) -> None:
    """Each works while all are open, and nothing is left of them."""
    machine = big.machine
    open_all(crowd, 100, b"w")  # what the first ones need once: caches, the neighbour
    in_turns(crowd, list(crowd.connections.values()), "close", "closed")
    crowd.connections.clear()
    before, start = free_kb(machine), time.monotonic()
    everyone = open_all(crowd, MANY, b"a")
    opened = time.monotonic() - start
    assert established(machine) == MANY
    used = (before - free_kb(machine)) * 1024 // MANY
    for c in everyone:
        c.heard = b""
    in_turns(crowd, everyone, "b", "answered")
    assert all(c.heard == b"b" and not c.reset for c in everyone)
    in_turns(crowd, everyone, "close", "closed")
    assert not any(c.reset for c in everyone)
    print(f"{used} bytes a connection, {MANY / opened:.0f} opened a second, {crowd.again} segments sent again")
    assert used < 5000  # with descriptor, file and epoll item: 30 of 512 MiB seen
    gone(machine, before, 4000)  # slabs keep some empty pages each


def one_after_the_other(crowd: Crowd, n: int, at_once: int) -> float:
    """n connections, at_once at a time: opened, answered, closed by us. A second's worth."""
    start = time.monotonic()
    for _ in range(n // at_once):
        some = [crowd.open(b"x") for _ in range(at_once)]
        crowd.until(some, "answered", 60)
        for c in some:
            assert c.heard == b"x"
            crowd.close(c)
        crowd.until(some, "closed", 60)
        for c in some:
            assert not c.reset
            crowd.forget(c)
    return n / (time.monotonic() - start)


@pytest.mark.parametrize("n", [2000, pytest.param(100_000, marks=pytest.mark.long)])
def test_connections_one_after_the_other_leave_memory_flat(big: Guest, crowd: Crowd, n: int) -> None:
    one_after_the_other(crowd, 200, 20)
    before = free_kb(big.machine)
    rate = one_after_the_other(crowd, n, 20)
    print(f"{rate:.0f} connections a second")
    gone(big.machine, before, 500)


def test_time_wait_is_small_and_limited(big: Guest) -> None:
    """The guest closes first: it waits, with 128 bytes a connection, for no more of them than the sysctl says."""
    machine, most = big.machine, 500
    machine.run(f"sysctl -w net.ipv4.tcp_max_tw_buckets={most}")
    big.wire.drain()
    crowd = Crowd(big.wire, CLOSING_PORT)
    one_ended(crowd, 200)
    assert 200 <= in_use(machine, "tcp_timewait") <= most
    before = free_kb(machine)
    one_ended(crowd, 800)
    assert in_use(machine, "tcp_timewait") == most
    assert machine.run("grep -c ' 06 ' /proc/net/tcp").strip() == str(most)
    gone(machine, before, 500)
    machine.run("sysctl -w net.ipv4.tcp_max_tw_buckets=65536")


def one_ended(crowd: Crowd, n: int) -> None:
    """n connections that the guest ends behind its answer."""
    for _ in range(n // 50):
        some = [crowd.open(b"x") for _ in range(50)]
        crowd.until(some, "answered", 60)
        deadline = time.monotonic() + patience(20)
        while not all(c.ended for c in some):
            assert time.monotonic() < deadline
            crowd.receive(0.2)
        for c in some:
            crowd.close(c)
            crowd.until([c], "closed", 60)
            crowd.forget(c)


# ---- a flood: ten SYNs from nobody for each honest connection

HONEST, FACTOR, TOGETHER = 1000, 10, 40


@pytest.mark.parametrize("cookies", [1, 0])
def test_a_flood_of_syns_lets_the_honest_in(big: Guest, crowd: Crowd, cookies: int) -> None:
    """RFC 4987: 99 of 100 succeed, by the SYN cache with cookies and without, and memory is flat."""
    machine, rng = big.machine, random.Random(7)
    machine.run(f"sysctl -w net.ipv4.tcp_syncookies={cookies}")
    for _ in range(3000):
        big.wire.send(flood(rng, PORT))
    before, succeeded, start = free_kb(machine), 0, time.monotonic()
    for _ in range(HONEST // TOGETHER):
        some = []
        for _ in range(TOGETHER):
            some.append(crowd.open(b"h"))
            for _ in range(FACTOR):
                big.wire.send(flood(rng, PORT))
        crowd.until(some, "answered", 60)
        succeeded += sum(c.heard == b"h" for c in some)
        for c in some:
            if not c.reset:
                crowd.close(c)
        crowd.until(some, "closed", 60)
        for c in some:
            crowd.forget(c)
    rate = HONEST / (time.monotonic() - start)
    half_open = in_use(machine, "tcp_half_open")
    print(f"cookies {cookies}: {succeeded} of {HONEST}, {rate:.0f} a second; {half_open} half-open, {before - free_kb(machine)} kB more")
    assert succeeded >= HONEST * 99 // 100
    assert half_open <= 4096  # the listener's backlog
    assert before - free_kb(machine) < 500
    machine.run("sysctl -w net.ipv4.tcp_syncookies=1")
