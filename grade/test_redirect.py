"""Two hosts and a router, three guests in QEMU on one wire: the hosts send to each other by way of the router until it
tells them better. The wire is an IP multicast group in a network namespace of the test's own.
"""
import re

from grade.machine import Machine
from grade.namespace import Namespace
from grade.plugin import Machines

GROUP = "230.0.0.1:4712"
A, B, ROUTER = "10.0.2.15", "10.0.2.16", "10.0.2.1"


def hops(machine: Machine, to: str) -> list[str]:
    shown = machine.run(f"traceroute -n -q 1 -w 5 -m 5 {to}", 60)
    return re.findall(r"^ *\d+  (\S+)", shown, re.M)


def send_redirects(router: Machine, on: int) -> None:
    router.run(f"sysctl -w net.ipv4.conf.all.send_redirects={on} net.ipv4.conf.eth0.send_redirects={on}")


def test_a_redirect_shortens_the_way(linux: Namespace, machines: Machines) -> None:
    """RFC 1122 3.2.2.2, RFC 1812 5.2.7.2: hosts on one link need no router."""
    linux.must("ip", "link", "set", "lo", "up", "multicast", "on")
    linux.must("ip", "route", "add", "224.0.0.0/4", "dev", "lo")

    def guest(number: int, address: str) -> Machine:
        machine = machines.on_netdev(f"socket,id=n0,mcast={GROUP}", linux, smp="1", mac=f"52:54:00:12:34:{number:02x}")
        machine.run(f"ifconfig eth0 {address} netmask 255.255.255.0")
        return machine

    router, b, a = guest(1, ROUTER), guest(2, B), guest(3, A)
    router.run("sysctl -w net.ipv4.ip_forward=1")
    send_redirects(router, 0)
    a.run(f"route add -host {B} gw {ROUTER}")
    b.run(f"route add -host {A} gw {ROUTER}")
    assert hops(a, B) == [ROUTER, B]
    send_redirects(router, 1)
    a.run(f"ping -c 1 {B}")
    assert hops(a, B) == [B]
    assert hops(b, A) == [A]  # the ping's answer had the other one told
