"""The kernel's own threads: programs see them, and a flood of packets goes to one of them, not to the shell."""
import re
import threading
import time

import pytest
from scapy.layers.inet import UDP

from grade.machine import Machine, patience
from grade.plugin import Guest, Machines
from grade.wire import to_guest


@pytest.fixture
def guest(machines: Machines) -> Guest:
    return machines.on_wire(smp="1")


def ticks(machine: Machine, name: str) -> int:
    """The CPU time of a kernel thread, in 1/100 s, as /proc/PID/stat has it."""
    stats = machine.run("cat /proc/[0-9]*/stat")
    line = next(line for line in stats.splitlines() if f"({name})" in line)
    fields = line.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_kernel_threads_are_seen_and_cannot_be_killed(guest: Guest) -> None:
    machine = guest.machine
    listed = machine.run("ps")
    for name in ("ksoftirqd/0", "kworker/0"):
        line = next(line for line in listed.splitlines() if name in line)
        machine.run(f"kill -9 {line.split()[0]}")
    after = machine.run("ps")
    assert "ksoftirqd/0" in after and "kworker/0" in after
    assert machine.run("sh -c 'exit 0'; echo status $?").strip() == "status 0"  # dead threads are still buried


def test_a_flood_goes_to_ksoftirqd_and_the_shell_answers(guest: Guest) -> None:
    """Datagrams to a port that nobody has, as fast as they can be sent: past its budget the softirq is handed over."""
    machine, frame = guest.machine, bytes(to_guest() / UDP(sport=9, dport=9999) / bytes(32))
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            guest.wire.send(frame)

    before = ticks(machine, "ksoftirqd/0")
    sender = threading.Thread(target=flood)
    sender.start()
    try:
        deadline = time.monotonic() + patience(30)
        while (taken := ticks(machine, "ksoftirqd/0") - before) < 10:
            assert time.monotonic() < deadline, f"ksoftirqd took {taken} ticks of a flood"
        assert re.search(r"^answer 42$", machine.run("echo answer $((6 * 7))"), re.M)
    finally:
        over.set()
        sender.join()
