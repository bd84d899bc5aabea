"""Congestion control in simulated networks, against the formulas of the papers and against its own kind."""
from math import sqrt

import pytest
from sim.network import Flow, Network

MSS = 1448
KINDS = ["reno", "cubic", "vegas", "hd", "htcp"]


def rate(net: Network, flow: Flow, seconds: int) -> float:
    """bit/s from now on."""
    before, began = flow.received, net.now()
    net.run(f"{seconds}s", sample="100ms", observe=False)
    return (flow.received - before) * 8 / (net.now() - began)


def under_loss(chance: float, seconds: int) -> float:
    """The share of what Mathis, Semke, Mahdavi and Ott (1997) predict for Reno: MSS / RTT * sqrt(3 / 2) / sqrt(p)."""
    round_trip = 0.05
    net = Network(1)
    sender, receiver = net.host("sender"), net.host("receiver")
    line = net.link(sender, receiver, delay=f"{round_trip / 2}s")
    flow = net.flow(sender, receiver, size="2GB", congestion="reno")
    net.run("2s", sample="100ms", observe=False)
    line.change(loss=int(chance * 1e6))
    net.run("10s", sample="100ms", observe=False)
    share = rate(net, flow, seconds) / (MSS * 8 / round_trip * sqrt(1.5 / chance))
    net.close()
    return share


def fairness(kind: str, seconds: int) -> float:
    """Jain's index of two flows through one bottleneck, the second begun a second later."""
    net = Network(1)
    left, right = net.router("left"), net.router("right")
    net.link(left, right, rate="10Mbit", delay="20ms", queue=50)
    flows = []
    for i in (1, 2):
        sender, receiver = net.host(f"sender{i}"), net.host(f"receiver{i}")
        net.link(sender, left, rate="100Mbit", delay="1ms")
        net.link(right, receiver, rate="100Mbit", delay="1ms")
        flows.append(net.flow(sender, receiver, size="1GB", start=f"{i - 1}s", congestion=kind))
    net.run("20s", sample="100ms", observe=False)
    before = [flow.received for flow in flows]
    net.run(f"{seconds}s", sample="100ms", observe=False)
    got = [flow.received - start for flow, start in zip(flows, before)]
    net.close()
    return sum(got) ** 2 / (2 * sum(n * n for n in got))


def test_reno_is_as_fast_as_the_formula_says() -> None:
    assert 0.85 < under_loss(0.01, 100) < 1.15


@pytest.mark.parametrize("kind", ["reno", "cubic"])
def test_two_flows_of_a_kind_share(kind: str) -> None:
    assert fairness(kind, 30) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("chance, seconds", [(0.01, 500), (0.003, 500), (0.001, 800), (0.0003, 800), (0.0001, 1500)])
def test_reno_is_as_fast_as_the_formula_says_at_every_loss(chance: float, seconds: int) -> None:
    assert 0.85 < under_loss(chance, seconds) < 1.15


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_two_flows_of_each_kind_share(kind: str) -> None:
    assert fairness(kind, 120) >= 0.95
