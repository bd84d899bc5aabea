"""Two senders, two receivers, one bottleneck of 10 Mbit/s between two routers; the second flow begins two seconds later."""
from sim.network import Network

DURATION = "40s"


def build(net: Network) -> None:
    left, right = net.router("left"), net.router("right")
    bottleneck = net.link(left, right, rate="10Mbit", delay="20ms", queue=50)
    assert bottleneck
    for i in (1, 2):
        sender, receiver = net.host(f"sender{i}"), net.host(f"receiver{i}")
        net.link(sender, left, rate="100Mbit", delay="1ms")
        net.link(right, receiver, rate="100Mbit", delay="1ms")
        net.flow(sender, receiver, size="20MB", start=f"{2 * i - 2}s")
