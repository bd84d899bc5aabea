"""1,000 hosts behind 100 routers in a ring with chords, a stream of 1 Mbit/s from every second host to one far away."""
from sim.network import Network

DURATION = "60s"
SAMPLE = "1s"
HOSTS, ROUTERS = 1000, 100


def build(net: Network) -> None:
    build_sized(net, HOSTS, ROUTERS)


def build_sized(net: Network, hosts: int, routers: int) -> None:
    net.rx_ring = 8  # most of a node's memory; frames of one line arrive one after the other
    ring = [net.router(f"r{i}") for i in range(routers)]
    for i in range(routers if routers > 2 else routers - 1):
        net.link(ring[i], ring[(i + 1) % routers], rate="1Gbit", delay="1ms")
    for i in range(0, routers, 10):
        if routers > 20:
            net.link(ring[i], ring[(i + routers // 2) % routers], rate="1Gbit", delay="5ms")
    leaves = [net.host(f"h{i}") for i in range(hosts)]
    for i, leaf in enumerate(leaves):
        net.link(leaf, ring[i % routers], rate="1Mbit", delay="1ms", queue=20)
    for i in range(0, hosts - 1, 2):
        net.flow(leaves[i], leaves[(i + 1 + hosts // 2) % hosts], size="1GB", start=f"{i / hosts}s")
