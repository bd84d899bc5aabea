"""bench/tcp_client.py - the other end of what bench/tcp.py counts; run in a network namespace beside the guest.

usage: tcp_client.py round_trips|connections PORT COUNT
       tcp_client.py requests|pages PORT COUNT       (kept alive; a connection each)
       tcp_client.py files PORT COUNT                (of 1 MiB, on one connection)
       tcp_client.py serve PORT                      (accepts, waits for the other's end, closes; for ever)
"""
import socket
import sys

GUEST = "10.0.2.15"
REQUEST = b"GET / HTTP/1.1\r\nHost: towpath\r\nConnection: %s\r\n\r\n"


def connected(port: int) -> socket.socket:
    connection = socket.create_connection((GUEST, port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def received(connection: socket.socket, until: bytes) -> bytes:
    got = b""
    while until not in got:
        piece = connection.recv(65536)
        if not piece:
            raise EOFError(f"only {len(got)} bytes")
        got += piece
    return got


def round_trips(port: int, count: int) -> None:
    with connected(port) as connection:
        for _ in range(count):
            connection.sendall(b"x")
            received(connection, b"x")


def connections(port: int, count: int) -> None:
    """The guest has seen its end when the next is accepted: it serves one at a time."""
    for _ in range(count):
        connected(port).close()
    round_trips(port, 1)


def request(connection: socket.socket, keep: bytes) -> None:
    connection.sendall(REQUEST % keep)
    received(connection, b"</html>")


def requests(port: int, count: int) -> None:
    with connected(port) as connection:
        for _ in range(count):
            request(connection, b"keep-alive")


def files(port: int, count: int) -> None:
    with connected(port) as connection:
        for _ in range(count):
            connection.sendall(b"GET /megabyte HTTP/1.1\r\nHost: towpath\r\n\r\n")
            left = (1 << 20) - len(received(connection, b"\r\n\r\n").split(b"\r\n\r\n", 1)[1])
            while left:
                left -= len(connection.recv(min(left, 65536)))


def pages(port: int, count: int) -> None:
    for _ in range(count):
        with connected(port) as connection:
            request(connection, b"close")
            while connection.recv(65536):
                pass


def serve(port: int, _count: int) -> None:
    with socket.create_server(("", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)


if __name__ == "__main__":
    what, at = sys.argv[1:3]
    {"round_trips": round_trips, "connections": connections, "requests": requests, "files": files, "pages": pages, "serve": serve}[what](
        int(at), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
