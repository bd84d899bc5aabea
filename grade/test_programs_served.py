"""Debian's own programs, unmodified, in the guest, with the host's Linux at the other end of the cable.

The quick versions; those behind `long` do the same at length. Every figure that is asserted is the client's.
"""
import io
import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap

from grade.machine import Machine, patience
from grade.namespace import Namespace
from grade.plugin import Machines
from grade.wire import GUEST_IP, PEER_IP

HTTP, REDIS, SSH, DNS = 8080, 6379, 2222, 53
MIB = 1 << 20
FILE = os.urandom(MIB)
REDIS_TYPES = ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP",
               "ZADD", "ZPOPMIN", "LRANGE_100", "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for ssh, made for this run."""
    path = tmp_path_factory.mktemp("ssh") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def machine(shared_machines: Machines, linux: Namespace, key: Path) -> Machine:
    files = {"www/random.bin": (0o100644, FILE), "root/.ssh": (0o40700, b""),
             "root/.ssh/authorized_keys": (0o100600, key.with_suffix(".pub").read_bytes())}
    return shared_machines.in_namespace(linux, files=files, rootfs="1")


@pytest.fixture(scope="module")
def nginx(machine: Machine) -> str:
    machine.run("nginx")
    return f"http://{GUEST_IP}:{HTTP}"


@pytest.fixture(scope="module")
def redis(machine: Machine) -> list[str]:
    machine.run("redis-server /etc/redis/redis.conf --daemonize yes")
    address = ["-h", GUEST_IP, "-p", str(REDIS)]
    machine.run("until redis-cli ping; do usleep 100000; done")
    return address


# ---- iperf3

@pytest.fixture(scope="module")
def iperf3(machine: Machine) -> None:
    machine.run("iperf3 -s -D")


def throughput(linux: Namespace, seconds: int, *options: str) -> dict[str, float]:
    """What iperf3 measured from the host; it must have ended well."""
    command = ["iperf3", "-c", GUEST_IP, "-J", "-t", str(seconds), *options]
    done = linux.run(command, seconds + 30)
    result = json.loads(done.stdout)
    assert done.returncode == 0 and "error" not in result, result.get("error") or done.stderr
    return result["end"]["sum_received" if "sum_received" in result["end"] else "sum"]


DIRECTIONS = {"to the guest": (), "from the guest": ("-R",), "four streams to the guest": ("-P", "4"),
              "four streams from the guest": ("-P", "4", "-R")}


@pytest.mark.parametrize("seconds", [1, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_iperf3_moves_data(machine: Machine, linux: Namespace, iperf3: None, direction: str, seconds: int) -> None:
    received = throughput(linux, seconds, *DIRECTIONS[direction])
    print(f"iperf3 {direction}: {received['bits_per_second'] / 1e6:.0f} Mbit/s")
    assert received["bytes"] > MIB
    machine.skbs_at_rest()


def test_iperf3_moves_datagrams(linux: Namespace, iperf3: None) -> None:
    measured = throughput(linux, 1, "-u", "-b", "5M")
    assert measured["packets"] > 100 and measured["lost_percent"] < 50  # a busy host is no error


def test_iperf3_is_a_client_too(machine: Machine, linux: Namespace) -> None:
    with linux.serving("iperf3", "-s", "-1", tcp=5201):
        result = json.loads(machine.run(f"iperf3 -c {PEER_IP} -t 1 -J"))
    assert "error" not in result and result["end"]["sum_received"]["bytes"] > MIB


# ---- HTTP

def test_the_guests_curl_fetches_from_linux(machine: Machine, linux: Namespace, tmp_path: Path) -> None:
    (tmp_path / "random.bin").write_bytes(FILE)
    with linux.serving("python3", "-m", "http.server", "8000", "--bind", PEER_IP, "--directory", str(tmp_path), tcp=8000):
        machine.run(f"curl -sS -o /tmp/got http://{PEER_IP}:8000/random.bin", 60)
    assert machine.run("cmp /tmp/got /www/random.bin") == ""


def test_nginx_says_in_ps_what_its_processes_do(machine: Machine, nginx: str) -> None:
    """It writes over its arguments; the worker is another user."""
    shown = machine.run("ps -o user,args")
    assert re.search(r"^root +nginx: master process", shown, re.M) and re.search(r"^nobody +nginx: worker", shown, re.M), shown


def test_nginx_serves_a_file_unchanged(linux: Namespace, nginx: str) -> None:
    fetched = linux.run(["curl", "-sS", "--max-time", str(patience(60)), f"{nginx}/random.bin"], 90, text=False)
    assert fetched.returncode == 0 and fetched.stdout == FILE


@pytest.mark.parametrize("requests", [2000, pytest.param(50000, marks=pytest.mark.long)])
@pytest.mark.parametrize("keep", ["", "-k"], ids=["a connection each", "kept alive"])
def test_nginx_answers_ab_without_a_failure(machine: Machine, linux: Namespace, nginx: str, keep: str, requests: int) -> None:
    command = ["ab", "-q", "-n", str(requests), "-c", "50", "-s", str(int(patience(60))), *keep.split(), f"{nginx}/"]
    report = linux.must(*command, timeout=60 + requests / 20)
    print(re.search(r"Requests per second.*", report)[0])  # type: ignore[index]
    assert re.search(rf"Complete requests: +{requests}\n", report), report
    assert re.search(r"Failed requests: +0\n", report) and "Non-2xx" not in report, report
    machine.skbs_at_rest(90)  # TIME-WAIT keeps none


# ---- redis

def test_redis_keeps_what_it_is_told(machine: Machine, linux: Namespace, redis: list[str]) -> None:
    word = f"{random.getrandbits(64):x}"
    assert linux.must("redis-cli", *redis, "SET", "word", word) == "OK\n"
    assert machine.run("redis-cli get word") == f'"{word}"\n'


@pytest.mark.parametrize("requests", [1000, pytest.param(20000, marks=pytest.mark.long)])
def test_redis_does_every_type_of_request(linux: Namespace, redis: list[str], requests: int) -> None:
    report = linux.must("redis-benchmark", *redis, "-n", str(requests), "--csv", timeout=120 + requests / 20)
    rates = {row.split(",")[0].strip('"').split(" ")[0]: float(row.split(",")[1].strip('"'))
             for row in report.splitlines() if re.match(r'"[^"]+","\d', row)}
    print(rates)
    assert set(REDIS_TYPES) <= set(rates), report


# ---- ssh, DNS, socat

@pytest.fixture(scope="module")
def dropbear(machine: Machine) -> None:
    machine.run(f"dropbear -R -p {SSH}", 60)


def ssh(linux: Namespace, key: Path, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    return linux.run(["ssh", "-p", str(SSH), "-i", str(key), *options, *more, f"root@{GUEST_IP}", command], 60)


def test_dropbear_lets_ssh_in(machine: Machine, linux: Namespace, dropbear: None, key: Path) -> None:
    word = f"{random.getrandbits(64):x}"
    done = ssh(linux, key, f"echo {word} | tee /tmp/by-ssh; exit 7")
    assert (done.stdout, done.returncode) == (f"{word}\n", 7), done.stderr
    assert machine.run("cat /tmp/by-ssh") == f"{word}\n"


def test_dropbear_gives_a_terminal(linux: Namespace, dropbear: None, key: Path) -> None:
    done = ssh(linux, key, "tty; stty rows 7 cols 70; stty size; exit 5", "-tt")
    assert re.fullmatch(r"/dev/pts/\d+\n7 70\n", done.stdout) and done.returncode == 5, done.stdout + done.stderr


@pytest.fixture(scope="module")
def dnsmasq(linux: Namespace) -> "subprocess.Popen[str]":
    names = ["--address=/towpath.example/192.0.2.7", "--txt-record=note.example,over the cable"]
    with linux.serving("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
                       "--pid-file", f"--listen-address={PEER_IP}", "--bind-interfaces", *names, udp=DNS) as process:
        yield process


def test_dig_asks_over_udp_and_tcp(machine: Machine, dnsmasq: object) -> None:
    assert machine.run(f"dig +short @{PEER_IP} www.towpath.example") == "192.0.2.7\n"
    assert machine.run(f"dig +short +tcp @{PEER_IP} TXT note.example") == '"over the cable"\n'


def test_debians_ping_is_answered(machine: Machine) -> None:
    """iputils gives away all capabilities but one, and takes that when it opens its socket."""
    assert "3 received, 0% packet loss" in machine.run(f"/usr/bin/ping -c 3 -i 0.2 {PEER_IP}")


def test_socat_joins_two_ends(machine: Machine, linux: Namespace) -> None:
    machine.run("(socat TCP-LISTEN:7000,fork,reuseaddr EXEC:'tr a-z A-Z' > /dev/null 2>&1 &)")
    said = linux.run(["socat", "-t", "5", "-", f"TCP:{GUEST_IP}:7000,retry=20,interval=0.2"], 30, input="over the cable\n")
    assert said.stdout == "OVER THE CABLE\n", said.stderr


# ---- tcpdump

SENDER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect((sys.argv[1], 7))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
    assert s.recv(2000) == bytes.fromhex(line)
"""


def echo(linux: Namespace, payloads: list[bytes]) -> None:
    """Each payload to the guest's echo service and back."""
    lines = "".join(payload.hex() + "\n" for payload in payloads)
    done = linux.run(["python3", "-c", SENDER, GUEST_IP], 60, input=lines)
    assert done.returncode == 0, done.stderr


def test_tcpdump_captures_what_was_on_the_wire(machine: Machine, linux: Namespace) -> None:
    """In and out, to the byte, by a ring in memory that it shares with the kernel."""
    payloads = [os.urandom(size) for size in (1, 18, 300, 1472, 64, 1471)]
    machine.run(f"tcpdump -Z root -i eth0 -n -c {2 * len(payloads)} -w /www/capture.pcap udp port 7 2> /tmp/tcpdump & "
                "until grep -q listening /tmp/tcpdump; do usleep 50000; done")
    echo(linux, payloads)
    said = machine.run("wait; cat /tmp/tcpdump")
    assert f"{2 * len(payloads)} packets captured" in said and "\n0 packets dropped by kernel" in said, said
    captured = linux.run(["curl", "-sS", "--max-time", str(patience(60)), f"http://{GUEST_IP}/capture.pcap"], 90, text=False)
    frames = rdpcap(io.BytesIO(captured.stdout))
    mac = re.search(r"link/ether (\S+)", linux.must("ip", "link", "show", "tap0"))
    assert mac and [frame[Ether].src == mac[1] for frame in frames] == [True, False] * len(payloads)
    assert [(frame[IP].src, frame[IP].dst) for frame in frames[:2]] == [(PEER_IP, GUEST_IP), (GUEST_IP, PEER_IP)]
    assert [bytes(frame[UDP].payload)[:frame[UDP].len - 8] for frame in frames[::2]] == payloads
    assert [bytes(frame[UDP].payload)[:frame[UDP].len - 8] for frame in frames[1::2]] == payloads
    times = [frame.time for frame in frames]
    assert times == sorted(times)


def test_tcpdump_tells_what_it_sees(machine: Machine, linux: Namespace) -> None:
    machine.run("tcpdump -Z root -i eth0 -n -l -c 2 icmp > /tmp/seen 2> /tmp/tcpdump & "
                "until grep -q listening /tmp/tcpdump; do usleep 50000; done")
    linux.must("ping", "-c", "1", GUEST_IP)
    seen = machine.run("wait; cat /tmp/seen")
    assert re.search(rf"IP {re.escape(PEER_IP)} > {re.escape(GUEST_IP)}: ICMP echo request, id \d+, seq 1, length 64\n", seen), seen
    assert re.search(rf"IP {re.escape(GUEST_IP)} > {re.escape(PEER_IP)}: ICMP echo reply, id \d+, seq 1, length 64\n", seen), seen


@pytest.mark.parametrize("how", ["", "-I", "-T -p 9"], ids=["udp", "icmp", "tcp"])
def test_debians_traceroute_finds_the_only_hop(machine: Machine, how: str) -> None:
    if not shutil.which("traceroute"):
        pytest.skip("traceroute is not installed")
    assert re.search(rf"^ 1  {PEER_IP}  [\d.]+ ms", machine.run(f"/usr/bin/traceroute -n {how} {PEER_IP}"), re.M)


def test_mtr_reports_the_only_hop(machine: Machine) -> None:
    """Its other half, mtr-packet, holds the raw sockets."""
    if not shutil.which("mtr") or not shutil.which("mtr-packet"):
        pytest.skip("mtr is not installed")
    assert re.search(rf"^ *1\.\|-- {PEER_IP} +0\.0%", machine.run(f"TERM=vt100 mtr --report -c 2 -n {PEER_IP}", 60), re.M)
