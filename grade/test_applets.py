"""busybox's network applets, with the host's Linux at the other end. doc/applets.md has the table."""
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.machine import Machine
from grade.namespace import Namespace
from grade.plugin import Machines
from grade.wire import GUEST_IP, PEER_IP

FILE = os.urandom(200_000)
CGI = b"#!/bin/sh\necho Content-type: text/plain\necho\necho \"it is $QUERY_STRING\"\n"
TIME_SERVER = """
import socket, struct
listener = socket.create_server(("10.0.2.2", 37))
while True:
    connection, _ = listener.accept()
    connection.sendall(struct.pack("!I", 2208988800 + 1000000000))  # RFC 868: seconds since 1900
    connection.close()
"""


@pytest.fixture(scope="module")
def machine(shared_machines: Machines, linux: Namespace) -> Machine:
    files = {"www/random.bin": (0o100644, FILE), "www/cgi-bin/what": (0o100755, CGI)}
    machine = shared_machines.in_namespace(linux, files=files)
    machine.run(f"echo nameserver {PEER_IP} > /etc/resolv.conf")
    return machine


@pytest.fixture(scope="module")
def served(linux: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that Linux offers by HTTP and TFTP, its names, and addresses for the asking (dnsmasq)."""
    folder = tmp_path_factory.mktemp("served")
    folder.chmod(0o755)
    (folder / "random.bin").write_bytes(FILE)
    http = ("python3", "-m", "http.server", "8000", "--bind", PEER_IP, "--directory", str(folder))
    names = ["--host-record=peer.example," + PEER_IP, "--local=/example/"]
    dhcp = ["--dhcp-range=10.0.2.50,10.0.2.60,1h", f"--dhcp-leasefile={folder}/leases", "--dhcp-authoritative"]
    tftp = ["--enable-tftp", f"--tftp-root={folder}"]
    dnsmasq = ("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file",
               "--interface=tap0", "--bind-interfaces", *names, *dhcp, *tftp)
    with linux.serving(*http, tcp=8000), linux.serving(*dnsmasq, udp=53):
        yield folder


# ---- what is configured, what is there

def test_ifconfig_shows_and_sets(machine: Machine) -> None:
    shown = machine.run("ifconfig eth0")
    assert "inet addr:10.0.2.15  Bcast:10.0.2.255  Mask:255.255.255.0" in shown and "MTU:1500" in shown
    assert "MTU:1400" in machine.run("ifconfig eth0 mtu 1400; ifconfig eth0; ifconfig eth0 mtu 1500")


def test_route_shows_adds_and_deletes(machine: Machine) -> None:
    add = "net 10.9.0.0 netmask 255.255.0.0"
    assert re.search(r"^0\.0\.0\.0 +10\.0\.2\.2 +0\.0\.0\.0 +UG .* eth0$", machine.run("route -n"), re.M)
    assert "10.9.0.0" in machine.run(f"route add -{add} gw 10.0.2.2; route -n; route del -{add}")
    assert "10.9.0.0" not in machine.run("route -n")


def test_arp_shows_adds_and_deletes(machine: Machine, linux: Namespace) -> None:
    peer = re.search(r"link/ether (\S+)", linux.must("ip", "link", "show", "tap0"))
    assert peer and f"(10.0.2.2) at {peer[1]} [ether]  on eth0" in machine.run("ping -c 1 10.0.2.2 > /dev/null; arp -n")
    assert "at 02:00:00:00:00:07 [ether] PERM" in machine.run("arp -s 10.0.2.77 02:00:00:00:00:07; arp -n; arp -d 10.0.2.77")
    assert "10.0.2.77" not in machine.run("arp -n")


def test_netstat_shows_sockets_and_routes(machine: Machine, linux: Namespace) -> None:
    assert re.search(r"^tcp .* 0\.0\.0\.0:80 .*LISTEN", machine.run("netstat -tln 2>/dev/null"), re.M)
    assert re.search(r"^udp .* 0\.0\.0\.0:7 ", machine.run("netstat -uln 2>/dev/null"), re.M)
    with linux.serving("socat", f"TCP-LISTEN:5100,bind={PEER_IP}", "EXEC:cat", tcp=5100):
        machine.run("(sleep 1000 | nc 10.0.2.2 5100 &)")
        machine.run("until netstat -tn 2>/dev/null | grep -q '10.0.2.2:5100 .*ESTABLISHED'; do usleep 50000; done")
        machine.run("killall nc sleep")
    assert "10.0.2.0" in machine.run("netstat -rn")


# ---- who answers

def test_ping_answers_and_asks(machine: Machine, linux: Namespace) -> None:
    assert " 0% packet loss" in linux.must("ping", "-c", "5", "-i", "0.2", GUEST_IP)
    assert "3 packets transmitted, 3 packets received" in machine.run("ping -c 3 -A 10.0.2.2")
    assert "3008 bytes from 10.0.2.2" in machine.run("ping -c 1 -s 3000 10.0.2.2")
    assert machine.console.command("ping -c 1 -W 1 10.0.2.77").status == 1


@pytest.mark.parametrize("how", ["", "-I"], ids=["by UDP", "by ICMP"])
def test_traceroute_finds_the_way(machine: Machine, linux: Namespace, how: str) -> None:
    """One hop to the peer itself; a host that only it could reach is one further, and silent."""
    assert re.search(r"^ 1  10\.0\.2\.2  \d+\.\d+ ms", machine.run(f"traceroute -n {how} 10.0.2.2"), re.M)
    linux.must("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0",
               "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.tap0.send_redirects=0")  # we would follow them
    linux.run(["ip", "route", "add", "10.7.0.0/24", "via", "10.0.2.99"])
    hops = machine.run(f"traceroute -n {how} -q 1 -w 1 -m 2 10.7.0.1")
    assert re.search(r"^ 1  10\.0\.2\.2  \d+\.\d+ ms\n 2  (\*|10\.0\.2\.2 .*!H)", hops, re.M), hops


def test_names_are_looked_up(machine: Machine, served: Path) -> None:
    assert "Address: 10.0.2.2" in machine.run("nslookup peer.example")
    assert "10.0.2.2" in machine.run("ping -c 1 peer.example")
    assert machine.console.command("nslookup nobody.example").status == 1


def test_arping_asks_and_is_answered(machine: Machine) -> None:
    assert "Received 2 response(s)" in machine.run("arping -c 2 -I eth0 10.0.2.2")
    assert machine.console.command("arping -c 1 -w 1 -I eth0 10.0.2.77").status == 1


def test_udhcpc_takes_a_lease_and_its_script_uses_it(machine: Machine, served: Path) -> None:
    """Address, route and name server come from the peer's dnsmasq; afterwards the machine is where it was."""
    printed = machine.run("ifconfig eth0 0.0.0.0; rm /etc/resolv.conf; udhcpc -n -q -i eth0 2>&1", 60)
    lease = re.search(r"lease of (10\.0\.2\.(5\d|60)) obtained from 10\.0\.2\.2", printed)
    assert lease and f"inet addr:{lease[1]} " in machine.run("ifconfig eth0")
    assert re.search(r"^0\.0\.0\.0 +10\.0\.2\.2 ", machine.run("route -n"), re.M)
    assert "Address: 10.0.2.2" in machine.run("nslookup peer.example")
    machine.run("ifconfig eth0 10.0.2.15 netmask 255.255.255.0; route add default gw 10.0.2.2")


# ---- files

def test_wget_and_tftp_fetch_a_file_unchanged(machine: Machine, served: Path) -> None:
    machine.run("wget -q -O /tmp/by-http http://peer.example:8000/random.bin && cmp /tmp/by-http /www/random.bin")
    machine.run("tftp -g -r random.bin -l /tmp/by-tftp 10.0.2.2 && cmp /tmp/by-tftp /www/random.bin")
    machine.run("tftp -b 1400 -g -r random.bin -l /tmp/by-tftp 10.0.2.2 && cmp /tmp/by-tftp /www/random.bin")
    assert "404" in machine.console.command("wget -O - http://peer.example:8000/no/such/file").printed


def test_httpd_serves_files_and_programs(machine: Machine, linux: Namespace) -> None:
    machine.run("httpd -p 8081 -h /www")
    url = f"http://{GUEST_IP}:8081"
    fetched = linux.run(["curl", "-sS", f"{url}/random.bin"], 60, text=False)
    assert fetched.stdout == FILE
    assert linux.must("curl", "-sS", f"{url}/cgi-bin/what?x=1") == "it is x=1\n"


def test_nc_listens_and_connects(machine: Machine, linux: Namespace) -> None:
    machine.run("(nc -ll -p 5000 -e tr a-z A-Z > /dev/null 2>&1 &)")
    said = linux.run(["socat", "-t", "5", "-", f"TCP:{GUEST_IP}:5000,retry=20,interval=0.2"], 30, input="over the cable\n")
    assert said.stdout == "OVER THE CABLE\n", said.stderr
    assert machine.run("echo here | nc -w 5 127.0.0.1 5000") == "HERE\n"


def test_rdate_reads_and_sets_the_time(machine: Machine, linux: Namespace) -> None:
    """RFC 868. ntpd is not among the applets of Debian's busybox."""
    with linux.serving("python3", "-c", TIME_SERVER, tcp=37):
        assert "Sep  9 01:46:40 2001" in machine.run("rdate -p 10.0.2.2")
        assert machine.run("date +%Y") != "2001\n"
        assert machine.run("rdate -s 10.0.2.2; date +%Y") == "2001\n"
