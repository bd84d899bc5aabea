"""Allocations made to fail, one after the other: nothing panics, only want of memory is reported, and it all comes back.

user/failnth.c is the program whose Nth allocation fails; the knobs are those of kern/mm/fail_alloc.c."""
import re

import pytest
from scapy.layers.inet import ICMP

from grade.machine import Machine
from grade.plugin import Guest, Machines
from grade.wire import to_guest

SLACK_KB = 512  # caches of CPUs and slabs that are not given back page by page


def memory(machine: Machine) -> dict[str, int]:
    """What must be as it was: free memory in kB, open files, sockets, packets outside the rings."""
    free = int(re.search(r"MemFree:\s+(\d+)", machine.run("cat /proc/meminfo"))[1])
    files = int(machine.run("cat /proc/sys/fs/file-nr").split()[0])
    sockets = int(re.search(r"used (\d+)", machine.run("cat /proc/net/sockstat"))[1])
    live, rings = (int(n) for n in re.findall(r"\d+", machine.run("cat /proc/net/skbuff")))
    return {"free": free, "files": files, "sockets": sockets, "packets": live - rings}


def assert_all_came_back(machine: Machine, before: dict[str, int]) -> None:
    after = memory(machine)
    assert after["free"] >= before["free"] - SLACK_KB, (before, after)
    assert {**after, "free": 0} == {**before, "free": 0}


def fail_one_by_one(machine: Machine, what: str, step: int, most: int = 2000, timeout: float = 300) -> int:
    """How many runs there were; none of them went wrong."""
    machine.run(f"failnth {what} 1000000 1000000 1")  # caches are warm
    before = memory(machine)
    said = machine.run(f"failnth {what} 1 {most} {step} 2>&1", timeout=timeout)
    summary = re.search(rf"{what}: (\d+) runs, .* (\d+) went wrong", said)
    assert summary and summary[2] == "0", said
    assert_all_came_back(machine, before)
    return int(summary[1])


@pytest.mark.parametrize("what, step, runs", [("inet", 4, 10), ("bulk", 337, 5), ("unix", 1, 20), ("files", 1, 20),
                                              ("children", 1, 8), ("exec", 9, 3)])
def test_a_sample_of_failures_is_survived(guest: Guest, what: str, step: int, runs: int) -> None:
    most = 60 if what == "exec" else 2000
    assert fail_one_by_one(guest.machine, what, step, most) >= runs


def test_every_nth_failure_loses_packets_at_most(machines: Machines) -> None:
    """Anybody's allocations this time, the network's input among them. Servers may give up, the network does not."""
    guest = machines.on_wire()
    machine = guest.machine
    ping = to_guest() / ICMP(id=9, seq=1) / bytes(64)

    def answers(n: int) -> int:
        return sum(guest.wire.ask(ping, lambda frame: ICMP in frame, 0.3) is not None for _ in range(n))

    assert answers(3) == 3
    before = memory(machine)
    machine.run("echo 23 > /proc/sys/debug/fail_alloc_every")
    answered = answers(100)
    for _ in range(30):  # each may itself be refused
        machine.console.type("echo 0 > /proc/sys/debug/fail_alloc_every\n")
    assert int(machine.run("cat /proc/sys/debug/fail_alloc_failed")) > 10
    assert 50 < answered < 100
    assert answers(3) == 3
    after = memory(machine)
    assert after["free"] >= before["free"] - SLACK_KB and after["packets"] == before["packets"], (before, after)


@pytest.mark.long
@pytest.mark.parametrize("what", ["inet", "bulk", "unix", "files", "children", "exec"])
def test_every_single_failure_is_survived(guest: Guest, what: str) -> None:
    fail_one_by_one(guest.machine, what, 1, timeout=3000)
