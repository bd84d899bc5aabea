"""sim/towpath.py - the virtual kernel from Python: build/libtowpath.so (sim/towpath.h) through ctypes.

The functions have the names of the header without their prefix; system calls take Python values. One world at a time in a
process. Linux's names and numbers: struct tcp_info's layout is <linux/tcp.h>'s.
"""
import os
import struct
from ctypes import (CDLL, CFUNCTYPE, POINTER, Structure, addressof, byref, c_bool, c_char_p, c_int, c_int64, c_long, c_size_t,
                    c_ssize_t, c_uint8, c_uint32, c_uint64, c_void_p, create_string_buffer)

LIBRARY = "build/libtowpath.so"
TEXT = CFUNCTYPE(None, c_char_p)
SYSCALLS = {name: number for number, name in {
    0: "read", 1: "write", 3: "close", 7: "poll", 16: "ioctl", 23: "select", 32: "dup", 33: "dup2", 41: "socket", 42: "connect", 43: "accept",
    44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 48: "shutdown", 49: "bind", 50: "listen", 51: "getsockname", 52: "getpeername",
    53: "socketpair", 54: "setsockopt", 55: "getsockopt", 72: "fcntl", 270: "pselect6", 271: "ppoll"}.items()}


class World(Structure):
    _fields_ = [("seed", c_uint64), ("log", TEXT), ("panic", TEXT)]


class Link(Structure):
    _fields_ = [("delay_ns", c_uint64), ("bits_per_second", c_uint64), ("loss", c_uint32), ("duplicate", c_uint32),
                ("reorder", c_uint32), ("corrupt", c_uint32), ("reorder_delay_ns", c_uint64), ("raw_ip", c_bool),
                ("jitter_ns", c_uint64), ("burst_enter", c_uint32), ("burst_leave", c_uint32), ("burst_loss", c_uint32),
                ("discipline", c_int), ("queue_limit", c_uint32), ("red_min", c_uint32), ("red_max", c_uint32),
                ("red_chance", c_uint32), ("codel_target_ns", c_uint64), ("codel_interval_ns", c_uint64), ("down", c_bool),
                ("mark_above", c_uint32)]


class Device(Structure):
    _fields_ = [("mac", c_uint8 * 6), ("mtu", c_uint32), ("rx_ring", c_uint32), ("tx_ring", c_uint32), ("checksums", c_bool)]


class Counts(Structure):
    _fields_ = [("sent", c_uint64), ("delivered", c_uint64), ("lost", c_uint64), ("queue_drops", c_uint64)]


class TcpInfo(Structure):
    """The first part of struct tcp_info; times in microseconds."""

    _fields_ = [*[(name, c_uint8) for name in ("state", "ca_state", "retransmits", "probes", "backoff", "options", "wscale", "flags")],
                *[(name, c_uint32) for name in (
                    "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets", "last_data_sent",
                    "last_ack_sent", "last_data_recv", "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh",
                    "snd_cwnd", "advmss", "reordering", "rcv_rtt", "rcv_space", "total_retrans")]]


SIGNATURES = {
    "start": (c_int, POINTER(World)), "end": (None,), "now": (c_uint64,), "next": (c_uint64,), "digest": (c_uint64,),
    "run_until": (None, c_uint64), "run_for": (None, c_uint64),
    "wire_create": (c_void_p, c_char_p, POINTER(Link)), "wire_capture": (c_int, c_void_p, c_char_p), "wire_destroy": (None, c_void_p),
    "port_create": (c_void_p, c_void_p), "port_destroy": (None, c_void_p),
    "inject": (c_int, c_void_p, c_uint64, c_char_p, c_size_t), "take": (c_ssize_t, c_void_p, c_char_p, c_size_t, POINTER(c_uint64)),
    "kernel_create": (c_void_p, c_char_p), "kernel_destroy": (None, c_void_p),
    "device_add": (c_int, c_void_p, c_char_p, c_void_p, POINTER(Device)), "address_set": (c_int, c_void_p, c_char_p, c_char_p),
    "route_add": (c_int, c_void_p, c_char_p, c_char_p), "proc_net": (c_ssize_t, c_void_p, c_char_p, c_char_p, c_size_t),
    "knob_set": (c_int, c_void_p, c_char_p, c_char_p), "knob_get": (c_ssize_t, c_void_p, c_char_p, c_char_p, c_size_t),
    "packets_alive": (c_int64, c_void_p),
    "wire_set": (None, c_void_p, POINTER(Link)), "wire_count": (None, c_void_p, POINTER(Counts)),
    "switch_create": (c_void_p,), "switch_join": (None, c_void_p, c_void_p), "switch_destroy": (None, c_void_p),
    "queue_length": (c_int64, c_void_p, c_char_p), "forwarding_set": (None, c_void_p, c_bool),
    "process_create": (c_void_p, c_void_p), "process_fork": (c_void_p, c_void_p), "process_exit": (None, c_void_p),
    "call_begin": (c_void_p, c_void_p, c_long, POINTER(c_int64)), "call_done": (c_bool, c_void_p, POINTER(c_int64)),
    "source_begin": (c_void_p, c_void_p, c_int, c_uint64), "sink_begin": (c_void_p, c_void_p, c_int),
    "call_progress": (c_int64, c_void_p), "call_interrupt": (None, c_void_p), "call_end": (None, c_void_p), "syscall": (c_int64, c_void_p, c_long, *[c_int64] * 6),
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
    """A system call under way; what its pointers point to (keep) lives as long as this."""

    def __init__(self, tp: "Library", handle: int, keep: object = None) -> None:
        self.tp, self.handle, self.keep = tp, handle, keep

    def progress(self) -> int:
        """Bytes, of a source or sink."""
        return self.tp.call_progress(self.handle)

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


def pointers(arguments: tuple[object, ...]) -> tuple[list[object], list[int]]:
    """What must live while a call is under way, and the words to pass."""
    keep = [create_string_buffer(a, len(a)) if isinstance(a, bytes) else a for a in arguments]
    return keep, [a if isinstance(a, int) else addressof(a) for a in keep]


class Process:
    """Who makes system calls. Arguments: numbers, bytes (read by the call) or buffers (written by it)."""

    def __init__(self, tp: "Library", handle: int) -> None:
        self.tp, self.handle = tp, handle

    def begin(self, name: str, *arguments: object) -> Call:
        keep, words = pointers(arguments)
        return Call(self.tp, self.tp.call_begin(self.handle, SYSCALLS[name], (c_int64 * 6)(*words)), keep)

    def call(self, name: str, *arguments: object) -> int:
        """From beginning to end, in as much virtual time as it takes."""
        _keep, words = pointers(arguments)
        return self.tp.syscall(self.handle, SYSCALLS[name], *words, *[0] * (6 - len(words)))

    def source(self, fd: int, size: int) -> Call:
        return Call(self.tp, self.tp.source_begin(self.handle, fd, size))

    def sink(self, fd: int) -> Call:
        return Call(self.tp, self.tp.sink_begin(self.handle, fd))

    def tcp_info(self, fd: int) -> TcpInfo:
        info, size = TcpInfo(), c_int(104)
        if self.call("getsockopt", fd, 6, 11, info, size) < 0:  # IPPROTO_TCP, TCP_INFO
            raise OSError("not a TCP socket")
        return info

    def fork(self) -> "Process":
        return Process(self.tp, self.tp.process_fork(self.handle))

    def exit(self) -> None:
        self.tp.process_exit(self.handle)


class Library:
    """The library's functions without their prefix; functions that return an error raise OSError instead."""

    RAISING = {"start", "wire_capture", "inject", "device_add", "address_set", "route_add", "knob_set", "knob_get"}

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
