"""Who takes more than there is ends, or is told so; the shell stays, and what was taken comes back."""
import re
import time
from collections.abc import Iterator

import pytest

from grade.machine import Machine, patience
from grade.plugin import Machines

SLACK = 1024  # KiB: what caches and fronts may keep


@pytest.fixture(scope="module", params=["1", "2", "4"])
def machine(request: pytest.FixtureRequest, shared_machines: Machines) -> Machine:
    machine = shared_machines.without_card(smp=request.param)
    machine.run("greedy stack; greedy threads 20 > /dev/null")  # what is set up at first use
    return machine


def free_memory(machine: Machine) -> int:
    return machine.table("/proc/meminfo")["MemFree"]


@pytest.fixture
def kept(machine: Machine) -> Iterator[None]:
    """Memory is back when a test is over, and the shell works."""
    before = free_memory(machine)
    yield
    deadline = time.monotonic() + patience(20)
    while (now := free_memory(machine)) < before - SLACK:
        assert time.monotonic() < deadline, f"{before} KiB were free, now {now}"
        time.sleep(0.2)
    assert machine.run("echo one | cat") == "one\n"


@pytest.mark.usefixtures("kept")
def test_a_stack_ends_at_its_limit(machine: Machine) -> None:
    assert machine.console.command("greedy stack").status == 128 + 11
    assert machine.console.command("ulimit -s 512; greedy stack; ulimit -s 8192").status == 0


@pytest.mark.usefixtures("kept")
def test_who_takes_all_memory_is_killed(machine: Machine) -> None:
    command = machine.console.command("greedy memory", timeout=60)
    assert command.status == 128 + 9
    assert re.search(r"out of memory: killed greedy\[\d+\]", machine.console.text)


@pytest.mark.usefixtures("kept")
def test_of_many_that_take_memory_all_end_and_the_shell_does_not(machine: Machine) -> None:
    assert "8 of 8 were killed\n" in machine.run("greedy children", timeout=90)


@pytest.mark.usefixtures("kept")
def test_the_shell_works_beside_one_that_takes_memory(machine: Machine) -> None:
    machine.run("{ (greedy memory; greedy memory) & }")
    assert "MemFree" in machine.run("cat /proc/meminfo", timeout=60)
    machine.console.command("wait", timeout=90)


@pytest.mark.usefixtures("kept")
def test_a_fork_bomb_stays_within_its_users_limit(machine: Machine) -> None:
    machine.run("{ greedy forks 100 > /tmp/forks & }")
    machine.run("echo still here", timeout=60)
    machine.console.command("wait", timeout=60)
    [count] = re.findall(r"^(\d+) processes more$", machine.run("cat /tmp/forks"), re.M)
    assert 20 < int(count) <= 100


@pytest.mark.long
@pytest.mark.usefixtures("kept")
def test_a_fork_bomb_of_root_stays_within_the_machines_limit(machine: Machine) -> None:
    most = machine.run("sysctl -n kernel.threads-max").strip()
    machine.run("sysctl -w kernel.threads-max=150")
    [count] = re.findall(r"^(\d+) processes more$", machine.run("greedy forks", timeout=120), re.M)
    machine.run(f"sysctl -w kernel.threads-max={most}")
    assert 50 < int(count) <= 150


@pytest.mark.usefixtures("kept")
def test_threads_end_at_their_users_limit(machine: Machine) -> None:
    assert "119 threads, then: Resource temporarily unavailable" in machine.run("greedy threads 120", timeout=60)
