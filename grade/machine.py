"""grade/machine.py - a running guest: QEMU, its serial console, and how long to wait for it.

Limits are for a machine as fast as the one this was written on; `patience` stretches them by how much longer this
one needs to boot. Nothing waits a fixed time for what it can see happen.
"""
import random
import re
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grade.wire import Wire
from tools.mkinitramfs import archive
from tools.qemu import SERVICES, Monitor, Settings, end_with_parent

BOOT_LIMIT = 180.0  # seconds; a guest that needs longer is broken on any machine
USUAL_BOOT = 2.0    # seconds to the shell, emulated, on two idle cores
PROMPT = re.compile(r"[#$] ")
PANIC = "panic:"
PANIC_STATUS = 127  # what a panic writes to the exit port


class GuestFailed(AssertionError):
    """The guest did not do what the test waited for; the text ends with its log."""


class Patience:
    """How much slower than usual this machine is; learned from every boot."""

    factor = 1.0

    @classmethod
    def learn(cls, boot_seconds: float) -> None:
        cls.factor = max(cls.factor, boot_seconds / USUAL_BOOT)


def patience(seconds: float) -> float:
    return seconds * Patience.factor


@dataclass
class Command:
    """What a line in the guest's shell did; meaningful when it has ended."""

    status: int = -1
    printed: str = ""


class Console:
    """COM1: everything it prints goes to a file; commands are typed into the shell that runs there."""

    def __init__(self, log: Path) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.log = log.open("wb")
        self.text = ""
        self.ended = False
        self.news = threading.Condition()
        self.names = random.Random()
        self.reader = threading.Thread(target=self.read, daemon=True)

    def read(self) -> None:
        while data := self.take():
            self.log.write(data)
            self.log.flush()
            with self.news:
                self.text += data.decode(errors="replace").replace("\r", "")
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def take(self) -> bytes:
        try:
            return self.ours.recv(65536)
        except OSError:
            return b""

    def wait(self, pattern: re.Pattern[str], timeout: float, start: int = 0) -> re.Match[str]:
        """The first match behind position start. GuestFailed when the time is up, the guest panics or ends."""
        deadline = time.monotonic() + timeout
        with self.news:
            while not (match := pattern.search(self.text, start)):
                left = deadline - time.monotonic()
                if self.ended or PANIC in self.text or left <= 0:
                    why = "ended" if self.ended else "panicked" if PANIC in self.text else f"did not in {timeout:.0f} s"
                    raise GuestFailed(f"the guest should print /{pattern.pattern}/ but {why}; its log:\n{self.tail()}")
                self.news.wait(left)
            return match

    def type(self, text: str) -> None:
        self.ours.sendall(text.encode())

    @contextmanager
    def running(self, line: str, timeout: float = 30.0) -> Iterator["Command"]:
        """Run a line in the guest's shell while the block runs; behind the block it has ended.

        What it prints lies between two words that the shell, however it echoes and folds what we type, does not show."""
        name, start, command = f"{self.names.getrandbits(48):x}", len(self.text), Command()
        self.type(f"echo be''gin-{name}; {line}; echo e''nd-{name} $?\n")
        yield command
        match = self.wait(re.compile(rf"end-{name} (\d+)\n"), patience(timeout), start)
        self.wait(PROMPT, patience(timeout), match.end())  # so that the next line is typed behind it
        command.status = int(match[1])
        command.printed = self.text[start:match.start()].rpartition(f"begin-{name}\n")[2]

    def command(self, line: str, timeout: float = 30.0) -> "Command":
        with self.running(line, timeout) as command:
            pass
        return command

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.text.splitlines()[-lines:])

    def close(self) -> None:
        self.ours.close()
        self.log.close()


class Machine:
    """One QEMU. network is a wire, or the text of a -netdev for n0 (empty: no card); files are put behind the initramfs;
    before is done by the child that becomes QEMU. With a line, `line` is the other end of COM2. cables are sockets that the
    network's texts name by their descriptors; QEMU has them then."""

    def __init__(self, settings: Settings, folder: Path, network: Wire | str, files: dict[str, tuple[int, bytes]] | None = None,
                 before: Callable[[], None] = end_with_parent, line: bool = False, cables: Sequence[socket.socket] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(**{**vars(settings), "initrd": with_files(settings.initrd, files, folder)})
        settings.check()
        self.wire = network if isinstance(network, Wire) else None
        self.cables = cables
        self.log = folder / "serial.log"
        self.console, self.monitor = Console(self.log), Monitor()
        self.line, self.line_theirs = socket.socketpair() if line else (None, None)
        serials = ["chardev:com1", *(["chardev:com2"] if line else [])]
        argv = settings.argv(self.wire.netdev if self.wire else str(network), serials)
        argv += ["-chardev", f"socket,id=com1,fd={self.console.theirs.fileno()}", *self.monitor.args()]
        argv += ["-chardev", f"socket,id=com2,fd={self.line_theirs.fileno()}"] if self.line_theirs else []
        (folder / "qemu.txt").write_text(" ".join(argv) + "\n")
        self.process = self.launch(argv, before)

    def launch(self, argv: list[str], before: Callable[[], None]) -> subprocess.Popen[bytes]:
        ends = [self.console.theirs, self.monitor.theirs, *([self.wire.theirs] if self.wire else [])]
        ends += [*([self.line_theirs] if self.line_theirs else []), *self.cables]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=[end.fileno() for end in ends],
                                   preexec_fn=before)
        self.console.theirs.close()
        if self.line_theirs:
            self.line_theirs.close()
        for cable in self.cables:
            cable.close()
        self.console.reader.start()
        if self.wire:
            self.wire.start()
        if not self.monitor.open():
            raise GuestFailed(f"QEMU did not start: status {process.wait()}")
        return process

    def boot(self) -> None:
        """Wait for the shell."""
        start = time.monotonic()
        self.console.wait(PROMPT, BOOT_LIMIT)
        Patience.learn(time.monotonic() - start)

    def run(self, line: str, timeout: float = 30.0) -> str:
        """What a command prints; it must succeed."""
        command = self.console.command(line, timeout)
        assert command.status == 0, f"`{line}` ended with status {command.status}:\n{command.printed}"
        return command.printed

    def table(self, path: str) -> dict[str, int]:
        """A file of `NAME value` lines."""
        rows = re.findall(r"^(\w+):?\s+(\d+)\b", self.run(f"cat {path}"), re.M)
        return {name: int(value) for name, value in rows}

    def drops(self) -> dict[str, int]:
        return {name: count for name, count in self.table("/proc/net/drops").items() if count}

    def received(self) -> int:
        """Frames that eth0's driver took from the card."""
        match = re.search(r"eth0:\s*\d+\s+(\d+)", self.run("cat /proc/net/dev"))
        assert match, "no eth0 in /proc/net/dev"
        return int(match[1])

    def port(self, service: str) -> int:
        """The port of the host that is forwarded to a service, on QEMU's own network."""
        return self.monitor.forwards()[SERVICES[service]]

    def http(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port('http')}{path}", timeout=patience(30)) as answer:
            return answer.read()

    def wait_until_it_serves(self) -> None:
        """The shell comes before the servers: ask until the page comes."""
        deadline = time.monotonic() + patience(30)
        while True:
            try:
                self.http("/")
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise GuestFailed(f"no page: {error}; its log:\n{self.console.tail()}") from None
                time.sleep(0.1)

    def skbs_at_rest(self, timeout: float = 20.0) -> None:
        """Every sk_buff but those in the rings is free, now or soon (DESIGN 6)."""
        deadline = time.monotonic() + patience(timeout)
        while (counts := self.table("/proc/net/skbuff"))["live"] != counts["rings"]:
            assert time.monotonic() < deadline, f"sk_buffs left over: {counts['live']} live, {counts['rings']} in rings"
            time.sleep(0.2)

    def panicked(self) -> bool:
        return PANIC in self.console.text

    def wait_end(self, timeout: float) -> int:
        """QEMU's exit status after the guest ended it."""
        return self.process.wait(patience(timeout))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.console.reader.join(timeout=5)
        self.console.close()
        if self.line:
            self.line.close()
        if self.wire:
            self.wire.close()


def with_files(initrd: Path, files: dict[str, tuple[int, bytes]] | None, folder: Path) -> Path:
    if not files:
        return initrd
    out = folder / "initramfs.cpio"
    out.write_bytes(initrd.read_bytes() + archive(files))
    return out
