"""grade/vkernel.py - the virtual kernel from Python: build/libtowpath.so (sim/towpath.h) through ctypes.

Scapy's packets go in and come out; system calls take Python values. One world at a time in a process.
"""
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import (CDLL, CFUNCTYPE, POINTER, Structure, addressof, byref, c_bool, c_char_p, c_int, c_int64, c_long, c_size_t,
                    c_ssize_t, c_uint8, c_uint32, c_uint64, c_void_p, create_string_buffer)

from scapy.layers.inet import IP
from scapy.packet import Packet

LIBRARY = "build/libtowpath.so"
FRAME_MOST = 2048
TEXT = CFUNCTYPE(None, c_char_p)
SYSCALLS = {name: number for number, name in {
    0: "read", 1: "write", 3: "close", 7: "poll", 16: "ioctl", 32: "dup", 33: "dup2", 41: "socket", 42: "connect", 43: "accept",
    44: "sendto", 45: "recvfrom", 48: "shutdown", 49: "bind", 50: "listen", 51: "getsockname", 52: "getpeername",
    54: "setsockopt", 55: "getsockopt", 72: "fcntl"}.items()}


class World(Structure):
    _fields_ = [("seed", c_uint64), ("log", TEXT), ("panic", TEXT)]


class Link(Structure):
    _fields_ = [("delay_ns", c_uint64), ("bits_per_second", c_uint64), ("loss", c_uint32), ("duplicate", c_uint32),
                ("reorder", c_uint32), ("corrupt", c_uint32), ("reorder_delay_ns", c_uint64), ("raw_ip", c_bool),
                ("jitter_ns", c_uint64), ("burst_enter", c_uint32), ("burst_leave", c_uint32), ("burst_loss", c_uint32),
                ("discipline", c_int), ("queue_limit", c_uint32), ("red_min", c_uint32), ("red_max", c_uint32),
                ("red_chance", c_uint32), ("codel_target_ns", c_uint64), ("codel_interval_ns", c_uint64), ("down", c_bool)]


class Device(Structure):
    _fields_ = [("mac", c_uint8 * 6), ("mtu", c_uint32), ("rx_ring", c_uint32), ("tx_ring", c_uint32), ("checksums", c_bool)]


SIGNATURES = {
    "start": (c_int, POINTER(World)), "end": (None,), "now": (c_uint64,), "next": (c_uint64,), "digest": (c_uint64,),
    "run_until": (None, c_uint64), "run_for": (None, c_uint64),
    "wire_create": (c_void_p, c_char_p, POINTER(Link)), "wire_capture": (c_int, c_void_p, c_char_p), "wire_destroy": (None, c_void_p),
    "port_create": (c_void_p, c_void_p), "port_destroy": (None, c_void_p),
    "inject": (c_int, c_void_p, c_uint64, c_char_p, c_size_t), "take": (c_ssize_t, c_void_p, c_char_p, c_size_t, POINTER(c_uint64)),
    "kernel_create": (c_void_p, c_char_p), "kernel_destroy": (None, c_void_p),
    "device_add": (c_int, c_void_p, c_char_p, c_void_p, POINTER(Device)), "address_set": (c_int, c_void_p, c_char_p, c_char_p),
    "route_add": (c_int, c_void_p, c_char_p, c_char_p), "proc_net": (c_ssize_t, c_void_p, c_char_p, c_char_p, c_size_t),
    "packets_alive": (c_int64, c_void_p),
    "process_create": (c_void_p, c_void_p), "process_fork": (c_void_p, c_void_p), "process_exit": (None, c_void_p),
    "call_begin": (c_void_p, c_void_p, c_long, POINTER(c_int64)), "call_done": (c_bool, c_void_p, POINTER(c_int64)),
    "call_interrupt": (None, c_void_p), "call_end": (None, c_void_p), "syscall": (c_int64, c_void_p, c_long, *[c_int64] * 6),
}


def load(path: str = LIBRARY) -> CDLL:
    library = CDLL(os.path.abspath(path))
    for name, (result, *arguments) in SIGNATURES.items():
        function = getattr(library, f"tp_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def sockaddr(address: str, port: int) -> bytes:
    return struct.pack("<H", 2) + struct.pack(">H4B8x", port, *map(int, address.split(".")))


class Call:
    """A system call under way; what its pointers point to lives as long as this."""

    def __init__(self, process: "Process", name: str, arguments: tuple[object, ...]) -> None:
        self.tp, self.keep = process.tp, [create_string_buffer(a, len(a)) if isinstance(a, bytes) else a for a in arguments]
        words = [a if isinstance(a, int) else addressof(a) for a in self.keep]
        self.handle = self.tp.call_begin(process.handle, SYSCALLS[name], (c_int64 * 6)(*words))

    def done(self) -> bool:
        return bool(self.tp.call_done(self.handle, None))

    def interrupt(self) -> None:
        self.tp.call_interrupt(self.handle)

    def result(self) -> int:
        """What it returned; it must be done."""
        result = c_int64()
        assert self.tp.call_done(self.handle, byref(result)), "the call still waits"
        self.tp.call_end(self.handle)
        return result.value


class Process:
    """Who makes system calls. Arguments: numbers, bytes (read by the call) or buffers (written by it)."""

    def __init__(self, tp: "Library", handle: int) -> None:
        self.tp, self.handle = tp, handle

    def begin(self, name: str, *arguments: object) -> Call:
        return Call(self, name, arguments)

    def call(self, name: str, *arguments: object) -> int:
        """From beginning to end, in as much virtual time as it takes."""
        keep = [create_string_buffer(a, len(a)) if isinstance(a, bytes) else a for a in arguments]
        words = [a if isinstance(a, int) else addressof(a) for a in keep]
        return self.tp.syscall(self.handle, SYSCALLS[name], *words, *[0] * (6 - len(words)))

    def fork(self) -> "Process":
        return Process(self.tp, self.tp.process_fork(self.handle))

    def exit(self) -> None:
        self.tp.process_exit(self.handle)


class Library:
    """The library's functions without their prefix; functions that return an error raise OSError instead."""

    RAISING = {"start", "wire_capture", "inject", "device_add", "address_set", "route_add"}

    def __init__(self, path: str = LIBRARY) -> None:
        self.library = load(path)

    def __getattr__(self, name: str) -> object:
        function = getattr(self.library, f"tp_{name}")
        if name not in self.RAISING:
            return function

        def raising(*arguments: object) -> int:
            result = function(*arguments)
            if result < 0:
                raise OSError(-result, os.strerror(-result))
            return result
        return raising


class Host:
    """One virtual kernel at address, on a wire of bare IP packets whose other end is ours."""

    def __init__(self, tp: Library, address: str = "10.0.0.1/24", gateway: str = "10.0.0.2", capture: str = "") -> None:
        self.tp, self.address = tp, address.split("/")[0]
        self.wire = tp.wire_create(b"wire", byref(Link(raw_ip=True)))
        if capture:
            tp.wire_capture(self.wire, capture.encode())
        self.kernel = tp.kernel_create(b"host")
        tp.device_add(self.kernel, b"tun0", self.wire, None)
        tp.address_set(self.kernel, b"tun0", address.encode())
        tp.route_add(self.kernel, b"0.0.0.0/0", gateway.encode())
        self.port = tp.port_create(self.wire)
        self.processes: list[Process] = []

    def process(self) -> Process:
        self.processes.append(Process(self.tp, self.tp.process_create(self.kernel)))
        return self.processes[-1]

    def send(self, packet: Packet, when: int = 0) -> None:
        """Inject it at that virtual time (past: now), and let what is due now happen."""
        self.tp.inject(self.port, when, bytes(packet), len(bytes(packet)))
        self.tp.run_for(0)

    def take(self) -> Packet | None:
        """The oldest packet that the kernel has sent; its time is its arrival in seconds."""
        self.tp.run_for(0)  # what was sent now is on its way
        frame, when = create_string_buffer(FRAME_MOST), c_uint64()
        n = self.tp.take(self.port, frame, FRAME_MOST, byref(when))
        if n < 0:
            return None
        packet = IP(frame.raw[:n])
        packet.time = when.value / 1e9
        return packet

    def proc_net(self, name: str) -> str:
        text = create_string_buffer(1 << 16)
        if self.tp.proc_net(self.kernel, name.encode(), text, len(text)) < 0:
            raise FileNotFoundError(name)
        return text.value.decode()

    def end(self) -> None:
        for process in self.processes:
            process.exit()
        self.tp.run_for(3600 * 10**9)  # TIME-WAIT, and a FIN repeated for a peer who never answers
        assert self.tp.packets_alive(self.kernel) == 0
        self.tp.port_destroy(self.port)
        self.tp.kernel_destroy(self.kernel)
        self.tp.wire_destroy(self.wire)


@contextmanager
def host(seed: int = 1, capture: str = "", path: str = LIBRARY) -> Iterator[Host]:
    """A world with one Host in it."""
    tp = Library(path)
    tp.start(byref(World(seed=seed)))
    machine = Host(tp, capture=capture)
    yield machine
    machine.end()
    tp.end()
