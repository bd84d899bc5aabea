"""Three bottlenecks in a row: one flow crosses all of them, each of three others crosses one."""
from sim.network import Network

DURATION = "60s"


def build(net: Network) -> None:
    routers = [net.router(f"r{i}") for i in range(4)]
    for a, b in zip(routers, routers[1:]):
        net.link(a, b, rate="10Mbit", delay="10ms", queue=60)

    def pair(name: str, first: int, last: int) -> None:
        source, sink = net.host(f"{name}-from"), net.host(f"{name}-to")
        net.link(source, routers[first], rate="100Mbit", delay="1ms")
        net.link(routers[last], sink, rate="100Mbit", delay="1ms")
        net.flow(source, sink, size="1GB")

    pair("long", 0, 3)
    for i in range(3):
        pair(f"short{i}", i, i + 1)
