"""Programs that misbehave: each is killed or told EFAULT, and the kernel goes on."""
import pytest

from grade.machine import Machine
from grade.plugin import Machines

SIGILL, SIGFPE, SIGSEGV = 4, 8, 11
KILLED = {"null": SIGSEGV, "kernel": SIGSEGV, "read-kernel": SIGSEGV, "write-text": SIGSEGV, "exec-data": SIGSEGV,
          "privileged": SIGSEGV, "illegal": SIGILL, "divide": SIGFPE, "stack": SIGSEGV}


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    return shared_machines.on_wire().machine


@pytest.mark.parametrize("deed", KILLED)
def test_a_program_that_strays_is_killed(machine: Machine, deed: str) -> None:
    assert machine.console.command(f"crash {deed}").status == 128 + KILLED[deed]
    assert machine.run("echo still here") == "still here\n"


def test_bad_pointers_give_efault(machine: Machine) -> None:
    """Every system call with a pointer gets bad ones; the program checks each answer."""
    machine.run("crash syscalls")
    assert machine.run("echo still here") == "still here\n"
