"""A geostationary satellite: 600 ms there and back, 10 Mbit/s, a little loss. Windows must scale."""
from sim.network import Network

DURATION = "120s"


def build(net: Network) -> None:
    home, dish, server = net.host("home"), net.router("dish"), net.host("server")
    net.link(home, dish, rate="100Mbit", delay="1ms")
    net.link(dish, server, rate="10Mbit", delay="299ms", queue=500, loss="0.01%")
    net.flow(server, home, size="20MB")
