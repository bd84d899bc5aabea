"""One flow of each congestion control, each over a bottleneck of its own: 20 Mbit/s, 40 ms, a queue of 70 frames."""
from sim.network import Network

DURATION = "30s"
KINDS = ("reno", "cubic", "vegas", "hd", "htcp", "dctcp", "bbr")
RATE, ROUND_TRIP, QUEUE = 20e6, 0.04, 70  # bit/s, s, frames


def build(net: Network) -> None:
    for kind in KINDS:
        sender, receiver = net.host(kind), net.host(f"to-{kind}")
        net.link(sender, receiver, rate=RATE, delay=ROUND_TRIP / 2, queue=QUEUE)
        net.flow(sender, receiver, size="100MB", congestion=kind)
