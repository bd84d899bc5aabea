"""grade/peers/linux_programs.py - what the host's Linux does as the guest's peer; run inside a network namespace.

usage: linux_programs.py udp-client ADDRESS PORT SIZE...     sends datagrams of these sizes, each must come back
       linux_programs.py tcp-client ADDRESS PORT COUNT       sends COUNT bytes while it receives; they must come back
       linux_programs.py echo PORT                           a server of both kinds, until it is ended
       linux_programs.py refused ADDRESS PORT                says what a datagram to, and a connection with, a closed port give
"""
import os
import socket
import sys
import threading
from collections.abc import Callable

LIMIT = 60.0


def udp_client(address: str, port: int, sizes: list[int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(LIMIT)
        one.connect((address, port))
        for size in sizes:
            data = os.urandom(size)
            one.send(data)
            assert one.recv(65536) == data, f"{size} bytes came back otherwise"
    print("equal")


def tcp_client(address: str, port: int, count: int) -> None:
    data = os.urandom(count)
    with socket.create_connection((address, port), LIMIT) as one:
        sender = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
        sender.start()
        got = bytearray()
        while piece := one.recv(65536):
            got += piece
        sender.join()
    assert got == data, f"{len(got)} of {count} bytes came back, or otherwise"
    print("equal")


def echo(port: int) -> None:
    listener = socket.create_server(("0.0.0.0", port), backlog=64)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT: answers may be cut
    datagrams.bind(("0.0.0.0", port))
    threading.Thread(target=echo_datagrams, args=(datagrams,), daemon=True).start()
    while True:
        threading.Thread(target=echo_stream, args=(listener.accept()[0],), daemon=True).start()


def echo_datagrams(one: socket.socket) -> None:
    while True:
        data, peer = one.recvfrom(65536)
        one.sendto(data, peer)


def echo_stream(one: socket.socket) -> None:
    with one:
        while data := one.recv(65536):
            one.sendall(data)


def refused(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(LIMIT)
        one.connect((address, port))
        one.send(b"anybody?")
        print("udp", attempt(lambda: one.recv(100)))
    print("tcp", attempt(lambda: socket.create_connection((address, port), LIMIT)))


def attempt(call: Callable[[], object]) -> str:
    try:
        call()
        return "no error"
    except OSError as error:
        return type(error).__name__


def main(words: list[str]) -> None:
    what, *rest = words
    if what == "udp-client":
        udp_client(rest[0], int(rest[1]), [int(size) for size in rest[2:]])
    elif what == "tcp-client":
        tcp_client(rest[0], int(rest[1]), int(rest[2]))
    elif what == "echo":
        echo(int(rest[0]))
    elif what == "refused":
        refused(rest[0], int(rest[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
