"""Programs that want to bring the kernel down: calls and files by chance, all memory taken, and nothing lost afterwards."""
import re
import time
from pathlib import Path

import pytest

from grade.machine import Machine, patience
from grade.plugin import Machines
from tools.qemu import Settings

SMALL = "64M"
WORKERS = 16           # of the fuzzer: most of its calls wait
TIME_WAIT = 61         # seconds that TCP keeps the block of a closed connection (RFC 9293 3.6.1: 2 MSL)
KEPT_BY_CACHES = 2000  # kB: empty slabs and page tables that more processes at once than before left behind


@pytest.fixture(scope="module")
def small(shared_machines: Machines) -> Machine:
    """Little memory, so that it is soon used up."""
    return shared_machines.on_wire(mem=SMALL).machine


def free_memory(machine: Machine) -> int:
    return machine.table("/proc/meminfo")["MemFree"]


def memory_comes_back(machine: Machine, before: int, lost: int) -> None:
    """The last dead threads are buried a moment after their processes are waited for."""
    deadline = time.monotonic() + patience(20)
    while (now := free_memory(machine)) < before - lost:
        assert time.monotonic() < deadline, f"{before} kB were free, now {now}"
        time.sleep(0.2)


def objects_in_use(machine: Machine) -> dict[str, int]:
    rows = re.findall(r"^(\S+)\s+(\d+)\s+\d+\s+\d+\s+\d+\s+\d+ : ", machine.run("cat /proc/slabinfo"), re.M)
    return {name: int(count) for name, count in rows}


def fuzz(machine: Machine, calls: int, seed: int, workers: int, timeout: float) -> None:
    """Calls by chance; a failure names the command that makes the same calls again."""
    command = f"fuzz {calls} {seed} {workers}"
    try:
        machine.run(command, timeout)
    except AssertionError as error:
        again = f"TIMEOUT={timeout:.0f} tools/run '{command}'"
        raise AssertionError(f"{error}\n\nAgain: {again}\n(one number more is the batch to begin at: see above how far "
                             "the workers were)") from None


def growth(machine: Machine, before: dict[str, int]) -> dict[str, int]:
    """Kinds of objects of which clearly more are in use than before."""
    now = objects_in_use(machine)
    return {name: count - before.get(name, 0) for name, count in now.items() if count > before.get(name, 0) + 8}


@pytest.mark.parametrize("processors, calls", [("1", 6000), ("2", 30_000), ("4", 6000)])
def test_calls_by_chance_leave_the_kernel_alive(machines: Machines, processors: str, calls: int) -> None:
    machine = machines.on_wire(smp=processors).machine
    fuzz(machine, calls, seed=1, workers=WORKERS, timeout=120)
    assert machine.run("echo still here") == "still here\n"


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_million_calls_by_chance_lose_nothing(machines: Machines, seed: int) -> None:
    """Once all caches are warm, no more objects are in use afterwards, and as much memory is free but for what the
    caches keep. Connections that wait in TIME-WAIT are let go of within a minute."""
    machine = machines.on_wire().machine
    fuzz(machine, 30_000, seed=99, workers=WORKERS, timeout=120)
    time.sleep(TIME_WAIT)  # not for an event: so long the protocol waits, whatever happens
    memory, objects = free_memory(machine), objects_in_use(machine)
    fuzz(machine, 1_000_000, seed, workers=WORKERS, timeout=2000)
    deadline = time.monotonic() + patience(TIME_WAIT + 20)
    while grown := growth(machine, objects):
        assert time.monotonic() < deadline, f"more objects in use: {grown}"
        time.sleep(1)
    memory_comes_back(machine, memory, KEPT_BY_CACHES)
    machine.skbs_at_rest()


def test_a_file_sent_and_removed_is_gone(machines: Machines) -> None:
    """sendfile() of a file without a name: when its last descriptor is closed nothing of it is left."""
    machine = machines.on_wire().machine
    send = "for i in $(seq 20); do echo text > f; sh -c 'exec 3<f; rm f; cat <&3' > /dev/null; done"
    machine.run(send)
    before = objects_in_use(machine)
    machine.run(send)
    assert not growth(machine, before)


def test_damaged_programs_are_refused_or_killed(small: Machine) -> None:
    small.run("fuzzelf 600 1", patience(60))
    assert small.run("echo still here") == "still here\n"


@pytest.mark.parametrize("deed", ["memory", "forks", "pipes"])
def test_memory_that_was_used_up_comes_back(small: Machine, deed: str) -> None:
    """Whoever asks for a page when there is none ends, or is told; what status it ends with is a matter of luck."""
    before = free_memory(small)
    small.console.command(f"crash {deed}", patience(60))
    memory_comes_back(small, before, 2000)


def test_a_full_disk_can_be_cleared(small: Machine) -> None:
    before = free_memory(small)
    small.run("crash disk", patience(60))
    small.run("echo text > /tmp/file")
    assert small.run("cat /tmp/file") == "text\n"
    memory_comes_back(small, before, 1000)


def test_programs_leave_nothing_behind(machines: Machines) -> None:
    """What the first rounds took, later ones take again."""
    machine = machines.on_wire().machine
    work = ["/tests/threads", "/tests/pipes", "/tests/signals", "/tests/memory", "echo text | cat | cat",
            "ping -c 2 127.0.0.1", "cat /proc/net/tcp /proc/self/status"]

    def rounds(n: int) -> None:
        for _ in range(n):
            for line in work:
                machine.run(f"{line} > /dev/null", patience(60))

    rounds(2)
    memory, objects = free_memory(machine), objects_in_use(machine)
    rounds(5)
    memory_comes_back(machine, memory, 400)
    grown = {name: count - objects[name] for name, count in objects_in_use(machine).items() if count > objects[name] + 4}
    assert not grown, f"more objects in use after five rounds: {grown}"


def entry(name: bytes, data: bytes = b"text", name_size: int | None = None, data_size: int | None = None) -> bytes:
    """An entry of a cpio archive that may lie about its sizes."""
    fields = [1, 0o100644, 0, 0, 1, 0, len(data) if data_size is None else data_size, 0, 0, 0, 0,
              len(name) + 1 if name_size is None else name_size, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


BROKEN = {"a cut header": entry(b"tmp/x")[:60], "a cut name": entry(b"tmp/" + b"x" * 50)[:120], "no name": entry(b"", name_size=0),
          "a name without end": entry(b"tmp/x", name_size=0xffffffff), "data without end": entry(b"tmp/x", data_size=0xffffffff),
          "data a little too long": entry(b"tmp/x", data_size=5), "no number": entry(b"tmp/x").replace(b"0000", b"zzzz", 1),
          "noise": bytes(range(1, 256)) * 40, "a name that climbs": entry(b"../../../tmp/climbed"),
          "names of what is there": entry(b"/") + entry(b"..") + entry(b"tmp") + entry(b"bin/..") + entry(b"x" * 300)}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_archive_leaves_what_was_read_before(machines: Machines, tmp_path: Path, what: str) -> None:
    settings = machines.settings()
    initrd = tmp_path / "broken.cpio"
    initrd.write_bytes(settings.initrd.read_bytes() + BROKEN[what])
    machine = machines.start(Machine(Settings(**{**vars(settings), "initrd": initrd}), machines.subfolder(), ""))
    assert machine.run("echo still here") == "still here\n"
    assert "climbed" in machine.run("ls /tmp") or what != "a name that climbs"
