"""How the guest gets its address at boot: ip= on the kernel's command line, /etc/network/interfaces, DHCP."""
import re
import time
from pathlib import Path

import pytest
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from grade.machine import Machine
from grade.namespace import Namespace, wait_for
from grade.plugin import Machines
from grade.wire import PEER_IP


def address(machine: Machine) -> str:
    match = re.search(r"inet addr:(\S+) .*Mask:(\S+)", machine.run("ifconfig eth0"))
    return f"{match[1]} {match[2]}" if match else "none"


def default_gateway(machine: Machine) -> str:
    match = re.search(r"^0\.0\.0\.0 +(\S+) ", machine.run("route -n"), re.M)
    return match[1] if match else "none"


def booted(machines: Machines, **choices: str) -> Machine:
    """On the wire, up to its shell."""
    machine = machines.bare(**choices)
    machine.boot()
    return machine


def test_without_a_wish_the_file_counts(machines: Machines) -> None:
    machine = machines.on_wire().machine
    assert address(machine) == "10.0.2.15 255.255.255.0"
    assert default_gateway(machine) == "10.0.2.2"
    assert machine.run("cat /etc/resolv.conf").strip() == "nameserver 10.0.2.3"


def test_the_command_line_goes_before_the_file(machines: Machines) -> None:
    machine = booted(machines, append="ip=10.9.8.7::10.9.8.1:255.255.0.0::eth0:off:10.9.8.53")
    assert address(machine) == "10.9.8.7 255.255.0.0"
    assert default_gateway(machine) == "10.9.8.1"
    assert machine.run("cat /etc/resolv.conf").strip() == "nameserver 10.9.8.53"


def test_none_leaves_the_card_alone(machines: Machines) -> None:
    machine = booted(machines, append="ip=none")
    assert address(machine) == "none"
    assert "127.0.0.1" in machine.run("ifconfig lo")
    assert machine.wire
    machine.wire.drain()
    machine.run("ping -c 1 127.0.0.1")
    assert machine.wire.frames.empty()


def test_dhcp_of_the_user_network_gives_address_route_and_names(machines: Machines) -> None:
    machine = machines.on_user_network(append="ip=dhcp")
    assert address(machine) == "10.0.2.15 255.255.255.0"
    assert default_gateway(machine) == "10.0.2.2"
    assert machine.run("cat /etc/resolv.conf").strip() == "nameserver 10.0.2.3"
    assert "1 packets received" in machine.run("ping -c 1 10.0.2.2")


def test_dnsmasq_on_a_tap_gives_an_address_and_answers_for_names(machines: Machines, linux: Namespace, tmp_path: Path) -> None:
    netdev = linux.tap()
    dnsmasq = ("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file",
               "--interface=tap0", "--bind-interfaces", f"--host-record=peer.example,{PEER_IP}", "--local=/example/",
               "--dhcp-range=10.0.2.77,10.0.2.77,1h", f"--dhcp-leasefile={tmp_path}/leases", "--dhcp-authoritative")
    with linux.serving(*dnsmasq, udp=53):
        machine = machines.on_netdev(netdev, linux, append="ip=dhcp")
        wait_for("no lease", lambda: address(machine) != "none", machine)  # dnsmasq looks first whether somebody has it
        assert address(machine) == "10.0.2.77 255.255.255.0"
        assert default_gateway(machine) == PEER_IP
        assert f"Address: {PEER_IP}" in machine.run("nslookup peer.example")
        assert PEER_IP in machine.run("ping -c 1 peer.example")


def test_nobody_answers_and_the_boot_goes_on_without_a_flood(machines: Machines) -> None:
    machine = booted(machines, append="ip=dhcp")
    assert machine.wire
    time.sleep(3)  # what is counted is what comes in so long
    came = iter(lambda: None if machine.wire.frames.empty() else machine.wire.frames.get(), None)
    asked = [frame for frame, _ in came if UDP in Ether(frame) and Ether(frame)[UDP].dport == 67]
    assert 1 <= len(asked) <= 4
    assert address(machine) == "none"
