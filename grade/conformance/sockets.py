"""grade/conformance/sockets.py - a socket of the host under test: Linux's x86-64 calls and structures, written once.

Where things lie in the host's memory is chosen here; only one call at a time uses it.
"""
import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.towpath import sockaddr

if TYPE_CHECKING:
    from grade.conformance.house import House

CLOSE, POLL, IOCTL, SOCKET, CONNECT, ACCEPT, SENDTO, RECVMSG, BIND, LISTEN = 3, 7, 16, 41, 42, 43, 44, 47, 49, 50
GETSOCKNAME, GETPEERNAME, SETSOCKOPT, GETSOCKOPT = 51, 52, 54, 55
NONBLOCK = 0o4000
NAME, LENGTH, EVENTS, HEADER, VECTOR, CONTROL, DATA = 0, 0x40, 0x60, 0x80, 0x100, 0x200, 0x1000
CONTROL_MOST, DATA_MOST = 0x400, 0x20000
POLLIN = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCADDRT, SIOCSIFMTU, IFF_UP = 0x8913, 0x8914, 0x890B, 0x8922, 1


class Refused(OSError):
    """A call of the host's that failed."""


@dataclass
class Message:
    """What was received: data, from whom, how long it was before it was cut, flags, and control messages."""

    data: bytes
    source: tuple[str, int] | None
    length: int
    flags: int
    control: bytes

    @property
    def truncated(self) -> bool:
        return bool(self.flags & socket.MSG_TRUNC)


class Socket:
    def __init__(self, host: "House", kind: int, protocol: int) -> None:
        self.host = host
        self.fd = self.must(host.syscall(SOCKET, socket.AF_INET, kind | NONBLOCK, protocol))

    @staticmethod
    def must(result: int) -> int:
        if result < 0:
            raise Refused(-result, os.strerror(-result))
        return result

    def call(self, number: int, *arguments: int) -> int:
        return self.must(self.host.syscall(number, self.fd, *arguments))

    def at(self, offset: int, data: bytes) -> int:
        return self.host.write(offset, data)

    def bind(self, address: str = "0.0.0.0", port: int = 0) -> int:
        """The port that it has then."""
        self.call(BIND, self.at(NAME, sockaddr(address, port)), 16)
        return self.name()[1]

    def connect(self, address: str, port: int) -> "Socket":
        """A TCP connection is only begun."""
        result = self.host.syscall(CONNECT, self.fd, self.at(NAME, sockaddr(address, port)), 16)
        self.must(0 if result == -errno.EINPROGRESS else result)
        return self

    def name(self) -> tuple[str, int]:
        length = self.at(LENGTH, struct.pack("<I", 16))
        self.call(GETSOCKNAME, self.at(NAME, bytes(16)), length)
        return parse_name(self.host.read(NAME, 16))

    def send(self, data: bytes, address: str = "", port: int = 0, flags: int = 0) -> int:
        name = self.at(NAME, sockaddr(address, port)) if address else 0
        return self.call(SENDTO, self.at(DATA, data or b"\0"), len(data), flags, name, 16 if address else 0)

    def ready(self, timeout: float) -> bool:
        """Is there something to receive, an error for instance?"""
        events = self.at(EVENTS, struct.pack("<iHH", self.fd, POLLIN, 0))
        return self.must(self.host.syscall(POLL, events, 1, int(timeout * 1000))) > 0

    def receive(self, size: int = 2048, timeout: float = 5.0, flags: int = 0) -> Message:
        """The next datagram, or an error as Refused (EAGAIN: there is none)."""
        if timeout:
            self.ready(timeout)
        name, data, control = self.at(NAME, bytes(16)), self.at(DATA, b"\0"), self.at(CONTROL, b"\0")
        vector = self.at(VECTOR, struct.pack("<QQ", data, size))
        header = self.at(HEADER, struct.pack("<QI4xQQQQI4x", name, 16, vector, 1, control, CONTROL_MOST, 0))
        length = self.call(RECVMSG, header, flags)
        _, name_len, _, _, _, used, flags = struct.unpack("<QI4xQQQQI4x", self.host.read(HEADER, 56))
        source = parse_name(self.host.read(NAME, 16)) if name_len == 16 else None
        got = self.host.read(DATA, min(length, size)) if length and size else b""
        return Message(got, source, length, flags, self.host.read(CONTROL, used) if used else b"")

    def empty(self) -> bool:
        """Nothing has come, neither data nor error."""
        try:
            self.receive(timeout=0)
            return False
        except Refused as error:
            return error.errno == errno.EAGAIN

    def set(self, level: int, option: int, value: int) -> None:
        self.call(SETSOCKOPT, level, option, self.at(DATA, struct.pack("<i", value)), 4)

    def get(self, level: int, option: int) -> int:
        data, length = self.at(DATA, bytes(4)), self.at(LENGTH, struct.pack("<I", 4))
        self.call(GETSOCKOPT, level, option, data, length)
        return struct.unpack("<i", self.host.read(DATA, 4))[0]

    def error(self) -> int:
        """SO_ERROR, which is thereby 0."""
        return self.get(socket.SOL_SOCKET, socket.SO_ERROR)

    def ioctl(self, request: int, argument: bytes) -> bytes:
        self.call(IOCTL, request, self.at(DATA, argument))
        return self.host.read(DATA, len(argument))

    def close(self) -> None:
        if self.fd >= 0:
            self.host.syscall(CLOSE, self.fd)
        self.fd = -1


def parse_name(raw: bytes) -> tuple[str, int]:
    return socket.inet_ntoa(raw[4:8]), int.from_bytes(raw[2:4], "big")


# ---- interfaces, as ifconfig and route ask for them (netdevice(7))

def ifreq(value: bytes) -> bytes:
    return struct.pack("<16s24s", device_name.encode(), value)


device_name = "eth0"


def set_up(host: "House", up: bool, gateway: str) -> None:
    """ifconfig eth0 up or down; up again, it needs its default route again."""
    control = host.socket()
    flags = struct.unpack_from("<H", control.ioctl(SIOCGIFFLAGS, ifreq(b"")), 16)[0]
    control.ioctl(SIOCSIFFLAGS, ifreq(struct.pack("<H", flags | IFF_UP if up else flags & ~IFF_UP)))
    if up:
        default_route(control, gateway)


def default_route(control: Socket, gateway: str) -> None:
    everything = sockaddr("0.0.0.0", 0)
    rtf_up, rtf_gateway = 1, 2
    entry = struct.pack("<Q16s16s16sH", 0, everything, sockaddr(gateway, 0), everything, rtf_up | rtf_gateway)
    try:
        control.ioctl(SIOCADDRT, entry + bytes(120 - len(entry)))
    except Refused as error:
        if error.errno != errno.EEXIST:
            raise


def set_mtu(host: "House", mtu: int) -> None:
    host.socket().ioctl(SIOCSIFMTU, ifreq(struct.pack("<i", mtu)))
