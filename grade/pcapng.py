"""grade/pcapng.py - a capture file that Wireshark opens, each frame with its direction and, if any, a remark.

Section header, one Ethernet interface with nanosecond times, enhanced packet blocks: draft-ietf-opsawg-pcapng.
"""
import struct
import time
from pathlib import Path

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
LINKTYPE_ETHERNET = 1
OPT_COMMENT, IF_TSRESOL, EPB_FLAGS = 1, 9, 2
INBOUND, OUTBOUND = 1, 2  # as the guest sees it


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + padded(value)


def block(kind: int, body: bytes) -> bytes:
    total = len(body) + 12
    return struct.pack("<II", kind, total) + body + struct.pack("<I", total)


class Capture:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("wb")
        self.file.write(block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        nanoseconds = option(IF_TSRESOL, b"\x09") + option(0, b"")
        self.file.write(block(INTERFACE, struct.pack("<HHI", LINKTYPE_ETHERNET, 0, 0) + nanoseconds))

    def add(self, frame: bytes, direction: int, remark: str = "") -> None:
        now = time.time_ns()
        options = option(EPB_FLAGS, struct.pack("<I", direction))
        if remark:
            options += option(OPT_COMMENT, remark.encode())
        head = struct.pack("<IIIII", 0, now >> 32, now & 0xFFFFFFFF, len(frame), len(frame))
        self.file.write(block(PACKET, head + padded(frame) + options + option(0, b"")))

    def close(self) -> None:
        self.file.close()
