"""sim/network.py - networks of virtual kernels: hosts, routers, switches, links, flows, and what is measured of them.

    net = Network(seed=1)
    a, r, b = net.host("a"), net.router("r"), net.host("b")
    net.link(a, r, rate="100Mbit", delay="1ms")
    net.link(r, b, rate="10Mbit", delay="20ms", queue=50, discipline="codel")
    flow = net.flow(a, b, size="10MB", start="1s")
    net.run("30s", sample="50ms")

Every link is a network of its own, 10.x.y.z/30, out of a block of 1,024 of them that belongs to one of its routers; so a
router needs one route for all links of another. Routes are the shortest paths by delay, set when the network first runs. Sizes and times are numbers (bytes, seconds) or text with a unit.
"""
import heapq
import re

from ctypes import byref, create_string_buffer
from dataclasses import dataclass, field
from pathlib import Path

from sim.towpath import Call, Counts, Device, Library, Link, Process, World, sockaddr

UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "bit": 1.0, "kbit": 1e3, "Mbit": 1e6, "Gbit": 1e9, "B": 1.0, "kB": 1e3,
         "MB": 1e6, "GB": 1e9, "%": 1e-2}
DISCIPLINES = {"droptail": 0, "red": 1, "codel": 2}
IPPROTO_TCP, TCP_CONGESTION, EINPROGRESS = 6, 13, 115
FIRST_PORT = 5000
BLOCK_BITS = 12  # of addresses: 1,024 links


def quantity(value: float | str) -> float:
    """A number with its unit: 0.5, "20ms", "10Mbit", "1%"."""
    if not isinstance(value, str):
        return float(value)
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z%]*)", value)
    if not match or match[2] not in UNITS:
        raise ValueError(f"{value}: a number with one of the units {', '.join(filter(None, UNITS))}")
    return float(match[1]) * UNITS[match[2]]


def nanoseconds(value: float | str) -> int:
    return round(quantity(value) * 1e9)


def per_million(value: float | str) -> int:
    return round(quantity(value) * 1e6)


def dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


@dataclass(eq=False)
class Node:
    """A virtual kernel: a host, or a router if it forwards."""

    net: "Network"
    name: str
    forwards: bool
    kernel: int
    process: Process
    interfaces: list["Interface"] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)  # first addresses of the blocks that its links are from
    links: int = 0

    @property
    def address(self) -> str:
        return dotted(self.interfaces[0].address)

    def proc_net(self, name: str) -> str:
        text = create_string_buffer(1 << 20)
        if self.net.tp.proc_net(self.kernel, name.encode(), text, len(text)) < 0:
            raise FileNotFoundError(name)
        return text.value.decode()

    def snmp(self) -> dict[str, int]:
        """The counters of /proc/net/snmp and /proc/net/netstat, `TcpRetransSegs` and the like."""
        rows = [line.split() for name in ("snmp", "netstat") for line in self.proc_net(name).splitlines()]
        pairs = zip(rows[::2], rows[1::2])
        return {head[0].rstrip(":") + key: int(value) for head, values in pairs for key, value in zip(head[1:], values[1:])}


@dataclass(eq=False)
class Interface:
    node: Node
    name: str
    address: int
    line: "Line"


@dataclass(eq=False)
class Line:
    """A link between two nodes, or a node and a switch."""

    net: "Network"
    name: str
    wire: int
    link: Link
    ends: list[Interface] = field(default_factory=list)
    queue: list[tuple[float, int]] = field(default_factory=list)  # time, frames that wait at its first end

    def change(self, **properties: int) -> None:
        """Other properties from now on: `down=True`, `delay_ns=...`, the names of struct tp_link."""
        for name, value in properties.items():
            setattr(self.link, name, value)
        self.net.tp.wire_set(self.wire, byref(self.link))

    def counts(self) -> Counts:
        counts = Counts()
        self.net.tp.wire_count(self.wire, byref(counts))
        return counts


@dataclass(eq=False)
class Flow:
    """A TCP connection that carries `size` bytes from one node to another."""

    source: Node
    sink: Node
    size: int
    start: int
    port: int
    congestion: str
    fd: int = -1
    opening: Call | None = None
    accepting: Call | None = None
    sending: Call | None = None
    receiving: Call | None = None
    begun: float = 0.0
    ended: float | None = None  # when the last byte had been received
    error: int = 0
    received: int = 0
    samples: list[dict[str, float]] = field(default_factory=list)

    def goodput(self, now: float) -> float:
        """bit/s from the first SYN to the last byte, or to now."""
        took = (self.ended if self.ended is not None else now) - self.begun
        return self.received * 8 / took if took > 0 else 0.0


class Network:
    """One world. Build it, let it run, look at it; `close` looks for leaks in every kernel."""

    def __init__(self, seed: int = 1, capture: Path | None = None) -> None:
        self.tp, self.capture, self.seed = Library(), capture, seed
        self.tp.start(byref(World(seed=seed)))
        self.nodes: list[Node] = []
        self.lines: list[Line] = []
        self.flows: list[Flow] = []
        self.switches: list[int] = []
        self.events: list[tuple[int, int, object]] = []
        self.routed = False
        self.blocks = 0
        self.rx_ring = 0  # slots of cards that are made from now on; 0: the library's default

    # ---- building

    def host(self, name: str, forwards: bool = False) -> Node:
        kernel = self.tp.kernel_create(name.encode())
        if forwards:
            self.tp.forwarding_set(kernel, True)
        self.nodes.append(Node(self, name, forwards, kernel, Process(self.tp, self.tp.process_create(kernel))))
        return self.nodes[-1]

    def router(self, name: str) -> Node:
        return self.host(name, forwards=True)

    def wire(self, name: str, rate: float | str = 0, delay: float | str = 0, loss: float | str = 0, duplicate: float | str = 0,
             reorder: float | str = 0, corrupt: float | str = 0, jitter: float | str = 0, queue: int = 0,
             discipline: str = "droptail", mark: int = 0,
             burst: tuple[float | str, float | str, float | str] = (0, 0, 0)) -> Line:
        """mark: a packet that finds more frames waiting is marked (ECN). burst: the chances that a frame begins a bad time, ends
        it, and is lost in it."""
        link = Link(delay_ns=nanoseconds(delay), bits_per_second=int(quantity(rate)), loss=per_million(loss),
                    duplicate=per_million(duplicate), reorder=per_million(reorder), corrupt=per_million(corrupt),
                    jitter_ns=nanoseconds(jitter), queue_limit=queue, discipline=DISCIPLINES[discipline],
                    mark_above=mark,
                    burst_enter=per_million(burst[0]), burst_leave=per_million(burst[1]), burst_loss=per_million(burst[2]))
        line = Line(self, name, self.tp.wire_create(name.encode()[:31], byref(link)), link)
        if self.capture:
            self.tp.wire_capture(line.wire, str(self.capture / f"{name}.pcapng").encode())
        self.lines.append(line)
        return line

    def attach(self, node: Node, line: Line, address: int, prefix: int) -> None:
        name = f"eth{len(node.interfaces)}"
        self.tp.device_add(node.kernel, name.encode(), line.wire, byref(Device(tx_ring=256, rx_ring=self.rx_ring)))
        self.tp.address_set(node.kernel, name.encode(), f"{dotted(address)}/{prefix}".encode())
        interface = Interface(node, name, address, line)
        node.interfaces.append(interface)
        line.ends.append(interface)

    def link(self, a: Node, b: Node, **properties: object) -> Line:
        """Join two nodes by a line; the properties are those of wire()."""
        line = self.wire(f"{a.name}-{b.name}", **properties)
        base = self.addresses(a if a.forwards else b)
        self.attach(a, line, base + 1, 30)
        self.attach(b, line, base + 2, 30)
        return line

    def addresses(self, owner: Node) -> int:
        """Four addresses of owner's block."""
        if owner.links % (1 << BLOCK_BITS - 2) == 0:
            self.blocks += 1
            owner.blocks.append((10 << 24) + (self.blocks << BLOCK_BITS))
        owner.links += 1
        return owner.blocks[-1] + 4 * ((owner.links - 1) % (1 << BLOCK_BITS - 2))

    def knob(self, node: Node, path: str, value: str) -> None:
        """Set a knob of node's kernel (doc/sysctl.md)."""
        if self.tp.knob_set(node.kernel, path.encode(), value.encode()):
            raise ValueError(f"{path} = {value}: no such knob, or no such value")

    # ---- routes

    def neighbours(self, node: Node) -> list[tuple[int, Node, Interface]]:
        """(cost in ns, neighbour, its interface) over each line of node."""
        return [(line.link.delay_ns + 1000, end.node, end)
                for line in (interface.line for interface in node.interfaces) for end in line.ends if end.node is not node]

    def routes_from(self, start: Node) -> dict[Node, Interface]:
        """Dijkstra: the first hop towards every other node. Hosts pass nothing on."""
        first: dict[Node, Interface] = {}
        done, count = {start}, 0
        heap: list[tuple[int, int, Node, Interface]] = []
        for cost, node, interface in self.neighbours(start):
            heapq.heappush(heap, (cost, count := count + 1, node, interface))
        while heap:
            cost, _, node, hop = heapq.heappop(heap)
            if node in done:
                continue
            done.add(node)
            first[node] = hop
            if node.forwards:
                for more, other, _ in self.neighbours(node):
                    heapq.heappush(heap, (cost + more, count := count + 1, other, hop))
        return first

    def set_routes(self) -> None:
        """A node with one line needs one route. A router has one for each block that is not its own."""
        self.routed = True
        for node in self.nodes:
            own = {interface.line for interface in node.interfaces}
            if len(own) == 1:
                gateways = [end for line in own for end in line.ends if end.node is not node and end.node.forwards]
                if gateways:
                    self.tp.route_add(node.kernel, b"0.0.0.0/0", dotted(gateways[0].address).encode())
                continue
            for other, hop in self.routes_from(node).items():
                for block in other.blocks:
                    destination = f"{dotted(block)}/{32 - BLOCK_BITS}"
                    self.tp.route_add(node.kernel, destination.encode(), dotted(hop.address).encode())

    def route(self, node: Node, destination: Node, gateway: Node) -> None:
        """Let node reach destination by its neighbour gateway, whatever the shortest path is."""
        hops = [end for _, other, end in self.neighbours(node) if other is gateway]
        if not hops:
            raise ValueError(f"{gateway.name} is no neighbour of {node.name}")
        self.tp.route_add(node.kernel, f"{destination.address}/32".encode(), dotted(hops[0].address).encode())

    # ---- traffic

    def flow(self, source: Node, sink: Node, size: float | str, start: float | str = 0, congestion: str = "") -> Flow:
        flow = Flow(source, sink, int(quantity(size)), nanoseconds(start), FIRST_PORT + len(self.flows), congestion)
        self.flows.append(flow)
        self.at(flow.start, lambda: self.open(flow))
        return flow

    def at(self, when: int, action: object) -> None:
        """Call action at that virtual time (ns)."""
        heapq.heappush(self.events, (when, len(self.events), action))

    def open(self, flow: Flow) -> None:
        server, client = flow.sink.process, flow.source.process
        listener = server.call("socket", 2, 1, 0)
        assert server.call("bind", listener, sockaddr("0.0.0.0", flow.port), 16) == 0
        assert server.call("listen", listener, 1) == 0
        flow.fd = client.call("socket", 2, 1, 0)
        if flow.congestion:
            name = flow.congestion.encode()
            if client.call("setsockopt", flow.fd, IPPROTO_TCP, TCP_CONGESTION, name, len(name)) < 0:
                raise ValueError(f"{flow.congestion}: no such congestion control")
        flow.begun = self.now()
        flow.accepting = server.begin("accept", listener, 0, 0)
        flow.opening = client.begin("connect", flow.fd, sockaddr(flow.sink.address, flow.port), 16)

    def attend(self, flow: Flow) -> None:
        """Do what the flow's calls, when they are done, make possible."""
        if flow.opening and flow.opening.done():
            flow.error = -flow.opening.result()
            flow.opening = None
            if not flow.error:
                flow.sending = flow.source.process.source(flow.fd, flow.size)
        if flow.accepting and flow.accepting.done():
            flow.receiving = flow.sink.process.sink(flow.accepting.result())
            flow.accepting = None
        if flow.sending and flow.sending.done():
            flow.error = min(0, flow.sending.result()) * -1
            flow.sending = None
            flow.source.process.call("shutdown", flow.fd, 1)
        if flow.receiving:
            flow.received = flow.receiving.progress()
            if flow.received == flow.size and flow.ended is None:
                flow.ended = self.now()
            if flow.receiving.done():
                flow.error = flow.error or -min(0, flow.receiving.result())
                flow.receiving = None

    def sample(self, flow: Flow) -> None:
        if flow.fd < 0 or flow.opening:
            return
        info = flow.source.process.tcp_info(flow.fd)
        flow.samples.append({"time": self.now(), "cwnd": info.snd_cwnd, "ssthresh": min(info.snd_ssthresh, 1 << 20),
                             "rtt": info.rtt / 1e3, "retransmitted": info.total_retrans, "received": flow.received})

    # ---- running

    def now(self) -> float:
        return self.tp.now() / 1e9

    def run(self, duration: float | str, sample: float | str = "10ms", observe: bool = True) -> None:
        """Let virtual time pass; every `sample` the flows are attended to and (observe) measured."""
        if not self.routed:
            self.set_routes()
        end, step = self.tp.now() + nanoseconds(duration), nanoseconds(sample)
        while (now := self.tp.now()) < end:
            until = min(end, now + step)
            while self.events and self.events[0][0] <= until:
                when, _, action = heapq.heappop(self.events)
                self.tp.run_until(max(when, now))
                action()
            self.tp.run_until(until)
            for flow in self.flows:
                self.attend(flow)
                if observe:
                    self.sample(flow)
            for line in self.lines if observe else ():
                if line.link.queue_limit:
                    first = line.ends[0]
                    line.queue.append((self.now(), self.tp.queue_length(first.node.kernel, first.name.encode())))

    def digest(self) -> int:
        return self.tp.digest()

    def close(self) -> None:
        for node in self.nodes:
            node.process.exit()
        self.tp.run_for(3600 * 10**9)  # what is in flight arrives, what is remembered is forgotten
        for node in self.nodes:
            assert self.tp.packets_alive(node.kernel) == 0, f"{node.name} has packets left over"
            self.tp.kernel_destroy(node.kernel)
        for switch in self.switches:
            self.tp.switch_destroy(switch)
        for line in self.lines:
            self.tp.wire_destroy(line.wire)
        self.tp.end()
