"""bench/simulation.py - how the simulator grows: virtual seconds a real second and memory a host, at 10 to 10,000 hosts.

usage: bench/simulation.py [--seconds VIRTUAL] [HOSTS]...

Each size runs in a process of its own: scenario `large`, a stream of 1 Mbit/s from every second host across the routers.
"""
import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from sim.network import Network  # noqa: E402
from sim.scenarios.large import build_sized  # noqa: E402

SIZES = [10, 100, 1000, 10000]


def measure(hosts: int, seconds: float) -> str:
    """One line of the table."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    net = Network(seed=1)
    build_sized(net, hosts, min(100, max(2, hosts // 10)))
    net.set_routes()
    built = resource.getrusage(resource.RUSAGE_SELF)
    start = time.process_time()
    net.run(seconds, sample="1s", observe=False)
    took = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss
    frames = sum(line.counts().sent for line in net.lines)
    return (f"{hosts:7d} {len(net.nodes) - hosts:8d} {built.ru_utime - before.ru_utime:8.1f} {took:8.1f} {seconds / took:13.2f} "
            f"{frames:10d} {frames / took / 1e3:9.0f} {peak / len(net.nodes):8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--one", action="store_true", help="measure a single size in this process")
    parser.add_argument("hosts", type=int, nargs="*", default=SIZES)
    args = parser.parse_args()
    if args.one:
        print(measure(args.hosts[0], args.seconds))
        return
    print(f"{'hosts':>7} {'routers':>8} {'set-up s':>8} {'CPU s':>8} {'virtual/CPU s':>13} {'frames':>10} {'k/CPU s':>9} {'KiB/node':>8}")
    for hosts in args.hosts:
        subprocess.run([sys.executable, __file__, "--one", "--seconds", str(args.seconds), str(hosts)], check=True)


if __name__ == "__main__":
    main()
