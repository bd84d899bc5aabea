"""poll, select, pselect, ppoll and epoll over our sockets and the host's descriptors together."""
import ctypes
import os
import select
import socket
import sys

LIBC = ctypes.CDLL(None, use_errno=True)


class Pollfd(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def ppoll(*fds: int) -> list[bool]:
    entries = (Pollfd * len(fds))(*[Pollfd(fd, select.POLLIN) for fd in fds])
    LIBC.ppoll(entries, len(fds), None if any(fds[1:]) else ctypes.byref(ctypes.c_longlong()), None)
    return [bool(entry.revents & select.POLLIN) for entry in entries]


def pselect(*fds: int) -> list[bool]:
    words = (ctypes.c_uint64 * 16)()
    for fd in fds:
        words[fd // 64] |= 1 << fd % 64
    LIBC.pselect(max(fds) + 1, words, None, None, None, None)
    return [bool(words[fd // 64] >> fd % 64 & 1) for fd in fds]


ours = socket.socket()
host_read, host_write = os.pipe()
ours.bind(("0.0.0.0", 4000))
ours.listen()
poll, epoll = select.poll(), select.epoll()
for fd in (ours.fileno(), host_read):
    poll.register(fd, select.POLLIN)
    epoll.register(fd, select.EPOLLIN)
print("nothing:", poll.poll(0), select.select([ours, host_read], [], [], 0), epoll.poll(0))

os.write(host_write, b"x")
print("the pipe:", [fd == host_read for fd, _ in poll.poll()], [fd == host_read for fd, _ in epoll.poll()],
      ppoll(ours.fileno(), host_read), pselect(ours.fileno(), host_read))
os.read(host_read, 1)

client = socket.socket()
client.setblocking(False)
print("a connection:", client.connect_ex((sys.argv[1], 4000)) == 115, select.select([], [client], [], 5)[1] == [client],
      client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
print("the listener:", [fd == ours.fileno() for fd, _ in epoll.poll(5)], ppoll(ours.fileno(), host_read),
      pselect(ours.fileno(), host_read))
peer, _ = ours.accept()
print("accepted:", poll.poll(0), epoll.poll(0), peer.getpeername()[0] == sys.argv[1])

refused = socket.socket()
refused.setblocking(False)
refused.connect_ex((sys.argv[1], 4009))
print("refused:", select.select([], [refused], [], 5)[1] == [refused], refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
