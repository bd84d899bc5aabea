"""grade/plugin.py - pytest's part of the grader: machines as fixtures, what they leave behind, the summary.

A test leaves build/grade/<test>/ with serial.log, wire.pcapng and qemu.txt; a failure shows the end of the log.
Machines of a module are shared by its tests where those leave no trace in each other.
"""
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from scapy.layers.inet import TCP

from grade import namespace, report
from grade.machine import Machine, patience
from grade.namespace import Namespace
from grade.wire import Wire, to_guest
from tools.qemu import ROOTFS_MEM, SERVICES, Settings, end_with_parent, initramfs

OUT = Path("build/grade")


@dataclass
class Guest:
    """A machine and the wire that it is on."""

    machine: Machine
    wire: Wire


class Machines:
    """All machines that one test or module booted; ended together, each looked at for a panic."""

    def __init__(self, folder: Path, options: pytest.Config) -> None:
        self.folder, self.options = folder, options
        self.booted: list[Machine] = []
        self.panics = False

    def settings(self, **choices: str) -> Settings:
        """The images that the command line names, or those of a build; the rest as chosen."""
        build, rootfs = Path("build") / choices.pop("build", "debug"), bool(choices.pop("rootfs", ""))
        choices = {"mem": ROOTFS_MEM, **choices} if rootfs else choices
        elf, initrd = self.options.getoption("--elf"), self.options.getoption("--initrd")
        paths = {"elf": Path(elf or build / "towpath.elf"), "initrd": Path(initrd or build / initramfs(rootfs))}
        if choices.pop("iso", ""):
            paths["iso"] = build / "towpath.iso"
        append = f"{self.options.getoption('--append')} {choices.pop('append', '')}".strip()
        return Settings(**paths, append=append, **choices)

    def subfolder(self) -> Path:
        return self.folder if not self.booted else self.folder / str(len(self.booted) + 1)

    def on_wire(self, line: bool = False, **choices: str) -> Guest:
        """With a line: see Machine."""
        folder = self.subfolder()
        wire = Wire(folder / "wire.pcapng")
        guest = Guest(self.start(Machine(self.settings(**choices), folder, wire, line=line)), wire)
        wait_until_it_serves(wire)
        return guest

    def on_user_network(self, files: dict[str, tuple[int, bytes]] | None = None, **choices: str) -> Machine:
        """QEMU's own network, with the services forwarded to free ports."""
        forwards = "".join(f",hostfwd={protocol}:127.0.0.1:0-:{port}" for protocol, port in SERVICES.values())
        machine = self.start(Machine(self.settings(**choices), self.subfolder(), f"user,id=n0{forwards}", files))
        machine.wait_until_it_serves()
        return machine

    def on_netdev(self, netdev: str, ns: Namespace | None = None, **choices: str) -> Machine:
        """On the network that a -netdev for n0 describes, within a namespace if one is given."""
        before = ns.enter if ns else end_with_parent
        return self.start(Machine(self.settings(**choices), self.subfolder(), netdev, before=before))

    def on_cables(self, *cables: socket.socket, line: bool = False, **choices: str) -> Machine:
        """A card for each of one or two cables: ends of datagram socket pairs, whose other ends are other machines'."""
        netdevs = [f"socket,id=n{number},fd={cable.fileno()}" for number, cable in enumerate(cables)]
        settings = self.settings(more="".join(netdevs[1:]), **choices)
        return self.start(Machine(settings, self.subfolder(), netdevs[0], line=line, cables=cables))

    def in_namespace(self, ns: Namespace, netdev: str = "", files: dict[str, tuple[int, bytes]] | None = None,
                     line: bool = False, **choices: str) -> Machine:
        """On a TAP of a network namespace, the host's Linux at the other end. With a line: see Machine."""
        netdev = netdev or ns.tap()
        machine = self.start(Machine(self.settings(**choices), self.subfolder(), netdev, files, ns.enter, line))
        namespace.wait_until_it_serves(ns, machine)
        return machine

    def bare(self, **choices: str) -> Machine:
        """On the wire, but nobody waits for its shell."""
        folder = self.subfolder()
        self.booted.append(Machine(self.settings(**choices), folder, Wire(folder / "wire.pcapng")))
        return self.booted[-1]

    def without_card(self, **choices: str) -> Machine:
        return self.start(Machine(self.settings(**choices), self.subfolder(), ""))

    def start(self, machine: Machine) -> Machine:
        self.booted.append(machine)
        machine.boot()
        return machine

    def expect_panic(self) -> None:
        self.panics = True

    def end(self) -> None:
        for machine in self.booted:
            machine.stop()
        for machine in self.booted if not self.panics else []:
            assert not machine.panicked(), f"the kernel panicked:\n{machine.console.tail()}"
            errors = machine.wire.errors if machine.wire else []
            assert not errors, f"{len(errors)} frames from the guest, the first: {errors[0]}"


def wait_until_it_serves(wire: Wire) -> None:
    """The shell comes before the servers, and the link later than both: ask until the echo port opens."""
    deadline = time.monotonic() + patience(30)
    syn = to_guest() / TCP(sport=29999, dport=7, flags="S", seq=1)
    while not (answer := wire.ask(syn, lambda frame: TCP in frame and frame[TCP].flags == "SA", 0.5)):
        assert time.monotonic() < deadline, "the echo service does not open"
    wire.send(to_guest() / TCP(sport=29999, dport=7, flags="R", seq=answer[TCP].ack))


def folder_of(name: str) -> Path:
    folder = OUT / re.sub(r"[^\w.-]+", "_", name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Machines for one test."""
    some = Machines(folder_of(f"{request.node.path.stem}.{request.node.name}"), request.config)
    request.node.machines = some
    yield some
    some.end()


@pytest.fixture(scope="module")
def shared_machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Machines for all tests of a module."""
    some = Machines(folder_of(request.node.path.stem), request.config)
    request.node.machines = some
    yield some
    some.end()


@pytest.fixture(scope="session")
def no_namespace() -> str:
    return namespace.reason_against()


@pytest.fixture(scope="module")
def linux(no_namespace: str) -> Iterator[Namespace]:
    """The host's Linux with a network of its own, for machines.in_namespace(); skipped where it cannot be made."""
    if no_namespace:
        pytest.skip(no_namespace)
    ns = Namespace()
    yield ns
    ns.close()


@pytest.fixture(scope="module")
def shared_guest(shared_machines: Machines) -> Guest:
    """A guest on our wire, shared by the tests of a module."""
    return shared_machines.on_wire()


@pytest.fixture
def guest(shared_guest: Guest) -> Guest:
    """The shared guest, its wire without faults and without frames that nobody looked at."""
    wire = shared_guest.wire
    wire.to_guest, wire.from_guest = type(wire.to_guest)(), type(wire.from_guest)()
    wire.resets_strangers = False
    wire.drain()
    return shared_guest


# ---- what pytest calls

def pytest_addoption(parser: pytest.Parser) -> None:
    for image in ("elf", "initrd", "append"):
        parser.addoption(f"--{image}", default="", help="for another kernel beside ours, such as Linux")
    parser.addoption("--points", action="store_true", help="graded tests only, and what they are worth")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--points"):
        items[:] = [item for item in items if item.get_closest_marker("points")]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    result = outcome.get_result()
    report.remember(item, result)
    if result.failed:
        for some in filter(None, (getattr(node, "machines", None) for node in item.listchain())):
            for machine in some.booted:
                result.sections.append((f"the end of {machine.log}", machine.console.tail()))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Write the counts for `make test`; show the points for `make grade`."""
    stats = terminalreporter.stats
    counts = {"passed": len(stats.get("passed", [])),
              "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
              "skipped": len(stats.get("skipped", []))}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "summary.json").write_text(json.dumps(counts))
    if config.getoption("--points"):
        for line in report.table([result for key in ("passed", "failed", "error") for result in stats.get(key, [])]):
            terminalreporter.write_line(line)
