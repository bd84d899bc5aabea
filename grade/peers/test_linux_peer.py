"""The host's Linux as the peer of a virtual kernel and of the guest (linux_peer.c), over good and bad wires, in real time.

What the wire does is our own wire's doing, so no netem is needed. Runs are many at once: most of their time is waiting."""
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.machine import Machine, patience
from grade.namespace import Namespace
from grade.peers.test_lwip import WIRES
from grade.plugin import Machines

PROGRAM = Path("build/peers/linux-peer").resolve()
FLOWS = ("up", "down", "echo-peer", "echo-towpath")
OPENERS = ("peer", "towpath")
MANY, TOGETHER = 200, 60
LONGEST = 450  # seconds: a run gives up before


def words(flow: str, opener: str, runs: int, wire: dict[str, int], **more: int) -> list[str]:
    return [str(PROGRAM), *(f"{name}={value}" for name, value in {"flow": flow, "opener": opener, "runs": runs, **wire, **more}.items())]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("flow", FLOWS)
def test_linux_gets_what_was_sent(linux: Namespace, flow: str, opener: str) -> None:
    """All wires at once, each in a namespace within: bytes equal, both ends closed, nothing left over."""
    started = {name: linux.start("unshare", "--net", *words(flow, opener, 2, wire, together=2, bytes=50_000)) for name, wire in WIRES.items()}
    said = {name: program.communicate(timeout=patience(LONGEST))[0] for name, program in started.items()}
    failed = {name: text for name, text in said.items() if "2 of 2 runs" not in text}
    assert not failed, failed


@pytest.mark.long
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("flow", FLOWS)
def test_linux_gets_it_two_hundred_times(linux: Namespace, flow: str, opener: str, wire: str) -> None:
    done = linux.run(words(flow, opener, MANY, WIRES[wire], together=TOGETHER, bytes=100_000, seed=1000), timeout=4 * LONGEST)
    assert f"{MANY} of {MANY} runs" in done.stdout, done.stdout


# ---- the guest

GUEST_WIRES = ("good", "loss 5", "reorder", "damage", "all")
BYTES = 200_000


@pytest.fixture(scope="module")
def cabled(shared_machines: Machines) -> Iterator[tuple[Machine, socket.socket]]:
    """A guest, and the other end of its cable."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    yield shared_machines.on_cables(theirs), ours
    ours.close()


def against_guest(command: list[str], cable: socket.socket, linux: Namespace | None = None) -> "subprocess.Popen[str]":
    options = {"pass_fds": [cable.fileno()], "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [*command, f"guest={cable.fileno()}"]
    return linux.start(*command, **options) if linux else subprocess.Popen(command, **options)  # type: ignore[call-overload]


def end_of(program: "subprocess.Popen[str]", machine: Machine) -> None:
    """The peer is through, and keeps the cable until the guest is, too: its last ACK may have been lost."""
    first = program.stdout.readline()  # type: ignore[union-attr]  # it has a limit of its own
    if first == "over\n":
        nothing_left(machine)
    said = first + program.communicate(timeout=patience(LONGEST))[0]
    assert "1 of 1 runs" in said, said


def the_guest_echoes(program: "subprocess.Popen[str]", machine: Machine) -> None:
    end_of(program, machine)


def the_guest_hears_its_echo(program: "subprocess.Popen[str]", machine: Machine) -> None:
    """By busybox's nc, bytes that nobody can guess."""
    machine.run(f"dd if=/dev/urandom of=/tmp/sent bs={BYTES // 10} count=10 2>/dev/null")
    machine.run("nc 10.0.2.2 4000 </tmp/sent >/tmp/back", timeout=LONGEST)
    sent, back, size = machine.run("sha256sum </tmp/sent; sha256sum </tmp/back; wc -c </tmp/back").replace("-", "").split()
    assert int(size) == BYTES and sent == back
    end_of(program, machine)


def nothing_left(machine: Machine) -> None:
    """No connection but in TIME-WAIT (06) or LISTEN (0A), no packet buffer but in the rings."""
    machine.run("while grep -qE '^ *[0-9]+: [^ ]+ [^ ]+ (0[1-57-9]|0B)' /proc/net/tcp; do sleep 0.2; done", timeout=120)
    machine.skbs_at_rest()


@pytest.mark.long
@pytest.mark.parametrize("wire", GUEST_WIRES)
def test_linux_hears_its_echo_from_the_guest(linux: Namespace, cabled: tuple[Machine, socket.socket], wire: str) -> None:
    machine, cable = cabled
    command = words("echo-towpath", "peer", 1, WIRES[wire], bytes=BYTES)
    the_guest_echoes(against_guest(command, cable, linux), machine)


@pytest.mark.long
@pytest.mark.parametrize("wire", GUEST_WIRES)
def test_the_guest_hears_its_echo_from_linux(linux: Namespace, cabled: tuple[Machine, socket.socket], wire: str) -> None:
    machine, cable = cabled
    command = words("echo-peer", "towpath", 1, WIRES[wire], bytes=BYTES)
    the_guest_hears_its_echo(against_guest(command, cable, linux), machine)


LWIP = Path("build/peers/lwip-peer")
needs_lwip = pytest.mark.skipif(not LWIP.exists(), reason="no lwIP to build it with (Debian: liblwip-dev)")


@needs_lwip
@pytest.mark.long
@pytest.mark.parametrize("wire", GUEST_WIRES)
def test_lwip_hears_its_echo_from_the_guest(cabled: tuple[Machine, socket.socket], wire: str) -> None:
    machine, cable = cabled
    command = [str(LWIP), *words("echo-towpath", "peer", 1, WIRES[wire], bytes=BYTES, seed=os.getpid())[1:]]
    the_guest_echoes(against_guest(command, cable), machine)


@needs_lwip
@pytest.mark.long
@pytest.mark.parametrize("wire", GUEST_WIRES)
def test_the_guest_hears_its_echo_from_lwip(cabled: tuple[Machine, socket.socket], wire: str) -> None:
    machine, cable = cabled
    command = [str(LWIP), *words("echo-peer", "towpath", 1, WIRES[wire], bytes=BYTES)[1:]]
    the_guest_hears_its_echo(against_guest(command, cable), machine)
