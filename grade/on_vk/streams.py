"""The C library's streams on sockets; vectors and files that are larger than one request to the daemon."""
import ctypes
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading

HERE = sys.argv[1]
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fdopen.restype = LIBC.fgets.restype = ctypes.c_void_p
LARGE = bytes(range(256)) * 4096  # a megabyte


def pair(port: int) -> tuple[socket.socket, socket.socket]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen()
    return socket.create_connection((HERE, port)), listener.accept()[0]


def read_all(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


far, near = pair(4300)
incoming, outgoing = (ctypes.c_void_p(LIBC.fdopen(os.dup(near.fileno()), mode)) for mode in (b"r", b"w"))
far.sendall(b"a line\nanother\n")
line = ctypes.create_string_buffer(99)
for _ in range(2):
    LIBC.fgets(line, 99, incoming)
    print("fgets:", line.value, LIBC.fileno(incoming) > 2)
LIBC.fputs(b"an answer\n", outgoing)
LIBC.fflush(outgoing)
print("fputs:", far.recv(99))
LIBC.dprintf(near.fileno(), b"%d and %s\n", 7, b"text")
print("dprintf:", far.recv(99))
near.close()
print("fclose:", LIBC.fclose(incoming), LIBC.fclose(outgoing), far.recv(99))

far, near = pair(4301)
sed = subprocess.Popen(["sed", "s/boat/barge/"], stdin=near, stdout=near)
near.close()
far.sendall(b"a boat\nno boats\n")
far.shutdown(socket.SHUT_WR)
print("a program of inetd's:", read_all(far), sed.wait())

far, near = pair(4302)
digest: list[str] = []
reader = threading.Thread(target=lambda: digest.append(hashlib.sha256(read_all(far)).hexdigest()))
reader.start()
with tempfile.TemporaryFile() as file:
    file.write(LARGE)
    file.flush()
    file.seek(0)
    print("sendfile:", os.sendfile(near.fileno(), file.fileno(), 1000, 500_000), file.tell())
print("writev:", os.writev(near.fileno(), [LARGE[:300_000], b"", LARGE[300_000:]]))
print("sendmsg:", near.sendmsg([LARGE, LARGE]))
near.close()
reader.join()
print(digest == [hashlib.sha256(LARGE[1000:501_000] + LARGE * 3).hexdigest()])

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in (65_508, 300_000):
    try:
        print(datagrams.sendmsg([bytes(size)], [], 0, (HERE, 9)))
    except OSError as error:
        print("a datagram of", size, "bytes:", error.strerror)
