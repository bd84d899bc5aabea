"""tools/qemu.py - the machine that Towpath runs on, as a QEMU command line. Used by `make` and by the grader.

Network: the guest is 10.0.2.15/24 behind 10.0.2.2. What a guest writes to I/O port 0xf4 ends QEMU with status
(value << 1) | 1.
"""
import ctypes
import json
import os
import re
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-x86_64"
NICS = {"e1000": "e1000", "virtio": "virtio-net-pci,disable-legacy=on"}
# Why not -cpu max: under TCG its 5-level paging and ERMS copies cost more than they give. qemu64 has NX and
# SYSCALL; SMEP and SMAP catch a kernel that strays into user memory, RDRAND seeds the random generator.
CPUS = {"tcg": "qemu64,+smep,+smap,+rdrand,+fsgsbase", "kvm": "host"}
MAX_CPUS = 8
ROOTFS_MEM = "512M"  # the programs take 75 MB twice: as an archive, and unpacked
SERVICES = {"http": ("tcp", 80), "echo": ("tcp", 7), "udp-echo": ("udp", 7)}  # what is forwarded to the guest


def initramfs(rootfs: bool) -> str:
    """The archive's name among a build's files; with Debian's programs behind it or not."""
    return "initramfs-rootfs.cpio" if rootfs else "initramfs.cpio"


class Refused(Exception):
    """A setting that cannot be; its text is the one line the user sees."""


@dataclass(frozen=True)
class Settings:
    """What `make` variables choose about a machine."""

    elf: Path
    initrd: Path
    iso: Path | None = None
    smp: str = "2"
    mem: str = "256M"
    nic: str = "e1000"
    accel: str = "tcg"
    append: str = ""
    capture: str = ""
    mac: str = ""   # of the first card; empty: QEMU's usual one
    more: str = ""  # the -netdev for n1, of a second card; empty: there is one card

    def check(self) -> None:
        if self.nic not in NICS:
            raise Refused(f"NIC={self.nic}: it is one of {', '.join(NICS)}")
        if self.accel not in CPUS:
            raise Refused(f"ACCEL={self.accel}: it is one of {', '.join(CPUS)}")
        if self.accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Refused("ACCEL=kvm: /dev/kvm is absent or not yours to use; leave ACCEL out for emulation")
        if not re.fullmatch(r"[0-9]+", self.smp) or not 1 <= int(self.smp) <= MAX_CPUS:
            raise Refused(f"SMP={self.smp}: a number of processors from 1 to {MAX_CPUS}")
        if not re.fullmatch(r"[1-9][0-9]*[MG]", self.mem):
            raise Refused(f"MEM={self.mem}: an amount of memory such as 256M or 1G")
        for path in filter(None, (self.iso or self.elf, self.initrd)):
            if not path.exists():
                raise Refused(f"{path} is not there: run `make` first")

    def argv(self, netdev: str, serials: list[str], append: str = "") -> list[str]:
        """The command line for a checked machine; netdev defines n0 (empty: no card), serials are COM1 and COM2."""
        args = [QEMU, "-nodefaults", "-no-reboot", "-display", "none", "-vga", "std"]
        args += ["-accel", self.accel, "-cpu", CPUS[self.accel], "-smp", self.processors(), "-m", self.mem]
        args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        mac = f",mac={self.mac}" if self.mac else ""
        args += ["-netdev", netdev, "-device", f"{NICS[self.nic]},netdev=n0,romfile={mac}"] if netdev else []
        args += ["-netdev", self.more, "-device", f"{NICS[self.nic]},netdev=n1,romfile="] if self.more else []
        if self.capture:
            args += ["-object", f"filter-dump,id=capture,netdev=n0,file={self.capture}"]
        for serial in serials:
            args += ["-serial", serial]
        return args + self.boot(append)

    def processors(self) -> str:
        # With one emulated CPU QEMU leaves out memory barriers that the virtio back end's thread relies on.
        return "1,maxcpus=2" if (self.smp, self.nic) == ("1", "virtio") else self.smp

    def boot(self, append: str) -> list[str]:
        if self.iso:
            return ["-cdrom", str(self.iso), "-boot", "d"]
        line = " ".join(filter(None, (self.append, append)))
        return ["-kernel", str(self.elf), "-initrd", str(self.initrd), "-append", line]


def end_with_parent() -> None:
    """In the child before it becomes QEMU: on Linux, be killed when the starter dies, however that happens."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # prctl(2)
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Monitor:
    """QEMU's control channel (QMP) over an inherited socket pair: no path and no port to collide on."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(30)

    def args(self) -> list[str]:
        return ["-chardev", f"socket,id=qmp,fd={self.theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]

    def open(self) -> bool:
        """After the start. False if QEMU ended instead of greeting."""
        self.theirs.close()
        self.stream = self.ours.makefile("rw")
        try:
            self.stream.readline()
            self.ask("qmp_capabilities")
            return True
        except (RuntimeError, OSError):
            return False

    def ask(self, command: str, **arguments: object) -> object:
        json.dump({"execute": command, "arguments": arguments}, self.stream)
        self.stream.flush()
        while line := self.stream.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{command}: QEMU ended")

    def forwards(self) -> dict[tuple[str, int], int]:
        """(protocol, guest port) -> the port of the host that leads there."""
        text = str(self.ask("human-monitor-command", **{"command-line": "info usernet"}))
        row = re.compile(r"(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+\S+\s+(\d+)\s+\S+\s+(\d+)")
        return {(m[1].lower(), int(m[3])): int(m[2]) for m in row.finditer(text)}
