"""sim/run.py - run a scenario of sim/scenarios/: a table of what happened, plots (SVG), the numbers behind them (samples.csv),
captures (pcapng).

usage: sim/run.py SCENARIO [--seed N] [--out DIRECTORY] [--duration TIME] [--capture] [--no-plots]; without SCENARIO: the list

The same seed gives the same packets; the digest in the last line says so.
"""
import argparse
import importlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from sim.network import Flow, Line, Network  # noqa: E402

SCENARIOS = Path(__file__).parent / "scenarios"
PLOTS = {"cwnd": "congestion window (segments)", "rtt": "smoothed round-trip time (ms)", "throughput": "throughput (Mbit/s)",
         "sequence": "sequence number received (MB)"}
THROUGHPUT_OVER = 0.25  # seconds: a throughput is the mean of so long


def names() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.py"))


def list_scenarios() -> None:
    for name in names():
        doc = importlib.import_module(f"sim.scenarios.{name}").__doc__ or ""
        print(f"  {name:<14} {doc.strip()}")


def flow_row(flow: Flow, now: float) -> str:
    rtts = [sample["rtt"] for sample in flow.samples if sample["rtt"]]
    mean = sum(rtts) / len(rtts) if rtts else 0
    state = f"done at {flow.ended:8.3f} s" if flow.ended is not None else f"error {flow.error}" if flow.error else "under way"
    return (f"{flow.source.name + ' > ' + flow.sink.name:<24} {flow.received / 1e6:9.3f} {flow.goodput(now) / 1e6:9.3f} "
            f"{min(rtts, default=0):8.1f} {mean:8.1f} {max(rtts, default=0):8.1f}  {state}")


def line_row(line: Line) -> str:
    counts = line.counts()
    lengths = [length for _, length in line.queue]
    mean = sum(lengths) / len(lengths) if lengths else 0
    return (f"{line.name:<24} {counts.sent:9d} {counts.lost:9d} {counts.queue_drops:8d} {mean:8.1f} {max(lengths, default=0):8d}")


def print_tables(net: Network) -> None:
    print(f"{'flow':<24} {'MB':>9} {'Mbit/s':>9} {'RTT min':>8} {'mean':>8} {'max ms':>8}")
    for flow in net.flows:
        print(flow_row(flow, net.now()))
    print(f"\n{'line':<24} {'frames':>9} {'lost':>9} {'dropped':>8} {'queue':>8} {'longest':>8}")
    for line in net.lines:
        if line.link.queue_limit or line.counts().lost:
            print(line_row(line))


def gnuplot(out: Path, title: str, series: dict[str, list[tuple[float, float]]]) -> None:
    """One SVG with a curve for each series."""
    curves = [f"'-' with lines title '{name}'" for name in series]
    data = "".join("".join(f"{x} {y}\n" for x, y in points) + "e\n" for points in series.values())
    script = (f"set terminal svg size 900,420 noenhanced; set output '{out}'; set grid; set xlabel 'virtual time (s)'; "
              f"set ylabel '{title}'; set key outside; plot {', '.join(curves)}\n{data}")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def throughputs(flow: Flow) -> Iterator[float]:
    """Mbit/s that arrived in the time before each sample."""
    first = 0
    for sample in flow.samples:
        while flow.samples[first]["time"] < sample["time"] - THROUGHPUT_OVER:
            first += 1
        took = sample["time"] - flow.samples[first]["time"]
        yield (sample["received"] - flow.samples[first]["received"]) * 8e-6 / took if took else 0.0


def curves(flow: Flow) -> dict[str, list[tuple[float, float]]]:
    """What is plotted of a flow, by the names in PLOTS."""
    times = [sample["time"] for sample in flow.samples]
    values = {"cwnd": (s["cwnd"] for s in flow.samples), "rtt": (s["rtt"] for s in flow.samples),
              "throughput": throughputs(flow), "sequence": (s["received"] * 1e-6 for s in flow.samples)}
    return {key: list(zip(times, series)) for key, series in values.items()}


def write_samples(net: Network, out: Path) -> None:
    """samples.csv: a line a flow and time, the columns as in PLOTS."""
    with (out / "samples.csv").open("w") as file:
        print("flow", "time", *PLOTS, sep=",", file=file)
        for flow in net.flows:
            for row in zip(*curves(flow).values()):
                print(f"{flow.source.name} > {flow.sink.name}", f"{row[0][0]:.3f}", *(f"{y:.6g}" for _, y in row), sep=",", file=file)


def plot(net: Network, out: Path) -> list[Path]:
    made = []
    of_flows = {f"{flow.source.name} > {flow.sink.name}": curves(flow) for flow in net.flows[:8] if flow.samples}
    for key, title in PLOTS.items():
        series = {name: those[key] for name, those in of_flows.items()}
        if series:
            gnuplot(out / f"{key}.svg", title, series)
            made.append(out / f"{key}.svg")
    queues = {line.name: [(when, float(length)) for when, length in line.queue] for line in net.lines[:8] if line.queue}
    if queues:
        gnuplot(out / "queue.svg", "frames that wait", queues)
        made.append(out / "queue.svg")
    return made


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--duration")
    parser.add_argument("--capture", action="store_true")
    parser.add_argument("--no-plots", action="store_true")
    args = parser.parse_args()
    if args.scenario not in names():
        print(f"{args.scenario}: no such scenario; there are" if args.scenario else "Scenarios:")
        list_scenarios()
        return 2 if args.scenario else 0
    scenario = importlib.import_module(f"sim.scenarios.{args.scenario}")
    out = args.out or Path("build/sim") / args.scenario
    out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    net = Network(args.seed, out if args.capture else None)
    scenario.build(net)
    net.run(args.duration or scenario.DURATION, sample=getattr(scenario, "SAMPLE", "20ms"))
    took = time.monotonic() - start
    print_tables(net)
    write_samples(net, out)
    made = [] if args.no_plots or not shutil.which("gnuplot") else plot(net, out)
    if not made and not args.no_plots:
        print("no plots: gnuplot is not installed (`make deps`)")
    print(f"\n{net.now():.0f} virtual s in {took:.1f} s; seed {args.seed}, digest {net.digest():016x}"
          + (f"; plots in {out}/" if made else ""))
    net.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
