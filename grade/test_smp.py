"""Several CPUs: busy programs have them all and share them fairly, threads move and stay where they must, `top` and
`ps` of Debian's busybox show it, and idle CPUs halt."""
import re
import time
from pathlib import Path

import pytest

from grade.machine import Machine, patience
from grade.plugin import Machines

BUSYBOX = Path("/bin/busybox")


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    if not BUSYBOX.exists():
        pytest.skip("busybox-static is not installed")
    return shared_machines.on_user_network(files={"bin/busybox": (0o100755, BUSYBOX.read_bytes())})


def burn(machine: Machine, *where: str) -> list[tuple[int, set[int]]]:
    """The share of a CPU that each thread had, in percent, and the CPUs it was on."""
    printed = machine.run(f"burn 1.5 {' '.join(where)}")
    rows = re.findall(r"^\S+: (\d+)% on ([\d ]+)$", printed, re.M)
    assert len(rows) == len(where), printed
    return [(int(share), {int(cpu) for cpu in cpus.split()}) for share, cpus in rows]


def test_two_threads_have_two_cpus(machine: Machine) -> None:
    assert sum(share for share, _ in burn(machine, "any", "any")) >= 160


def test_three_threads_share_two_cpus_and_move(machine: Machine) -> None:
    threads = burn(machine, "any", "any", "any")
    assert sum(share for share, _ in threads) >= 160
    assert min(share for share, _ in threads) >= 45, threads
    assert any(cpus == {0, 1} for _, cpus in threads), threads


def test_a_pinned_thread_stays(machine: Machine) -> None:
    (first, first_on), (second, second_on), (_, free_on) = burn(machine, "0", "0", "any")
    assert first_on == second_on == {0} and 1 in free_on
    assert 35 <= first <= 65 and 35 <= second <= 65


def test_nice_programs_leave_the_cpu_to_others(machine: Machine) -> None:
    (nice, _), (other, _) = burn(machine, "0@10", "0")
    assert nice <= 35 and other >= 60  # by the weights 10 to 90


def test_top_shows_both_programs_busy(machine: Machine) -> None:
    printed = machine.run("burn 6 any & burn 6 any & /bin/busybox sleep 1; /bin/busybox top -b -n2 -d2; wait", 60)
    last = printed[printed.rindex("CPU:"):]
    busy = [float(share) for share in re.findall(r"\s(\d+)%\s+burn 6 any", last)]
    assert len(busy) == 2 and all(share >= 35 for share in busy), last  # 50 % is one of two CPUs
    idle = re.search(r"(\d+)% idle", last)
    assert idle and int(idle[1]) <= 20, last


def test_ps_shows_the_kernels_threads(machine: Machine) -> None:
    assert re.search(r"\[ksoftirqd/1\]", machine.run("/bin/busybox ps"))


def idle_seconds(machine: Machine) -> tuple[float, float]:
    up, idle = machine.run("cat /proc/uptime").split()
    return float(up), float(idle)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_idle_cpus_halt(machine: Machine) -> None:
    """By the guest's own account, and by the host's: a QEMU whose CPUs halt uses none."""
    up, idle = idle_seconds(machine)
    used, start = cpu_seconds(machine.process.pid), time.monotonic()
    time.sleep(patience(3))
    used, slept = cpu_seconds(machine.process.pid) - used, time.monotonic() - start
    up_after, idle_after = idle_seconds(machine)
    assert idle_after - idle >= 1.8 * (up_after - up)
    assert used <= 0.1 * slept
