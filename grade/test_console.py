"""The shell on the serial console, as somebody at the keyboard has it."""
import re

import pytest

from grade.machine import PROMPT, Machine, patience
from grade.plugin import Machines

CTRL_C = "\x03"


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    return shared_machines.on_wire().machine


def test_ctrl_c_ends_the_program_and_not_the_shell(machine: Machine) -> None:
    console = machine.console
    start = len(console.text)
    console.type("sh -c 'echo started; sleep 1000'\n")
    started = console.wait(re.compile(r"started\n"), patience(10), start)
    console.type(CTRL_C)
    console.wait(PROMPT, patience(10), started.end())
    assert machine.run("echo the shell is here") == "the shell is here\n"


def test_a_line_is_edited_before_it_is_read(machine: Machine) -> None:
    """Canonical mode: erase takes back a character, kill the line."""
    for keys in ("wrong\x7f\x7f\x7f\x7f\x7fright\n", "all wrong\x15right\n"):
        console, start = machine.console, len(machine.console.text)
        console.type("sh -c 'echo ready; head -n 1'\n")
        ready = console.wait(re.compile(r"ready\n"), patience(10), start)
        console.type(keys)
        told = console.wait(re.compile(r"right\nright\n"), patience(10), ready.end())  # echoed, and read
        console.wait(PROMPT, patience(10), told.end())


def test_the_exit_status_of_a_program_is_the_shells(machine: Machine) -> None:
    assert machine.console.command("sh -c 'exit 42'").status == 42
    assert machine.console.command("no-such-program").status == 127
