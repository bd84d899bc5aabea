"""The simulator: scenarios run, and the same seed gives the same packets, byte for byte."""
import subprocess
import sys
from pathlib import Path

import pytest

from sim.network import Network, quantity
from sim.run import names
from sim.scenarios import lossy_radio

SEEDS = range(1, 51)


def captures(seed: int, folder: Path) -> dict[str, bytes]:
    """What was on every line of the radio scenario in half a virtual second, and the digest."""
    folder.mkdir()
    net = Network(seed, folder)
    lossy_radio.build(net)
    net.run("0.5s")
    result = {path.name: path.read_bytes() for path in folder.iterdir()} | {"digest": net.digest().to_bytes(8, "big")}
    net.close()
    return result


def test_the_same_seed_gives_the_same_packets(tmp_path: Path) -> None:
    seen = set()
    for seed in SEEDS:
        first, again = captures(seed, tmp_path / f"{seed}"), captures(seed, tmp_path / f"{seed}-again")
        assert first == again, f"replay it with: tools/python sim/run.py lossy_radio --seed {seed} --capture --duration 0.5s"
        seen.add(first["digest"])
    assert len(seen) == len(SEEDS), "other seeds give other packets"


@pytest.mark.parametrize("name", [name for name in names() if name not in ("large",)])
def test_a_scenario_runs(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "sim/run.py", name, "--duration", "3s", "--out", tmp_path, "--capture"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "digest" in run.stdout.splitlines()[-1]
    assert not [line for line in run.stdout.splitlines() if "error" in line]
    assert list(tmp_path.glob("*.pcapng"))


@pytest.mark.long
def test_a_thousand_hosts_behind_a_hundred_routers_in_one_run() -> None:
    """Each stream has half of its line of 1 Mbit/s from its first second on, and no card lacks a slot for a frame."""
    from sim.scenarios import large
    net = Network(seed=1)
    large.build(net)
    net.run("4s", sample="1s", observe=False)
    rates = [flow.received * 8 / (4 - flow.start / 1e9) for flow in net.flows]
    received = [line.split(":")[1].split() for node in net.nodes for line in node.proc_net("dev").splitlines()[2:]]
    lost = [counts for counts in received if counts[2:5] != ["0"] * 3]  # errs, drop, fifo
    net.close()
    assert (len(net.nodes), len(rates)) == (1100, 500)
    assert min(rates) > 0.5e6 and not lost


def test_two_flows_share_a_bottleneck_and_fill_it() -> None:
    """NewReno on the dumbbell: nine tenths of the line is goodput, and neither flow starves."""
    from sim.scenarios import dumbbell
    net = Network(seed=1)
    dumbbell.build(net)
    net.run("30s", sample="50ms", observe=False)
    rates = [flow.received * 8 / 30 for flow in net.flows]
    net.close()
    assert sum(rates) > 0.9 * 10e6
    assert min(rates) > 0.25 * sum(rates)


def test_quantities_have_units() -> None:
    assert (quantity("20ms"), quantity("10Mbit"), quantity("1%"), quantity(3)) == (0.02, 1e7, 0.01, 3.0)
    for wrong in ("20 parsecs", "fast", "1..2ms", ""):
        with pytest.raises(ValueError):
            quantity(wrong)


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    run = subprocess.run([sys.executable, "sim/run.py", "tsunami"], capture_output=True, text=True)
    assert run.returncode == 2
    assert "tsunami" in run.stdout and "dumbbell" in run.stdout
