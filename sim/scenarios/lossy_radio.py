"""A radio link of 20 Mbit/s: loss in bursts, jitter, some frames out of order, damaged or doubled."""
from sim.network import Network

DURATION = "60s"


def build(net: Network) -> None:
    station, base, server = net.host("station"), net.router("base"), net.host("server")
    net.link(station, base, rate="20Mbit", delay="5ms", jitter="10ms", reorder="0.5%", corrupt="0.05%", duplicate="0.1%",
             burst=("0.2%", "20%", "50%"), queue=100)
    net.link(base, server, rate="1Gbit", delay="15ms")
    net.flow(server, station, size="20MB")
    net.flow(station, server, size="5MB", start="1s")
