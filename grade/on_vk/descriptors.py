"""fork, close, dup, dup2, exec and passing on: a socket is open as long as anybody has it."""
import os
import socket
import sys

HERE = sys.argv[1]


def pair(port: int) -> tuple[socket.socket, socket.socket]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen()
    return socket.create_connection((HERE, port)), listener.accept()[0]


if len(sys.argv) > 2:  # what exec() began
    socket.socket(fileno=int(sys.argv[2])).sendall(b"after exec")
    sys.exit()

far, near = pair(4200)
if os.fork() == 0:
    far.sendall(b"from the child")
    os._exit(0)
os.wait()
print("fork:", near.recv(99))
far.close()
print("closed by both:", near.recv(99))

far, near = pair(4201)
copy = os.dup(far.fileno())
far.close()
os.write(copy, b"through a copy")
print("dup:", near.recv(99))
os.dup2(0, copy)
print("dup2 closes what was there:", near.recv(99))

far, near = pair(4202)
os.dup2(far.fileno(), 100)
far.close()
os.write(100, b"through number 100")
print("dup2:", near.recv(99))
os.closerange(100, 101)
print("closed:", near.recv(99))

far, near = pair(4203)
if os.fork() == 0:
    os.set_inheritable(far.fileno(), True)
    os.execv(sys.executable, [sys.executable, __file__, HERE, str(far.fileno())])
os.wait()
far.close()
print("exec:", near.recv(99), near.recv(99))

far, near = pair(4204)
if os.fork() == 0:
    os.execv("/bin/true", ["true"])
far.close()
os.wait()
print("exec closes:", near.recv(99))

far, near = pair(4205)
left, right = socket.socketpair()
socket.send_fds(left, [b"take it"], [far.fileno()])
far.close()
_, (fd,), _, _ = socket.recv_fds(right, 99, 1)
os.write(fd, b"after a journey")
os.close(fd)
print("SCM_RIGHTS:", near.recv(99), near.recv(99))

again = socket.socket()
again.bind(("0.0.0.0", 4210))
again.close()
again = socket.socket()
again.bind(("0.0.0.0", 4210))
print("bound again")
