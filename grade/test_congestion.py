"""Congestion control in simulated networks, against the formulas of the papers and against its own kind."""
import csv
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from math import sqrt
from pathlib import Path

import pytest
from sim.network import Flow, Network
from sim.run import PLOTS
from sim.scenarios import congestion
from sim.scenarios.congestion import KINDS

MSS = 1448


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


def curves_of(svg: Path) -> dict[str, int]:
    """The names of the curves that gnuplot drew, and how many points each has."""
    drawn = svg.read_text().split('<g id="gnuplot_plot_')[1:]
    names = [re.search(r"<text>([^<]*)</text>", curve)[1].replace("&gt;", ">") for curve in drawn]
    return {name: len(re.findall(r"[ML ][\d.]+,[\d.]+", curve)) for name, curve in zip(names, drawn)}


def samples(folder: Path) -> dict[str, list[dict[str, float]]]:
    """samples.csv, by the flow's sender."""
    flows = defaultdict(list)
    with (folder / "samples.csv").open() as file:
        for row in csv.DictReader(file):
            flows[row.pop("flow").split(" ")[0]].append({key: float(value) for key, value in row.items()})
    return flows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's plots and numbers, of eight seconds."""
    folder = tmp_path_factory.mktemp("congestion")
    run = subprocess.run([sys.executable, "sim/run.py", "congestion", "--duration", "8s", "--out", folder], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot draws them")
def test_the_plots_have_a_curve_for_every_module(drawn: Path) -> None:
    for name in PLOTS:
        curves = curves_of(drawn / f"{name}.svg")
        assert set(curves) == {f"{kind} > to-{kind}" for kind in KINDS}
        assert min(curves.values()) > 100


def test_the_numbers_behind_the_plots_are_possible(drawn: Path) -> None:
    """No flow is faster than its line, or its round trip shorter than the way or longer than the way and the whole queue."""
    flows = samples(drawn)
    assert set(flows) == set(KINDS)
    for kind, rows in flows.items():
        longest = congestion.ROUND_TRIP + (congestion.QUEUE + 1) * 1514 * 8 / congestion.RATE
        measured = [row["rtt"] / 1e3 for row in rows if row["rtt"]]
        assert congestion.ROUND_TRIP <= min(measured) and max(measured) < longest + 0.01, kind
        # what waited behind a hole counts at once when that is filled: so no moment tells, but all until then does
        assert all(row["sequence"] * 8e6 <= congestion.RATE * row["time"] for row in rows), kind
        assert sum(row["throughput"] for row in rows) / len(rows) * 1e6 < congestion.RATE, kind
        assert all(0 <= later["sequence"] - row["sequence"] for row, later in zip(rows, rows[1:])), kind
        assert rows[-1]["sequence"] * 8e6 > 0.8 * congestion.RATE * rows[-1]["time"], kind
        assert len({row["cwnd"] for row in rows}) > 10, f"{kind}: the window moves"


def test_bbr_fills_a_lossy_line_that_reno_cannot_and_leaves_its_queue_short() -> None:
    """20 Mbit/s, 40 ms, one frame of a hundred lost by chance."""
    shares, waiting = {}, {}
    for kind in ("bbr", "reno"):
        net = Network(1)
        sender, receiver = net.host("sender"), net.host("receiver")
        line = net.link(sender, receiver, rate=congestion.RATE, delay=congestion.ROUND_TRIP / 2, queue=congestion.QUEUE)
        flow = net.flow(sender, receiver, size="1GB", congestion=kind)
        net.run("1s", sample="100ms", observe=False)
        line.change(loss=10_000)
        net.run("2s", sample="100ms", observe=False)
        before = flow.received
        net.run("15s", sample="20ms")
        shares[kind] = (flow.received - before) * 8 / 15 / congestion.RATE
        waiting[kind] = sum(length for _, length in line.queue) / len(line.queue)
        net.close()
    assert shares["bbr"] >= 0.9 and shares["reno"] < 0.4, shares
    assert waiting["bbr"] < 10, f"frames of {congestion.QUEUE}"


def test_reno_is_as_fast_as_the_formula_says() -> None:
    assert 0.85 < under_loss(0.01, 100) < 1.15


@pytest.mark.parametrize("kind", ["reno", "cubic", "bbr"])
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
