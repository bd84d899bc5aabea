"""A login over the network: busybox's telnetd gives each caller a shell on a pty of its own."""
import re
import socket
import time
from collections.abc import Iterator

import pytest

from grade.machine import Machine, patience
from grade.plugin import Machines

IAC, SB, SE, WILL, NAWS = 255, 250, 240, 251, 31  # RFC 854, RFC 1073
CTRL_C, CTRL_D, CTRL_Z = "\x03", "\x04", "\x1a"


class Caller:
    """A telnet client that agrees to nothing and keeps what the shell prints."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience(30))
        self.text = ""
        self.ended = False

    def take(self) -> None:
        data = self.socket.recv(4096)
        self.ended = not data
        plain = re.sub(rb"\xff[\xfb-\xfe].", b"", data, flags=re.DOTALL)  # offers and demands
        self.text += plain.decode(errors="replace").replace("\r", "")

    def see(self, pattern: str) -> str:
        """Wait for a match; what came until its end is taken away."""
        deadline = time.monotonic() + patience(30)
        while not (match := re.search(pattern, self.text)):
            assert not self.ended and time.monotonic() < deadline, f"no /{pattern}/ in {self.text!r}"
            self.take()
        seen, self.text = self.text[:match.end()], self.text[match.end():]
        return seen

    def type(self, keys: str) -> None:
        self.socket.sendall(keys.encode())

    def window(self, columns: int, rows: int) -> None:
        size = columns.to_bytes(2, "big") + rows.to_bytes(2, "big")
        self.socket.sendall(bytes([IAC, WILL, NAWS, IAC, SB, NAWS]) + size + bytes([IAC, SE]))

    def prompt(self) -> None:
        self.see(r"[#$] ")

    def run(self, line: str) -> str:
        """What a line in the shell prints."""
        self.type(f"echo be''gin; {line}; echo e''nd\n")
        self.see(r"\nbegin\n")
        printed = self.see(r"end\n").removesuffix("end\n")
        self.prompt()
        return printed


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    machine = shared_machines.on_user_network()
    machine.run("killall echod; telnetd -p 7 -l /bin/sh")  # on the port that is forwarded to echod
    return machine


@pytest.fixture
def caller(machine: Machine) -> Iterator[Caller]:
    caller = Caller(machine.port("echo"))
    caller.prompt()
    yield caller
    caller.socket.close()


def test_a_caller_gets_a_shell_on_a_pty(caller: Caller) -> None:
    assert re.fullmatch(r"/dev/pts/\d+\n", caller.run("tty"))
    assert caller.run("echo over the wire | tr a-z A-Z") == "OVER THE WIRE\n"
    assert caller.run("echo by /dev/tty > /dev/tty") == "by /dev/tty\n"


def test_the_window_s_size_is_the_caller_s(caller: Caller) -> None:
    caller.window(101, 33)
    assert caller.run("stty size") == "33 101\n"
    caller.window(77, 22)
    assert caller.run("stty size") == "22 77\n"


def test_keys_are_signals(caller: Caller) -> None:
    caller.type("sh -c 'echo go; exec sleep 1000'\n")
    caller.see("go\n")
    caller.type(CTRL_Z)
    caller.see(r"Stopped .*sleep 1000.*\n")
    caller.prompt()
    assert "Stopped" in caller.run("jobs")
    caller.type("fg\n")
    caller.see("sleep 1000.*\n")
    caller.type(CTRL_C)
    caller.prompt()
    assert caller.run("jobs") == ""


def test_the_end_of_the_shell_ends_the_connection(machine: Machine, caller: Caller) -> None:
    pty = caller.run("tty").strip()
    assert machine.run(f"ls {pty}") == f"{pty}\n"
    caller.type(CTRL_D)
    while not caller.ended:
        caller.take()
    machine.run(f"while [ -e {pty} ]; do usleep 10000; done")


def test_the_end_of_the_connection_ends_the_shell(machine: Machine, caller: Caller) -> None:
    caller.type("exec sh -c 'echo $$; while :; do sleep 1; done'\n")
    pid = caller.see(r"\n\d+\n").split()[-1]
    machine.run(f"kill -0 {pid}")
    caller.socket.close()
    machine.run(f"while kill -0 {pid} 2>/dev/null; do usleep 10000; done")


def test_many_callers(machine: Machine) -> None:
    callers = [Caller(machine.port("echo")) for _ in range(8)]
    for caller in callers:
        caller.prompt()
    assert len({caller.run("tty") for caller in callers}) == len(callers)
    for caller in callers:
        caller.socket.close()
    machine.run("while ls /dev/pts | grep -q .; do usleep 10000; done")
