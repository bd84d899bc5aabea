"""A line that is down for a second in every five: connections must survive and go on soon."""
from sim.network import Network

DURATION = "60s"


def build(net: Network) -> None:
    a, r, b = net.host("a"), net.router("r"), net.host("b")
    net.link(a, r, rate="100Mbit", delay="1ms")
    line = net.link(r, b, rate="10Mbit", delay="10ms", queue=100)
    net.flow(a, b, size="30MB")
    for second in range(4, 60, 5):
        net.at(second * 10**9, lambda: line.change(down=True))
        net.at((second + 1) * 10**9, lambda: line.change(down=False))
