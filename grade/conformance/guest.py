"""grade/conformance/guest.py - the house of the guest in QEMU: its wire, and `puppet` (user/puppet.c), who makes the calls."""
import os
import time
from collections.abc import Callable

from scapy.packet import Packet

from grade.conformance.house import House
from grade.conformance.sockets import CLOSE, DATA, POLL
from grade.machine import GuestFailed, Machine, patience
from grade.wire import Wire

ARENA = 0x100000000000  # where puppet's memory lies, user/puppet.c
READ, WRITE, OPEN = 0, 1, 2
PERIOD = 251  # the line is slow: data that repeat themselves so are sent once


class Puppet:
    """Asks the guest's puppet, a line at a time."""

    def __init__(self, machine: Machine) -> None:
        assert machine.line, "a machine with a line is wanted"
        self.machine, self.ours, self.text = machine, machine.line, b""
        machine.run("(puppet /dev/ttyS1 </dev/null &)")
        self.answer(20)

    def say(self, line: str) -> None:
        self.ours.sendall(line.encode() + b"\n")

    def answer(self, timeout: float = 20) -> str:
        self.ours.settimeout(patience(timeout))
        while b"\n" not in self.text:
            try:
                more = self.ours.recv(1 << 16)
            except TimeoutError:
                more = b""
            if not more:
                raise GuestFailed(f"puppet does not answer; the guest's log:\n{self.machine.console.tail()}")
            self.text += more
        line, _, self.text = self.text.partition(b"\n")
        return line.decode().strip().removeprefix("=").strip()


class InQemu(House):
    """Without a wire (its cable ends elsewhere) only its sockets, knobs and counters are to be had."""

    real_time = True

    def __init__(self, name: str, machine: Machine, wire: Wire | None) -> None:
        super().__init__()
        self.name, self.machine = name, machine
        self.puppet = Puppet(machine)
        if wire:
            self.cable, wire.hosts, self.errors = wire, self.hosts, wire.errors

    # ---- the wire and the clock

    def now(self) -> float:
        return time.monotonic()

    def send(self, frame: Packet | bytes) -> None:
        self.cable.send(frame)

    def receive(self, timeout: float) -> Packet | None:
        return self.cable.receive(timeout)

    def wait_for(self, wanted: Callable[[Packet], bool], timeout: float = 5.0) -> Packet | None:
        return super().wait_for(wanted, patience(timeout))

    def wait(self, seconds: float) -> None:
        """The guest's clock is ours; how slow it is in anything else does not matter here."""
        time.sleep(seconds)

    # ---- calls

    def syscall(self, number: int, *arguments: int) -> int:
        words = [number, *arguments, *[0] * (6 - len(arguments))]
        self.puppet.say("c " + " ".join(f"{word & (1 << 64) - 1:x}" for word in words))
        longest = arguments[2] / 1000 if number == POLL else 0
        return int(self.puppet.answer(20 + longest))

    def write(self, offset: int, data: bytes) -> int:
        unit = data[:PERIOD]
        if len(data) > 2 * PERIOD and (unit * (len(data) // PERIOD + 1))[:len(data)] == data:
            self.puppet.say(f"x {ARENA + offset:x} {len(data):x} {unit.hex()}")
        else:
            self.puppet.say(f"w {ARENA + offset:x} {data.hex()}")
        return ARENA + offset

    def read(self, offset: int, count: int) -> bytes:
        self.puppet.say(f"r {ARENA + offset:x} {count:x}")
        return bytes.fromhex(self.puppet.answer())

    # ---- knobs and counters

    def on_knob(self, path: str, flags: int, call: int, data: bytes) -> int:
        """Open a file of /proc/sys, read or write data there, close it."""
        fd = self.syscall(OPEN, self.write(DATA, f"/proc/sys/{path}\0".encode()), flags)
        if fd < 0:
            raise OSError(-fd, path)
        done = self.syscall(call, fd, self.write(DATA, data), len(data))
        self.syscall(CLOSE, fd)
        if done < 0:
            raise OSError(-done, path)
        return done

    def read_knob(self, path: str) -> str:
        return self.read(DATA, self.on_knob(path, os.O_RDONLY, READ, bytes(64))).decode().strip()

    def write_knob(self, path: str, value: str) -> None:
        self.on_knob(path, os.O_WRONLY, WRITE, value.encode())

    def proc_net(self, name: str) -> str:
        return self.machine.run(f"cat /proc/net/{name}")

    def at_rest(self) -> None:
        self.machine.skbs_at_rest()
