"""bench/linux_guest.py - the yardstick: a Linux guest made of Debian's kernel package and busybox-static.

The package is fetched with apt-get into a cache outside the tree and unpacked there; no root is needed and nothing is
installed. The guest boots by tools.qemu.Settings like Towpath does, into busybox's shell on COM1, so grade.machine
drives it too.

    settings = linux_guest.settings(folder, smp="1")
    machine = Machine(settings, folder, wire, files={"bin/program": (0o100755, bytes)})
"""
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.mkinitramfs import Entry, archive
from tools.qemu import Settings

PACKAGE = "linux-image-amd64"  # its dependency is the image of the day
MODULES = ("e1000", "virtio_pci", "virtio_net")
APPLETS = ("sh", "cat", "echo", "ip", "ifconfig", "insmod", "ls", "mount", "ping", "poweroff", "route", "sleep", "wget")
# Towpath does nothing against speculation; without `mitigations=off` Linux would be the slower one by what it does.
KERNEL_LINE = "console=ttyS0 quiet mitigations=off nokaslr rdinit=/init"
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in {modules}; do insmod /modules/$module.ko; done
ip link set lo up
ip link show eth0 >/dev/null 2>&1 && ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up
[ -x /start ] && /start
export PATH=/bin PS1='# '
setsid cttyhack sh
poweroff -f
"""


class Unavailable(Exception):
    """The guest cannot be made here; the text says what is missing."""


@dataclass(frozen=True)
class Kernel:
    """An unpacked package."""

    root: Path
    release: str

    @property
    def image(self) -> Path:
        return self.root / f"boot/vmlinuz-{self.release}"

    @property
    def symbols(self) -> Path:
        return self.root / f"boot/System.map-{self.release}"

    def module(self, name: str) -> Path:
        found = list((self.root / f"lib/modules/{self.release}").rglob(f"{name}.ko"))
        if not found:
            raise Unavailable(f"{self.root} has no module {name}")
        return found[0]


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "towpath"


# ---- the kernel

def output(*command: str, cwd: Path | None = None) -> str:
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if run.returncode:
        raise Unavailable(f"`{' '.join(command)}` failed:\n{run.stderr.strip()}")
    return run.stdout


def package_of_the_day() -> str:
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(program):
            raise Unavailable(f"the Linux guest is made of Debian's {PACKAGE}, and {program} is not here to fetch it")
    match = re.search(r"Depends: (linux-image-[\w.+-]+)", output("apt-cache", "depends", PACKAGE))
    if not match:
        raise Unavailable(f"apt knows no {PACKAGE}: run `apt-get update`, or this is not Debian")
    return match[1]


def fetch(package: str, into: Path) -> None:
    """Beside its place first, so that a fetch that was cut off leaves nothing behind that looks whole."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        print(f"fetching {package} into {into} (once)", flush=True)
        output("apt-get", "download", package, cwd=Path(scratch))
        [deb] = Path(scratch).glob("*.deb")
        unpacked = Path(scratch) / "root"
        output("dpkg-deb", "-x", str(deb), str(unpacked))
        unpacked.rename(into)


def kernel() -> Kernel:
    """The newest that is in the cache; fetched when there is none."""
    have = sorted(cache().glob("linux-image-*"), key=lambda path: path.stat().st_mtime)
    if not have:
        package = package_of_the_day()
        fetch(package, cache() / package)
        have = [cache() / package]
    [image] = (have[-1] / "boot").glob("vmlinuz-*")
    return Kernel(have[-1], image.name.removeprefix("vmlinuz-"))


# ---- what it boots into

def needs(module: bytes) -> list[str]:
    """The modules that one names in its own description."""
    match = re.search(rb"\0depends=([\w,-]*)\0", module)
    return [name.decode() for name in match[1].split(b",") if name] if match else []


def with_needs(linux: Kernel, names: tuple[str, ...]) -> dict[str, bytes]:
    """The modules and theirs, in the order in which they can be loaded."""
    found: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name not in found:
            code = linux.module(name).read_bytes()
            for need in needs(code):
                add(need)
            found[name] = code

    for name in names:
        add(name)
    return found


def busybox() -> bytes:
    path = shutil.which("busybox")
    if not path or b"interp" in Path(path).read_bytes()[:4096]:
        raise Unavailable("the Linux guest's programs are busybox: install busybox-static")
    return Path(path).read_bytes()


def initramfs(linux: Kernel) -> bytes:
    modules = with_needs(linux, MODULES)
    program, text, link, folder = (kind | mode for kind, mode in (
        (stat.S_IFREG, 0o755), (stat.S_IFREG, 0o644), (stat.S_IFLNK, 0o777), (stat.S_IFDIR, 0o755)))
    entries: dict[str, Entry] = {name: (folder, b"") for name in ("proc", "sys", "dev", "tmp")}
    entries["init"] = (program, INIT.format(modules=" ".join(modules)).encode())
    entries["bin/busybox"] = (program, busybox())
    entries |= {f"bin/{name}": (link, b"busybox") for name in (*APPLETS, "setsid", "cttyhack")}
    entries |= {f"modules/{name}.ko": (text, code) for name, code in modules.items()}
    return archive(entries)


def settings(folder: Path, behind: bytes = b"", **others: str) -> Settings:
    """The machine that boots it; behind is an archive more to unpack, others are Settings' own fields."""
    linux = kernel()
    folder.mkdir(parents=True, exist_ok=True)
    initrd = folder / "linux-initramfs.cpio"
    initrd.write_bytes(initramfs(linux) + behind)
    line = " ".join(filter(None, (KERNEL_LINE, others.pop("append", ""))))
    return Settings(elf=linux.image, initrd=initrd, append=line, **others)
