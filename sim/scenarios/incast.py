"""A data centre: 32 servers answer one client at once through a switch-like port of 1 Gbit/s with a small buffer."""
from sim.network import Network

DURATION = "10s"


def build(net: Network) -> None:
    port, client = net.router("port"), net.host("client")
    net.link(port, client, rate="1Gbit", delay="10us", queue=64)
    for i in range(32):
        server = net.host(f"server{i}")
        net.link(server, port, rate="1Gbit", delay="10us")
        net.flow(server, client, size="256kB", start="10ms")
