"""sim/run.py - run a scenario of sim/scenarios/: a table of what happened, plots (SVG), captures (pcapng).

usage: sim/run.py SCENARIO [--seed N] [--out DIRECTORY] [--duration TIME] [--capture] [--no-plots]; without SCENARIO: the list

The same seed gives the same packets; the digest in the last line says so.
"""
import argparse
import importlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from sim.network import Flow, Line, Network  # noqa: E402

SCENARIOS = Path(__file__).parent / "scenarios"
PLOTS = {"cwnd": "congestion window (segments)", "rtt": "smoothed round-trip time (ms)", "received": "received (MB)"}


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


def plot(net: Network, out: Path) -> list[Path]:
    made = []
    for key, title in PLOTS.items():
        scale = 1e-6 if key == "received" else 1
        series = {f"{flow.source.name} > {flow.sink.name}": [(s["time"], s[key] * scale) for s in flow.samples]
                  for flow in net.flows[:8] if flow.samples}
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
    made = [] if args.no_plots or not shutil.which("gnuplot") else plot(net, out)
    if not made and not args.no_plots:
        print("no plots: gnuplot is not installed (`make deps`)")
    print(f"\n{net.now():.0f} virtual s in {took:.1f} s; seed {args.seed}, digest {net.digest():016x}"
          + (f"; plots in {out}/" if made else ""))
    net.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
