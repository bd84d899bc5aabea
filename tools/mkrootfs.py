"""tools/mkrootfs.py - gather installed programs, unmodified, with all that they need, into a second archive.

usage: tools/mkrootfs.py OUT [--tree FOLDER]

For each program: itself, the libraries that ldd names (that is a closure), and the files of its package that it reads.
Behind the initramfs the kernel unpacks it like the first. OUT.d tells make what it was made from. Nothing found is
changed; the configuration, which is ours, comes from --tree.
"""
import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tools.mkinitramfs import Entry, archive, tree  # noqa: E402

# Name in the guest's /usr/bin -> name here. Paths are looked for as they are.
PROGRAMS = ("iperf3", "curl", "dig", "nginx", "redis-server", "redis-cli", "redis-benchmark", "dropbear", "dropbearkey",
            "dbclient", "socat", "strace", "tcpdump", "ping", "ip", "ss")
OPTIONAL = ("traceroute", "mtr", "mtr-packet")  # taken where they are installed
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Loaded by name at run time, so ldd cannot know: name services, and what ends a thread that is cancelled.
LOADED = ("libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1")
# Read by a program, and left out where a distribution has it elsewhere: types of files, roots of trust, names of ports.
DATA = ("/etc/nginx/mime.types", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf",
        "/etc/services", "/etc/protocols")
NEEDED = re.compile(r"^\s*(?:(\S+) => )?(/\S+) \(0x[0-9a-f]+\)$", re.M)
ABSENT = re.compile(r"^\s*(\S+) => not found$", re.M)


class Lacking(Exception):
    """Something is not installed; the text is the one line the user sees."""


@dataclass(frozen=True)
class Library:
    name: str  # by which a program asks for it
    path: Path


def find(program: str) -> Path:
    found = shutil.which(program, path=SEARCH)
    if not found:
        raise Lacking(f"{program} is not installed: `tools/deps.sh rootfs` installs it or names the package")
    return Path(found)


def installed(program: str) -> bool:
    return shutil.which(program, path=SEARCH) is not None


def libraries(program: Path) -> list[Library]:
    """All that the program is linked with, the dynamic linker too; none for a static one."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, env={"PATH": SEARCH, "LC_ALL": "C"})
    if absent := ABSENT.search(listing.stdout):
        raise Lacking(f"{program}: its library {absent[1]} is not installed")
    return [Library(Path(m[1] or m[2]).name, Path(m[2])) for m in NEEDED.finditer(listing.stdout)]


def place(library: Library) -> str:
    """Where it goes: the linker where programs name it, others where the linker looks, links to folders resolved."""
    if library.name.startswith("ld-"):
        return f"lib64/{library.name}"
    return str(library.path.parent.resolve() / library.name).lstrip("/")


def read(path: Path, mode: int) -> Entry:
    return stat.S_IFREG | mode, path.read_bytes()


def gather(programs: tuple[str, ...]) -> tuple[dict[str, Entry], set[Path]]:
    """The archive's entries by name, and the files that they were read from."""
    entries: dict[str, Entry] = {}
    sources: set[Path] = set()
    folders: set[Path] = set()
    for program in programs:
        path = find(program)
        entries[f"usr/bin/{program}"] = read(path, 0o755)
        sources.add(path.resolve())
        for library in libraries(path):
            entries[place(library)] = read(library.path, 0o755)
            sources.add(library.path.resolve())
            folders.add(library.path.parent.resolve())
    for path in [*(folder / name for folder in folders for name in LOADED), *map(Path, DATA)]:
        if path.exists():
            entries[str(path.parent.resolve() / path.name).lstrip("/")] = read(path, 0o644)
            sources.add(path.resolve())
    return entries, sources


def write_dependencies(out: Path, sources: set[Path]) -> None:
    """For make; a source that is gone is no error, so that a package's new version is gathered anew."""
    names = " ".join(sorted(map(str, sources)))
    Path(f"{out}.d").write_text(f"{out}: {names}\n{names}:\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--tree", type=Path, action="append", default=[])
    args = parser.parse_args()
    try:
        entries, sources = gather((*PROGRAMS, *filter(installed, OPTIONAL)))
    except Lacking as lacking:
        sys.exit(f"mkrootfs: {lacking}")
    for root in args.tree:
        entries |= tree(root)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(archive(entries))
    write_dependencies(args.out, sources)


if __name__ == "__main__":
    main()
