"""tools/mkinitramfs.py - the initramfs: busybox, a tree and programs as one cpio archive ("newc").

No root needed and the same bytes every time: owner 0, time 0, entries sorted. Linux: initramfs buffer format.
"""
import argparse
import os
import stat
import sys
from pathlib import Path

Entry = tuple[int, bytes]  # mode, contents


def record(name: str, mode: int, data: bytes, inode: int) -> bytes:
    links = 2 if stat.S_ISDIR(mode) else 1
    raw = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return pad(head) + pad(data)


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def folder(name: str) -> Entry:
    """Everybody may put files into /tmp, and take away their own."""
    return (stat.S_IFDIR | (0o1777 if name == "tmp" else 0o755), b"")


def archive(entries: dict[str, Entry]) -> bytes:
    """Parents come before children because a shorter name sorts first."""
    complete = dict(entries)
    for name in entries:
        for parent in Path(name).parents:
            if str(parent) != ".":
                complete.setdefault(str(parent), folder(str(parent)))
    out = b"".join(record(name, *complete[name], inode) for inode, name in enumerate(sorted(complete), 1))
    return out + record("TRAILER!!!", 0, b"", 0)


def tree(root: Path) -> dict[str, Entry]:
    """Every file, folder and link under root, by its name below root."""
    entries: dict[str, Entry] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            entries[name] = (stat.S_IFLNK | 0o777, os.readlink(path).encode())
        elif path.is_dir():
            entries[name] = folder(name)
        else:
            executable = path.stat().st_mode & 0o100
            entries[name] = (stat.S_IFREG | (0o755 if executable else 0o644), path.read_bytes())
    return entries


def applets(binary: bytes) -> list[str]:
    """The names that a busybox answers to: its own table, so that it need not be run (no Linux, no x86-64 here)."""
    start = binary.find(b"[\0[[\0")
    if start < 0:
        raise ValueError("no busybox: its table of applets is not in it")
    return binary[start:binary.index(b"\0\0", start)].decode().split("\0")


def busybox(path: Path) -> dict[str, Entry]:
    """The program in /bin, unmodified, and a link for each of its names; /sbin and /usr hold what looks there."""
    binary = path.read_bytes()
    if binary[:4] != b"\x7fELF" or b"/ld-linux" in binary or b"/ld-musl" in binary:
        raise ValueError(f"{path} is not a static busybox (Debian: busybox-static)")
    links = {f"bin/{name}": (stat.S_IFLNK | 0o777, b"busybox") for name in applets(binary)}
    return {**links, "bin/busybox": (stat.S_IFREG | 0o755, binary),
            "usr/bin/env": (stat.S_IFLNK | 0o777, b"../../bin/busybox")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--busybox", type=Path, help="a static busybox; goes to /bin with its names")
    parser.add_argument("--tree", type=Path, action="append", default=[])
    parser.add_argument("--program", type=Path, action="append", default=[], help="goes to /bin")
    parser.add_argument("--test", type=Path, action="append", default=[], help="goes to /tests")
    args = parser.parse_args()
    try:
        entries = busybox(args.busybox) if args.busybox else {}
    except (OSError, ValueError) as error:
        sys.exit(f"mkinitramfs: {error}")
    for root in args.tree:
        entries |= tree(root)
    for folder, programs in (("bin", args.program), ("tests", args.test)):
        for program in programs:
            entries[f"{folder}/{program.name}"] = (stat.S_IFREG | 0o755, program.read_bytes())
    args.out.write_bytes(archive(entries))


if __name__ == "__main__":
    main()
