"""The dumbbell with a deep queue that CoDel keeps short: the same goodput, a tenth of the delay."""
from sim.network import Network

DURATION = "40s"


def build(net: Network) -> None:
    left, right = net.router("left"), net.router("right")
    net.link(left, right, rate="10Mbit", delay="20ms", queue=1000, discipline="codel")
    for i in (1, 2):
        sender, receiver = net.host(f"sender{i}"), net.host(f"receiver{i}")
        net.link(sender, left, rate="100Mbit", delay="1ms")
        net.link(right, receiver, rate="100Mbit", delay="1ms")
        net.flow(sender, receiver, size="20MB", start=f"{2 * i - 2}s")
