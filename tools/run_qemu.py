"""tools/run_qemu.py - run the machine: on this terminal, for a debugger, or for one command.

Ports that nobody chose are QEMU's to choose (hostfwd port 0), so that no two machines collide. While a machine
runs, build/ports names its ports and is locked: `make ports` believes the file only as long as somebody holds it.
"""
import argparse
import fcntl
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tools.mkinitramfs import archive  # noqa: E402
from tools.qemu import ROOTFS_MEM, SERVICES, Monitor, Refused, Settings, end_with_parent, initramfs  # noqa: E402

PORTS = Path("build/ports")
GDB_SOCKET = "build/gdb.sock"
BY_DHCP = "ip=dhcp"  # doc/networking.md
TIMED_OUT, MACHINE_DIED = 124, 125
EXIT_LINE = re.compile(rb"\bexit status (\d+)\s*$", re.M)
PANIC_LINE = re.compile(rb"\bpanic: ", re.M)


def check_port(variable: str, protocol: str, value: str) -> int:
    """The port a variable asks for, 0 for any. Refused unless it is free now."""
    if not value:
        return 0
    if not value.isdigit() or int(value) > 65535:
        raise Refused(f"{variable}={value}: a port from 1 to 65535, or 0 for a free one")
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(value)))
        except OSError as error:
            raise Refused(f"{variable}={value}: {protocol} port {value} cannot be had ({error.strerror}); "
                          "choose another, or none for a free one") from None
    return int(value)


def user_network(args: argparse.Namespace) -> str:
    """QEMU's user-mode network with our services forwarded from the host's loopback."""
    netdev, chosen = "user,id=n0", set()
    for name, (protocol, port) in SERVICES.items():
        variable = f"{name}-port".replace("-", "_")
        host = check_port(variable.upper(), protocol, getattr(args, variable))
        if (protocol, host) in chosen:
            raise Refused(f"{variable.upper()}={host}: another service has been given {protocol} port {host}")
        chosen |= {(protocol, host)} if host else set()
        netdev += f",hostfwd={protocol}:127.0.0.1:{host}-10.0.2.15:{port}"
    return netdev


class Running:
    """A QEMU that was started stopped, so that its ports are known before the guest is."""

    def __init__(self, argv: list[str], pass_fds: tuple[int, ...] = (), quiet: bool = False) -> None:
        monitor = Monitor()
        fds = (*pass_fds, monitor.theirs.fileno())
        stdin = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen([*argv, *monitor.args(), "-S"], stdin=stdin, pass_fds=fds,
                                        preexec_fn=end_with_parent)
        self.monitor = monitor
        if not monitor.open():
            raise Refused(f"QEMU did not start (status {self.process.wait()}); its own line is above")
        self.publish()

    def publish(self) -> None:
        forwards = self.monitor.forwards()
        self.ports = {name: forwards[service] for name, service in SERVICES.items()}
        PORTS.unlink(missing_ok=True)
        self.file = PORTS.open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.writelines(f"{name} {port}\n" for name, port in self.ports.items())
        self.file.flush()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if PORTS.exists() and os.path.samestat(PORTS.stat(), os.fstat(self.file.fileno())):
            PORTS.unlink()
        self.file.close()


def guest_status(status: int) -> int:
    """What the guest wrote to the exit port; QEMU's own status when the guest did not."""
    return status >> 1 if status > 0 and status & 1 else status


def by_dhcp(settings: Settings) -> str:
    """For the kernel's command line: QEMU's user-mode network has a DHCP server, unless the user wants something else."""
    return "" if re.search(r"(^| )ip=", settings.append) else BY_DHCP


def terminal(settings: Settings, args: argparse.Namespace) -> int:
    machine = Running(settings.argv(user_network(args), ["mon:stdio"], by_dhcp(settings)))
    print(f"http://localhost:{machine.ports['http']}/   echo: tcp {machine.ports['echo']}, "
          f"udp {machine.ports['udp-echo']}   (Ctrl-A X leaves)", flush=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the guest's shell
    try:
        machine.monitor.ask("cont")
        return guest_status(machine.process.wait())
    finally:
        machine.end()


def gdb(settings: Settings, args: argparse.Namespace) -> int:
    stub = ["-gdb", f"unix:{GDB_SOCKET},server=on,wait=off"]
    machine = Running(settings.argv(user_network(args), ["mon:stdio"], by_dhcp(settings)) + stub)
    print(f"stopped before the first instruction: `make gdb` in another terminal; http port "
          f"{machine.ports['http']}   (Ctrl-A X leaves)", flush=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return guest_status(machine.process.wait())
    finally:
        machine.end()
        Path(GDB_SOCKET).unlink(missing_ok=True)


def attach(settings: Settings, _args: argparse.Namespace) -> int:
    if not Path(GDB_SOCKET).exists():
        raise Refused("no machine waits for a debugger here: `make qemu-gdb` in another terminal first")
    command = ["gdb", "-q", str(settings.elf), "-ex", f"target remote {GDB_SOCKET}"]
    os.execvp(command[0], command)


def pump(machine: Running, output: socket.socket, deadline: float) -> bool:
    """Copy the command's output to ours until the machine ends. False if the time was up first."""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([output], [], [], left)[0]:
            break
        data = output.recv(65536)
        if not data:
            return True
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return False


def verdict(status: int, log: bytes) -> int | None:
    """The command's exit status, exact when the kernel's log and QEMU's status agree. None: the machine died."""
    lines = EXIT_LINE.findall(log)
    if PANIC_LINE.search(log):
        return None
    if lines and not PANIC_LINE.search(log) and status == ((int(lines[-1]) << 1 | 1) & 0xff):
        return int(lines[-1])
    return None


def tell(why: str, log: Path) -> None:
    """The end of the kernel's log to stderr: what the reader needs first."""
    lines = log.read_bytes().decode(errors="replace").splitlines()
    print(f"{why}; the end of {log}:", *lines[-25:], sep="\n    ", file=sys.stderr)


def with_command(initrd: Path, command: str, out: Path) -> Path:
    """The initramfs and, behind it, a second archive with the command for init."""
    script = f"{command}\n".encode()
    out.write_bytes(initrd.read_bytes() + archive({"etc/run": (stat.S_IFREG | 0o755, script)}))
    return out


def run(settings: Settings, args: argparse.Namespace) -> int:
    command = os.environ.get("CMD", "")
    if not command:
        raise Refused("nothing to run: make run CMD='...'")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", args.timeout):
        raise Refused(f"TIMEOUT={args.timeout}: a number of seconds")
    log = Path(f"build/run-{os.getpid()}.log")
    initrd = with_command(settings.initrd, command, log.with_suffix(".cpio"))
    ours, theirs = socket.socketpair()
    serials = [f"file:{log}", "chardev:output"]
    argv = Settings(**{**vars(settings), "initrd": initrd}).argv(user_network(args), serials, append="run")
    argv += ["-chardev", f"socket,id=output,fd={theirs.fileno()}"]
    try:
        machine = Running(argv, (theirs.fileno(),), quiet=True)
    finally:
        initrd.unlink()
    theirs.close()
    try:
        machine.monitor.ask("cont")
        if not pump(machine, ours, time.monotonic() + float(args.timeout)):
            tell(f"still running after TIMEOUT={args.timeout} seconds", log)
            return TIMED_OUT
        status = machine.process.wait()
    finally:
        machine.end()
    result = verdict(status, log.read_bytes())
    if result is None:
        panicked = PANIC_LINE.search(log.read_bytes())
        tell("the kernel panicked" if panicked else f"the machine ended by itself (QEMU's status {status})", log)
        return MACHINE_DIED
    return result


def ports(_settings: Settings, _args: argparse.Namespace) -> int:
    try:
        with PORTS.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        print(PORTS.read_text(), end="")
        return 0
    except FileNotFoundError:
        pass
    raise Refused("no machine runs from this checkout: `make qemu` starts one")


MODES = {"terminal": terminal, "gdb": gdb, "attach": attach, "run": run, "ports": ports}


DEFAULTS = {"smp": "2", "mem": "256M", "nic": "e1000", "accel": "tcg", "append": "", "capture": "", "http-port": "",
            "echo-port": "", "udp-echo-port": "", "timeout": "120"}


def parse() -> argparse.Namespace:
    """Every option is also an environment variable of make's name for it (--http-port: HTTP_PORT)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=MODES)
    build = Path("build") / os.environ.get("BUILD", "debug")
    rootfs = os.environ.get("ROOTFS") == "1"
    defaults = {**DEFAULTS, "mem": ROOTFS_MEM} if rootfs else DEFAULTS
    parser.add_argument("--elf", type=Path, default=build / "towpath.elf")
    parser.add_argument("--initrd", type=Path, default=build / initramfs(rootfs))
    parser.add_argument("--iso", type=Path)
    for name, default in defaults.items():
        variable = name.upper().replace("-", "_")
        parser.add_argument(f"--{name}", default=os.environ.get(variable) or default)
    return parser.parse_args()


def main() -> int:
    args = parse()
    fields = ("elf", "initrd", "iso", "smp", "mem", "nic", "accel", "append", "capture")
    settings = Settings(**{name: getattr(args, name) for name in fields})
    try:
        if args.mode in ("terminal", "gdb", "run"):
            settings.check()
        return MODES[args.mode](settings, args)
    except BrokenPipeError:  # nobody reads our output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
