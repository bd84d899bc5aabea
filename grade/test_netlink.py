"""Debian's ip and busybox's, unmodified, in the guest: what they print is what they print on Linux, line for line.

Each story is told twice: in the guest, whose eth0 is a card, and in a fresh network namespace of the host, whose eth0 is one
end of a pair. What has to differ is levelled: indices, the queueing discipline, what only Linux has.
"""
import json
import re
import subprocess
from pathlib import Path

import pytest

from grade.machine import Machine
from grade.plugin import Machines

BEGIN = ("ip link set lo up; ip addr flush dev eth0; ip route flush table main 2>/dev/null; ip link set eth0 down; "
         "ip link set eth0 address 02:00:00:00:00:01; ip link set eth0 mtu 1500; ip link set eth0 up\n")
ON_LINUX = "ip link add eth0 type veth peer name other; ip link set other up\n"
SAY = 'r() { echo "\\$ $*"; "$@" 2>&1; }\n'
HERE = {"Debian's": "/sbin/ip", "busybox's": "busybox ip"}
THERE = {"Debian's": "/usr/bin/ip", "busybox's": "busybox ip"}

ADDRESSES = """
r ip addr add 10.1.1.1/24 dev eth0
r ip addr add 10.1.1.2/24 dev eth0
r ip addr add 10.1.2.1/24 brd + dev eth0 label eth0:x
r ip addr add 10.1.3.1/24 brd 10.1.3.255 dev eth0 scope link
r ip -4 addr show dev eth0
r ip -4 addr show lo
r ip -4 route show
r ip -4 route show table local
r ip addr add 10.1.1.1/24 dev eth0
r ip addr del 10.7.1.1/24 dev eth0
r ip addr add 10.1.5.1/24 dev nosuch
r ip addr del 10.1.1.1/24 dev eth0
r ip -4 addr show eth0
r ip -4 route show table local
r ip addr flush dev eth0
r ip -4 addr show eth0
r ip -4 route show
r ip addr add 10.0.0.1 peer 10.0.0.2/32 dev eth0
r ip -4 addr show eth0
r ip -4 route show
r ip -4 route show table local
"""
ROUTES = """
r ip addr add 10.1.1.1/24 dev eth0
r ip addr add 10.1.2.1/24 dev eth0
r ip route add 8.0.0.0/8 via 99.9.9.9
r ip route add 8.0.0.0/8 via 10.1.1.9
r ip route add 8.0.0.0/8 via 10.1.1.9
r ip route add 8.0.0.0/8 via 10.1.1.8 metric 5
r ip route add blackhole 9.0.0.0/8
r ip route add unreachable 11.0.0.0/8
r ip route add prohibit 12.0.0.0/8 metric 5
r ip route add 14.0.0.0/8 dev eth0 metric 7 src 10.1.2.1
r ip route add default via 10.1.2.9
r ip route show
r ip route get 10.1.1.9
r ip route get 127.0.0.1
r ip route get 10.1.1.1
r ip route get 8.8.8.8
r ip route get 7.7.7.7
r ip route get 9.1.1.1
r ip route get 11.1.1.1
r ip route get 12.1.1.1
r ip route add 15.0.0.0/8 dev eth0 src 1.2.3.4
r ip route add 15.0.0.0/8 dev nosuch
r ip route replace 14.0.0.0/8 dev eth0 metric 7
r ip route change 77.0.0.0/8 dev eth0
r ip route del 77.0.0.0/8
r ip route append 8.0.0.0/8 via 10.1.1.7
r ip route show 8.0.0.0/8
r ip route del 8.0.0.0/8 via 10.1.1.8
r ip route show
r ip route flush 8.0.0.0/8
r ip route show
r ip link set eth0 down
r ip route show
"""
MORE_ROUTES = """
r ip addr add 10.1.1.1/24 dev eth0
r ip route add 13.0.0.0/8 nexthop via 10.1.1.9 weight 2 nexthop via 10.1.1.10
r ip route add 14.0.0.0/8 dev eth0 mtu 1400
r ip route add default via 1.1.1.1 dev eth0 onlink
r ip route show
r ip route add 15.0.0.1/8 dev eth0
r ip route add 15.0.0.0/8
r ip route add broadcast 16.0.0.255 dev eth0
r ip route add local 16.0.0.1 dev eth0
r ip route show type blackhole
r ip route show type broadcast table local
r ip route show table 100
r ip route show cache
r ip route show dev lo
r ip route show proto kernel
r ip route get 14.1.1.1 from 10.1.1.1
r ip route get 14.1.1.1 from 9.9.9.9
r ip route get 14.1.1.1 oif eth0
r ip route prepend 14.0.0.0/8 via 10.1.1.3
r ip route show 14.0.0.0/8
r ip route show root 14.0.0.0/7
r ip route show match 14.1.1.1
r ip -j route show
r ip -4 rule show
r ip route add 17.0.0.0/8 nexthop via 10.1.1.9 dev eth0 nexthop dev lo weight 3
r ip link set eth0 down
r ip route show
r ip link set eth0 up
r ip route show
"""
NEIGHBOURS = """
r ip addr add 10.1.2.1/24 dev eth0
r ip neigh add 10.1.2.7 lladdr 02:00:00:00:00:07 dev eth0
r ip neigh show
r ip neigh add 10.1.2.7 lladdr 02:00:00:00:00:07 dev eth0
r ip neigh replace 10.1.2.7 lladdr 02:00:00:00:00:08 nud reachable dev eth0
r ip neigh show
r ip neigh change 10.1.2.7 lladdr 02:00:00:00:00:09 nud stale dev eth0
r ip neigh show dev eth0
r ip neigh show nud stale
r ip neigh del 10.1.2.9 dev eth0
r ip neigh change 10.1.2.9 lladdr 02:00:00:00:00:08 dev eth0
r ip neigh add 10.1.2.10 dev eth0
r ip neigh get 10.1.2.7 dev eth0
r ip neigh get 10.1.2.77 dev eth0
r ip neigh add 10.1.2.8 lladdr 02:00:00:00:00:07 nud permanent dev eth0
r ip neigh flush dev eth0
r ip neigh show
r ip neigh del 10.1.2.8 dev eth0
r ip neigh show
"""
LINKS = """
r ip link show dev eth0
r ip link set eth0 mtu 20
r ip link set eth0 mtu 1400
r ip link set nosuch up
r ip link show nosuch
r ip link set eth0 promisc on
r ip link set eth0 arp off
r ip link show eth0
r ip link set eth0 promisc off arp on
r ip link set eth0 txqueuelen 500
r ip link set eth0 down
r ip link show eth0
r ip link set eth0 address 03:00:00:00:00:99
r ip link set eth0 address 02:00:00:00:00:99
r ip addr add 10.4.4.4/24 dev eth0 label eth0:7
r ip link set eth0 name lo
r ip link set eth0 name wan
r ip link set wan up
r ip addr show wan
r ip route show
r ip link set wan down
r ip link set wan name eth0
r ip link set eth0 mtu 1500 txqueuelen 1000 up
"""


def levelled(text: str) -> str:
    """Without what has to differ."""
    text = re.sub(r"^(\d+: \w+)@\w+:", r"\1:", text, flags=re.M)
    text = re.sub(r"^\d+: ", "N: ", text, flags=re.M)
    text = re.sub(r"^\[ *\d+\.\d+\] .*\n", "", text, flags=re.M)  # the kernel's log, on the same console
    text = re.sub(r"qdisc \S+|mtu 6553[56]|,M-DOWN", "", text)
    text = re.sub(r"^broadcast \d+\.\d+\.\d+\.0 .*\n", "", text, flags=re.M)  # RFC 1122 3.3.6: Linux gave that up in 5.14
    text = re.sub(r"^ +inet6 .*\n +valid_lft .*\n", "", text, flags=re.M)
    text = re.sub(r"^(.*\S) +$", r"\1", text, flags=re.M)
    return text


def on_linux(story: str, ip: str) -> str:
    script = f'{ON_LINUX}ip() {{ command {ip} "$@"; }}\n{BEGIN}{SAY}{story}\n'
    return subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True, timeout=60).stdout


def in_guest(machine: Machine, story: str, ip: str) -> str:
    """Line by line: it is typed."""
    for line in (f'ip() {{ command {ip} "$@"; }}', BEGIN.strip(), SAY.strip()):
        machine.run(line)
    return "".join(machine.run(f"{line}; true") for line in story.strip().splitlines())


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    return shared_machines.on_wire(rootfs="1").machine


STORIES = {"addresses": ADDRESSES, "routes": ROUTES, "more routes": MORE_ROUTES, "neighbours": NEIGHBOURS, "links": LINKS}
ONLY_DEBIANS = {"more routes", "neighbours"}  # busybox has fewer words


@pytest.mark.parametrize("story, whose", [(story, whose) for story in STORIES for whose in THERE
                                          if whose == "Debian's" or story not in ONLY_DEBIANS])
def test_ip_prints_what_it_prints_on_linux(machine: Machine, no_namespace: str, story: str, whose: str) -> None:
    if no_namespace:
        pytest.skip(no_namespace)
    expected = levelled(on_linux(STORIES[story], HERE[whose]))
    seen = levelled(in_guest(machine, STORIES[story], THERE[whose]))
    assert seen.splitlines() == expected.splitlines()


def test_ip_monitor_tells_what_happens(machine: Machine) -> None:
    machine.run(BEGIN.strip())
    machine.run("/usr/bin/ip monitor link address route neigh > /tmp/monitor & monitor=$!")
    machine.run("until grep -q \" $monitor \" /proc/net/netlink; do usleep 20000; done")
    for line in ("ip addr add 10.1.1.1/24 dev eth0", "ip route add 8.0.0.0/8 via 10.1.1.9",
                 "/usr/bin/ip neigh add 10.1.1.9 lladdr 02:00:00:00:00:07 dev eth0", "route add -net 9.0.0.0/8 gw 10.1.1.9",
                 "ip link set eth0 mtu 1400", "ip route del 8.0.0.0/8", "ip addr del 10.1.1.1/24 dev eth0", "ip link set eth0 mtu 1500"):
        machine.run(line)
    machine.run("until grep -q 'mtu 1500' /tmp/monitor; do usleep 20000; done")
    told = machine.run("kill $monitor; cat /tmp/monitor")
    for line in ("inet 10.1.1.1/24 scope global eth0", "8.0.0.0/8 via 10.1.1.9 dev eth0", "lladdr 02:00:00:00:00:07 PERMANENT",
                 "9.0.0.0/8 via 10.1.1.9 dev eth0", "mtu 1400", "Deleted 8.0.0.0/8", "Deleted 2: eth0    inet 10.1.1.1/24",
                 "local 10.1.1.1 dev eth0 table local"):
        assert line in told, told


def test_json_and_statistics_are_there(machine: Machine) -> None:
    machine.run("ping -c 1 -W 5 127.0.0.1")
    links = {link["ifname"]: link for link in json.loads(machine.run("/usr/bin/ip -j -s -d link show"))}
    assert links["lo"]["stats64"]["rx"]["packets"] >= 2 and links["lo"]["operstate"] == "UNKNOWN"
    assert links["eth0"]["link_type"] == "ether" and links["eth0"]["min_mtu"] == 68


def test_who_is_not_root_may_look_but_not_touch(machine: Machine) -> None:
    seen = machine.run("su -s /bin/sh nobody -c '/usr/bin/ip link show lo; /usr/bin/ip link set lo down 2>&1'; true")
    assert "LOOPBACK,UP" in seen and "Operation not permitted" in seen


def test_ss_shows_sockets_from_proc(machine: Machine) -> None:
    """There is no NETLINK_SOCK_DIAG; then it reads /proc/net."""
    machine.run("socat TCP-LISTEN:7777,fork PIPE >/dev/null 2>&1 & until netstat -ltn | grep -q :7777; do usleep 20000; done")
    seen = machine.run("ss -tanu")
    assert re.search(r"^tcp +LISTEN .*:7777 ", seen, re.M), seen
