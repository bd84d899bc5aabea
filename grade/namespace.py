"""grade/namespace.py - a network of the test's own with the host's Linux on it, for programs that want a real peer.

QEMU's user network is a TCP of its own, with a listen backlog of one; here the guest's cable ends in a TAP device
within a network namespace, so that Linux answers. A namespace made together with a user namespace needs no root:
its maker is root inside. Nothing in it is seen outside, so addresses and ports are free; it is gone with its holder.

    10.0.2.15 guest --- tap0 10.0.2.2 the namespace: curl, ab, iperf3, dnsmasq ... run there by `run` and `start`
"""
import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from grade.machine import GuestFailed, Machine, patience
from grade.wire import GUEST_IP, PEER_IP
from tools.qemu import end_with_parent

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # setns(2)
TOOLS = ("unshare", "ip")


class Namespace:
    """Made at once; `close` ends what still runs in it."""

    def __init__(self) -> None:
        hold = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; exec cat"]
        self.holder = subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started: list[subprocess.Popen[str]] = []
        assert self.holder.stdout and self.holder.stderr
        if not self.holder.stdout.readline():
            raise OSError(self.holder.stderr.read().decode().strip())
        self.libc = ctypes.CDLL(None, use_errno=True)

    def enter(self) -> None:
        """In a child between fork and exec, where there is one thread: setns() wants that."""
        for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
            fd = os.open(f"/proc/{self.holder.pid}/ns/{kind}", os.O_RDONLY)
            if self.libc.setns(fd, flag):
                raise OSError(ctypes.get_errno(), "setns")
            os.close(fd)
        end_with_parent()

    def run(self, command: Sequence[str], timeout: float = 60, **options: object) -> subprocess.CompletedProcess[str]:
        """A command to its end, with what it prints."""
        return subprocess.run(command, **{"text": True, "capture_output": True, **options},  # type: ignore[call-overload]
                              timeout=patience(timeout), preexec_fn=self.enter)

    def must(self, *command: str, timeout: float = 60) -> str:
        """What a command prints that has to succeed."""
        done = self.run(command, timeout)
        assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *command: str, **options: object) -> "subprocess.Popen[str]":
        """A server, until the namespace is closed."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
        process = subprocess.Popen(command, preexec_fn=self.enter, **options)  # type: ignore[call-overload]
        self.started.append(process)
        return process

    @contextmanager
    def serving(self, *command: str, tcp: int = 0, udp: int = 0) -> Iterator["subprocess.Popen[str]"]:
        """A server while the block runs, which begins when its port is open."""
        process = self.start(*command)
        kind, port = ("t", tcp) if tcp else ("u", udp)
        deadline = time.monotonic() + patience(20)
        while f":{port} " not in self.must("ss", f"-Hln{kind}"):
            assert process.poll() is None, f"{command[0]} ended: {process.communicate()[0]}"
            assert time.monotonic() < deadline, f"{command[0]} does not listen on {port}"
            time.sleep(0.05)
        try:
            yield process
        finally:
            self.started.remove(process)
            process.kill()
            process.communicate()

    def tap(self, name: str = "tap0", address: str = f"{PEER_IP}/24") -> str:
        """A cable's end; the text of QEMU's -netdev for n0 that is its other end."""
        self.must("ip", "link", "set", "lo", "up")
        self.must("ip", "tuntap", "add", name, "mode", "tap")
        self.must("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        if address:
            self.must("ip", "address", "add", address, "dev", name)
        self.must("ip", "link", "set", name, "up")
        return f"tap,id=n0,ifname={name},script=no,downscript=no"

    def impair(self, how: str, name: str = "tap0") -> bool:
        """What netem does to frames on their way to the guest ("delay 20ms loss 1%"). False: this Linux has no netem."""
        return self.run(["tc", "qdisc", "replace", "dev", name, "root", "netem", *how.split()]).returncode == 0

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()
        self.holder.communicate()


def reason_against() -> str:
    """Why there can be no namespace here; empty if there can."""
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is absent or not ours to use"
    try:
        namespace = Namespace()
        namespace.tap()
        namespace.close()
        return ""
    except (OSError, AssertionError) as error:
        return f"no network namespace without root here: {error}"


def wait_for(what: str, happened: Callable[[], bool], machine: Machine, timeout: float = 30) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + patience(timeout)
    while not happened():
        if time.monotonic() > deadline:
            raise GuestFailed(f"{what}: not in {patience(timeout):.0f} s; the guest's log:\n{machine.console.tail()}")
        time.sleep(0.1)


def wait_until_it_serves(namespace: Namespace, machine: Machine) -> None:
    page = ["curl", "-sf", "-o", os.devnull, "--max-time", "2", f"http://{GUEST_IP}/"]
    wait_for("no page over the TAP", lambda: namespace.run(page).returncode == 0, machine)
