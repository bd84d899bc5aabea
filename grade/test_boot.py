"""The machine: the ways it boots, and with what."""
import re
from pathlib import Path

import pytest

from grade.machine import patience
from grade.plugin import Machines


@pytest.mark.parametrize("iso", ["", "iso"], ids=["by PVH", "from the GRUB ISO"])
def test_the_kernel_boots_and_serves_its_page(machines: Machines, iso: str) -> None:
    """One ELF, two ways in. The page comes over the card, so more than the console works."""
    machine = machines.on_user_network(iso=iso)
    assert machine.http("/").startswith(b"<!")


@pytest.mark.parametrize("smp", ["1", "4"])
def test_it_runs_on_one_processor_and_on_four(machines: Machines, smp: str) -> None:
    machine = machines.on_wire(smp=smp).machine
    assert machine.run("cat /proc/cpuinfo").count("processor") == int(smp)
    assert f"cpu: {smp} of {smp} online" in machine.run("dmesg")


def test_it_boots_without_a_network_card(machines: Machines) -> None:
    """A device that is absent gives one clear line, and a shell."""
    machine = machines.without_card()
    assert "lo" in machine.run("cat /proc/net/dev")
    assert "eth0" not in machine.run("cat /proc/net/dev")


def test_a_word_nobody_knows_on_the_command_line_gives_one_line(machines: Machines) -> None:
    machine = machines.on_wire(append="nosuchoption=1").machine
    complaints = [line for line in machine.console.text.splitlines() if "nothing knows 'nosuchoption'" in line]
    assert len(complaints) == 1


def test_an_init_that_is_not_there_gives_one_line(machines: Machines) -> None:
    machine = machines.bare(append="init=/no/such/program")
    assert machine.wait_end(20) == 1 << 1 | 1
    machine.console.reader.join(patience(5))
    assert len([line for line in machine.console.text.splitlines() if "cannot run /no/such/program" in line]) == 1


def test_exit_ends_the_machine(machines: Machines) -> None:
    machine = machines.on_wire().machine
    machine.console.type("echo 5 > /dev/debugexit\n")
    assert machine.wait_end(20) == 5 << 1 | 1


@pytest.mark.parametrize("init", ["", "init=/bin/linuxrc"], ids=["our init", "busybox's init"])
def test_poweroff_asks_process_1(machines: Machines, init: str) -> None:
    """busybox's init under its other name, with /etc/inittab, in place of ours: its signals, its shell."""
    machine = machines.on_wire(append=init).machine
    name = init.rpartition("/")[2] or "init"  # by comm: busybox's init writes over its arguments
    assert re.search(rf"^{name}$", machine.run("ps -o comm"), re.M)
    machine.console.type("poweroff\n")
    assert machine.wait_end(20) == 0


def test_the_release_kernel_boots(machines: Machines) -> None:
    machine = machines.on_user_network(build="release")
    assert machine.http("/").startswith(b"<!")


def test_init_calls_are_made_in_the_order_of_their_tables(machines: Machines) -> None:
    """Each is announced before and timed after; the network's protocols stand in it in the order of net/init.c."""
    machine = machines.on_wire(append="initcall_debug").machine
    begun = re.findall(r"initcall: (\w+): (\S+) \.\.\.", machine.console.text)
    ended = re.findall(r"initcall: (\w+): (\S+) took \d+ (?:us|ticks)", machine.console.text)
    listed = [tuple(line.split()[:2]) for line in machine.run("cat /proc/initcalls").splitlines()]
    assert begun == ended[-len(begun):] == listed[-len(begun):] and len(listed) - len(begun) < 8
    levels = list(dict.fromkeys(level for level, _ in listed))
    assert levels == ["early", "core", "irq", "sched", "smp", "net", "drivers", "fs", "late"]
    table = re.findall(r"^    &(\w+)_module,", Path("net/init.c").read_text(), re.M)
    assert [name.removeprefix("net/") for level, name in listed if name.startswith("net/")] == table
