"""ADSL: 20 Mbit/s down, 256 kbit/s up with a deep queue, and a transfer up that delays the acknowledgments of one down."""
from sim.network import Network

DURATION = "60s"


def build(net: Network) -> None:
    home, up, down, exchange, server = (net.host("home", forwards=True), net.router("up"), net.router("down"),
                                        net.router("exchange"), net.host("server"))
    net.link(home, up, rate="256kbit", delay="10ms", queue=50)
    net.link(up, exchange, rate="1Gbit", delay="1ms")
    net.link(home, down, rate="20Mbit", delay="40ms", queue=100)
    net.link(down, exchange, rate="1Gbit", delay="1ms")
    net.link(exchange, server, rate="1Gbit", delay="5ms")
    net.route(exchange, home, gateway=down)
    net.route(down, home, gateway=home)
    net.flow(server, home, size="20MB")
    net.flow(home, server, size="500kB", start="5s")
