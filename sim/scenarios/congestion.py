"""One flow of each congestion control, each over a bottleneck of its own: 20 Mbit/s, 40 ms, a queue of 70 frames."""
from sim.network import Network

DURATION = "30s"
# DCTCP's bottleneck marks what finds more than MARK frames waiting, and its receiver speaks DCTCP, too (RFC 8257 3.2).
KINDS = ("reno", "cubic", "vegas", "hd", "htcp", "dctcp", "bbr")
RATE, ROUND_TRIP, QUEUE, MARK = 20e6, 0.04, 70, 15  # bit/s, s, frames, frames


def build(net: Network) -> None:
    for kind in KINDS:
        sender, receiver = net.host(kind), net.host(f"to-{kind}")
        net.link(sender, receiver, rate=RATE, delay=ROUND_TRIP / 2, queue=QUEUE, mark=MARK if kind == "dctcp" else 0)
        if kind == "dctcp":
            net.knob(receiver, "net/ipv4/tcp_congestion_control", kind)
        net.flow(sender, receiver, size="100MB", congestion=kind)
