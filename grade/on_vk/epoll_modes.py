"""Level, edge and one shot; both directions; the end of a stream."""
import select
import socket
import sys

IN, OUT, RDHUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLRDHUP
SOON, LATER = 0.1, 5  # what must not come is waited for shortly, what must come long


def pair(port: int) -> tuple[socket.socket, socket.socket]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen()
    return socket.create_connection((sys.argv[1], port)), listener.accept()[0]


def events(epoll: select.epoll, timeout: float) -> list[int]:
    return [event for _, event in epoll.poll(timeout)]


def watch(fd: socket.socket, mode: int) -> select.epoll:
    epoll = select.epoll()
    epoll.register(fd, mode)
    return epoll


far, near = pair(4100)
far.send(b"x")
epoll = watch(near, IN)
print("level:", events(epoll, LATER), events(epoll, SOON), near.recv(9), events(epoll, SOON))

epoll = watch(near, IN | select.EPOLLET)
far.send(b"one")
print("edge:", events(epoll, LATER), events(epoll, SOON))
far.send(b"two")
print("a new edge, the first unread:", events(epoll, LATER), events(epoll, SOON), near.recv(4))
print("a part was read, no edge:", events(epoll, SOON), near.recv(9))
far.send(b"three")
print("after all was read:", events(epoll, LATER), near.recv(9), events(epoll, SOON))

epoll = watch(near, IN | select.EPOLLONESHOT)
far.send(b"x")
print("one shot:", events(epoll, LATER), events(epoll, SOON))
far.send(b"y")
print("disarmed:", events(epoll, SOON))
epoll.modify(near, IN | select.EPOLLONESHOT)
print("armed again:", events(epoll, LATER), near.recv(9), events(epoll, SOON))

far.setblocking(False)
epoll = watch(far, OUT | select.EPOLLET)
print("writable:", events(epoll, LATER), events(epoll, SOON))
sent = 0
try:
    while True:
        sent += far.send(bytes(65536))
except BlockingIOError:
    print("full:", events(epoll, SOON), sent > 65536)
while sent:
    sent -= len(near.recv(65536))
print("an edge when there is room:", events(epoll, LATER)[-1:], events(epoll, SOON))

epoll = watch(near, IN | RDHUP | select.EPOLLET)
far.shutdown(socket.SHUT_WR)
print("the end:", events(epoll, LATER) == [IN | RDHUP], near.recv(1), events(watch(near, IN | RDHUP), LATER) == [IN | RDHUP])
