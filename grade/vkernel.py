"""grade/vkernel.py - a virtual kernel that speaks Scapy: one host on a wire of bare IP packets, whose other end is ours."""
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_uint64, create_string_buffer

from scapy.layers.inet import IP
from scapy.packet import Packet

from sim.towpath import LIBRARY, Library, Link, Process, World

FRAME_MOST = 2048


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
