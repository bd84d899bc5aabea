"""grade/conformance/virtual.py - the house of the virtual kernel: build/libtowpath.so with an Ethernet wire, in virtual time."""
from ctypes import byref, c_int64, c_uint64, create_string_buffer, memmove, addressof, string_at
from collections import deque

from scapy.layers.l2 import Ether
from scapy.packet import Packet

from grade.conformance.house import House, octets
from grade.wire import GUEST_IP, GUEST_MAC, PEER_IP, arp_reply_for, checksum_error
from sim.towpath import LIBRARY, Device, Library, Process, World

FRAME_MOST = 2048
ARENA_SIZE = 1 << 18
SECOND = 10**9
REST = 120  # seconds after which nothing that an item did is under way: reassembly, half-open connections


class Virtual(House):
    """A world with one kernel at GUEST_IP and a wire whose other end is ours."""

    name, real_time = "virtual", False

    def __init__(self, path: str = LIBRARY, seed: int = 1, capture: str = "") -> None:
        super().__init__()
        self.tp = Library(path)
        self.tp.start(byref(World(seed=seed)))
        self.cable = self.tp.wire_create(b"wire", None)
        if capture:
            self.tp.wire_capture(self.cable, capture.encode())
        self.kernel = self.tp.kernel_create(b"host")
        card = Device()
        card.mac[:] = octets(GUEST_MAC)
        self.tp.device_add(self.kernel, b"eth0", self.cable, byref(card))
        self.port = self.tp.port_create(self.cable)
        self.tp.address_set(self.kernel, b"eth0", f"{GUEST_IP}/24".encode())
        self.tp.route_add(self.kernel, b"0.0.0.0/0", PEER_IP.encode())
        self.process = Process(self.tp, self.tp.process_create(self.kernel))
        self.arena = create_string_buffer(ARENA_SIZE)
        self.frames: deque[tuple[bytes, float]] = deque()

    # ---- the wire and the clock

    def now(self) -> float:
        return self.tp.now() / SECOND

    def send(self, frame: Packet | bytes) -> None:
        raw = bytes(frame)
        if len(raw) <= FRAME_MOST:  # as no card takes it, it is lost
            self.tp.inject(self.port, 0, raw, len(raw))
        self.tp.run_for(0)

    def pump(self) -> None:
        """Take what has come, and answer for ours."""
        raw, when = create_string_buffer(FRAME_MOST), c_uint64()
        while (n := self.tp.take(self.port, raw, FRAME_MOST, byref(when))) >= 0:
            frame = raw.raw[:n]
            if error := checksum_error(frame):
                self.errors.append(f"{error}: {frame.hex()}")
            reply = arp_reply_for(frame, self.hosts)
            if reply:
                self.tp.inject(self.port, 0, reply, len(reply))
            else:
                self.frames.append((frame, when.value / SECOND))

    def step(self, deadline: int) -> bool:
        """Let the next thing happen; False: nothing does before the deadline, and time now stands there."""
        self.tp.run_for(0)
        self.pump()
        following = self.tp.next()
        if following > deadline:
            self.tp.run_until(max(deadline, self.tp.now()))
            return False
        self.tp.run_until(following)
        self.pump()
        return True

    def receive(self, timeout: float) -> Packet | None:
        deadline = self.tp.now() + max(0, round(timeout * SECOND))
        self.pump()
        while not self.frames:
            if not self.step(deadline) and not self.frames:
                return None
        raw, when = self.frames.popleft()
        frame = Ether(raw)
        frame.time = when
        return frame

    def wait(self, seconds: float) -> None:
        deadline = self.tp.now() + round(seconds * SECOND)
        while self.step(deadline):
            pass

    # ---- calls

    def syscall(self, number: int, *arguments: int) -> int:
        words = (c_int64 * 6)(*[word - (1 << 64) if word >> 63 else word for word in arguments])
        call, result = self.tp.call_begin(self.process.handle, number, words), c_int64()
        while not self.tp.call_done(call, byref(result)):
            if not self.step(self.tp.now() + 3600 * SECOND):
                self.tp.call_interrupt(call)
        self.tp.call_end(call)
        return result.value

    def write(self, offset: int, data: bytes) -> int:
        assert offset + len(data) <= ARENA_SIZE
        memmove(addressof(self.arena) + offset, data, len(data))
        return addressof(self.arena) + offset

    def read(self, offset: int, count: int) -> bytes:
        assert offset + count <= ARENA_SIZE
        return string_at(addressof(self.arena) + offset, count)

    # ---- knobs and counters

    def read_knob(self, path: str) -> str:
        text = create_string_buffer(4096)
        self.tp.knob_get(self.kernel, path.encode(), text, len(text))
        return text.value.decode().strip()

    def write_knob(self, path: str, value: str) -> None:
        self.tp.knob_set(self.kernel, path.encode(), value.encode())

    def proc_net(self, name: str) -> str:
        text = create_string_buffer(1 << 16)
        if self.tp.proc_net(self.kernel, name.encode(), text, len(text)) < 0:
            raise FileNotFoundError(name)
        return text.value.decode()

    def at_rest(self) -> None:
        self.wait(REST)
        left = self.tp.packets_alive(self.kernel)
        assert not left, f"{left} packet buffers are left over"

    def close(self) -> None:
        self.process.exit()
        self.tp.run_for(3600 * SECOND)
        self.tp.port_destroy(self.port)
        self.tp.kernel_destroy(self.kernel)
        self.tp.wire_destroy(self.cable)
        self.tp.end()
