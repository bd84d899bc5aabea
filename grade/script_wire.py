"""grade/script_wire.py - scripted tests (doc/scripts.md) replayed against a guest in QEMU, in real time.

The same scripts and the same program: its frames go over the guest's wire, its calls are made by user/puppet.c.
"""
import re
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from grade.conformance.guest import Puppet
from grade.machine import patience
from grade.plugin import Guest

PROGRAM = "build/towpath-script"
FRAME_MOST = 2048
SLACK = 0.3  # seconds by which the guest may be late
FIRST_PORT, FIRST_PEER_PORT, APART = 20000, 30000, 16  # each script has ports of its own: old connections linger


@dataclass
class Outcome:
    passed: bool
    text: str  # what the program said: one line, and of a failure the story


class Replay:
    """A guest, the puppet in it, and a bridge from its wire to a socket that the program can have."""

    def __init__(self, guest: Guest) -> None:
        self.guest, self.puppet, self.scripts = guest, Puppet(guest.machine), 0
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for copy in (self.copy_to_guest, self.copy_from_guest):
            threading.Thread(target=copy, daemon=True).start()

    def copy_to_guest(self) -> None:
        while frame := self.ours.recv(FRAME_MOST):
            self.guest.wire.send(frame)

    def copy_from_guest(self) -> None:
        while True:
            self.ours.send(self.guest.wire.frames.get()[0])

    def run(self, script: Path) -> Outcome:
        ports = ["--port", str(FIRST_PORT + self.scripts), "--peer-port", str(FIRST_PEER_PORT + APART * self.scripts)]
        self.scripts += 1
        line = self.puppet.ours
        line.settimeout(None)
        fds = (self.theirs.fileno(), line.fileno())
        done = subprocess.run([PROGRAM, "--wire", f"{fds[0]},{fds[1]}", "--slack", str(int(1000 * patience(SLACK))), *ports, script], pass_fds=fds,
                              capture_output=True, text=True, timeout=patience(120))
        return Outcome(done.returncode == 0, done.stdout)


def numbers(script: Path) -> set[int]:
    """Of the checklist's items that it is about."""
    first = script.read_text().partition("\n")[0]
    named = re.match(r"# checklist (\d+(?:, \d+)*);", first)
    return {int(number) for number in named[1].split(", ")} if named else set()
