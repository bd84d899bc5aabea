#!/bin/sh
# tools/deps.sh - see that the programs a goal needs are there; install them where that can be done, else say how.
#
# usage: tools/deps.sh build|run|iso|test|rootfs|gdb|fuzz|all ...
# Plain sh: on a fresh machine there is nothing else. All there: silent, a few milliseconds. Debian and Ubuntu as
# root or with a sudo that asks nothing: installs. Elsewhere: prints the command and stops with status 1.
cd "$(dirname "$0")/.." || exit 1
case " $* " in *" all "*) set -- build run iso test rootfs gdb fuzz ;; esac

missing=
lack() { case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac; }
need() { # need THING PROGRAM...: lacks THING when none of the programs is there
    thing=$1
    shift
    for program in "$@"; do command -v "$program" >/dev/null 2>&1 && return; done
    lack "$thing"
}
static_busybox() { # the guest's userland: a static one is installed, or BUSYBOX names another
    [ -n "$BUSYBOX" ] && return
    for name in busybox.static busybox; do
        busybox=$(command -v "$name" 2>/dev/null) && ! grep -q /ld-linux "$busybox" && return
    done
    false
}
fuzzer_runtime() { ls "$(clang -print-runtime-dir 2>/dev/null)"/libclang_rt.fuzzer* >/dev/null 2>&1; }
module() { tools/python -c "import importlib.util as u, sys; sys.exit(u.find_spec('$1') is None)" 2>/dev/null; }

for group in "$@"; do
    case $group in
    build)
        need compiler gcc x86_64-linux-gnu-gcc x86_64-elf-gcc
        need binutils nm x86_64-linux-gnu-nm x86_64-elf-nm
        need musl x86_64-linux-musl-gcc musl-gcc
        need python python3
        static_busybox || lack busybox
        ;;
    run) need qemu qemu-system-x86_64 ;;
    iso)
        need grub grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue
        need xorriso xorriso
        need mtools mformat
        ;;
    test)
        need gnuplot gnuplot
        need clang clang
        need format clang-format
        need curl curl
        need cpio cpio
        ! command -v apt-get >/dev/null || fuzzer_runtime || lack fuzzer # elsewhere its tests are skipped
        ! command -v apt-get >/dev/null || [ -e /usr/include/lwip/lwip/tcp.h ] || lack lwip # the same
        [ "$(uname -s)" != Linux ] || { # the host's Linux as the guest's peer
            need ab ab
            need dnsmasq dnsmasq /usr/sbin/dnsmasq
            need ip ip /sbin/ip
            need ssh ssh
            need unshare unshare
            need sysctl sysctl /sbin/sysctl
        }
        for name in scapy pytest xdist; do module "$name" || lack "$name"; done
        ;;
    rootfs)
        need iperf3 iperf3
        need curl curl
        need dig dig
        need nginx nginx /usr/sbin/nginx
        need redis redis-server
        need redis redis-benchmark
        need dropbear dropbear /usr/sbin/dropbear
        need socat socat
        need strace strace
        need tcpdump tcpdump /usr/sbin/tcpdump
        need ping ping
        need ip ip /sbin/ip
        need ldd ldd
        ;;
    gdb) need gdb gdb x86_64-elf-gdb ;;
    fuzz)
        need clang clang
        fuzzer_runtime || lack fuzzer
        ;;
    esac
done
[ -z "$missing" ] && exit 0

package() { # package MANAGER THING: the packages' names there
    case $1:$2 in
    apt:compiler) echo gcc libc6-dev ;; *:compiler) echo gcc ;;
    brew:binutils) echo x86_64-elf-gcc x86_64-elf-binutils ;; *:binutils) echo binutils ;;
    apt:musl) echo musl-tools ;; dnf:musl) echo musl-gcc musl-libc-static ;; pacman:musl) echo musl ;;
    brew:musl) echo filosottile/musl-cross/musl-cross ;;
    apt:busybox) echo busybox-static ;;
    pacman:python | brew:python) echo python ;; *:python) echo python3 ;;
    apt:gnuplot) echo gnuplot-nox ;; dnf:gnuplot) echo gnuplot ;;
    apt:qemu) echo qemu-system-x86 ;; dnf:qemu) echo qemu-system-x86-core ;;
    pacman:qemu) echo qemu-system-x86 ;; brew:qemu) echo qemu ;;
    apt:grub) echo grub-common grub-pc-bin ;; dnf:grub) echo grub2-tools-extra grub2-pc-modules ;;
    pacman:grub) echo grub ;; brew:grub) echo i686-elf-grub ;;
    pacman:xorriso) echo libisoburn ;;
    apt:lwip) echo liblwip-dev ;;
    apt:fuzzer) echo libclang-rt-dev ;; brew:fuzzer) echo llvm ;; *:fuzzer) echo compiler-rt ;;
    brew:clang | brew:format) echo llvm clang-format ;;
    dnf:format) echo clang-tools-extra ;; pacman:format) echo clang ;;
    apt:scapy) echo python3-scapy ;; dnf:scapy) echo python3-scapy ;; *:scapy) echo scapy ;;
    apt:pytest | dnf:pytest) echo python3-pytest ;; *:pytest) echo python-pytest ;;
    apt:xdist) echo python3-pytest-xdist ;; dnf:xdist) echo python3-pytest-xdist ;;
    *:xdist) echo python-pytest-xdist ;;
    apt:format) echo clang-format ;;
    apt:dig) echo bind9-dnsutils ;; dnf:dig) echo bind-utils ;; *:dig) echo bind ;;
    apt:nginx) echo nginx-light ;;
    apt:redis) echo redis-server redis-tools ;;
    apt:dropbear) echo dropbear-bin ;;
    apt:ping) echo iputils-ping ;; *:ping) echo iputils ;;
    dnf:ip) echo iproute iproute-tc ;; *:ip) echo iproute2 ;;
    apt:ldd) echo libc-bin ;; dnf:ldd) echo glibc-common ;; *:ldd) echo glibc ;;
    apt:ab) echo apache2-utils ;; dnf:ab) echo httpd-tools ;; pacman:ab) echo apache ;;
    apt:dnsmasq) echo dnsmasq-base ;;
    apt:ssh) echo openssh-client ;; dnf:ssh) echo openssh-clients ;; *:ssh) echo openssh ;;
    *:unshare) echo util-linux ;;
    apt:sysctl) echo procps ;; dnf:sysctl | pacman:sysctl) echo procps-ng ;;
    *) echo "$2" ;;
    esac
}

list() { for thing in $missing; do package "$1" "$thing"; done | tr '\n' ' ' | sed 's/ $//'; }

install_debian() { # install_debian SUDO
    echo "installing: $(list apt)"
    # shellcheck disable=SC2046
    $1 env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
        $1 env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(list apt) >build/deps.log 2>&1 ||
        { tail -n 20 build/deps.log; exit 1; }
}

mkdir -p build
if command -v apt-get >/dev/null; then
    [ "$(id -u)" = 0 ] && install_debian "" && exit 0
    sudo -n true 2>/dev/null && install_debian sudo && exit 0
    command="sudo apt-get install $(list apt)"
elif command -v dnf >/dev/null; then command="sudo dnf install $(list dnf)"
elif command -v pacman >/dev/null; then command="sudo pacman -S $(list pacman)"
elif command -v brew >/dev/null; then command="brew install $(list brew | sed 's/scapy\|busybox\|python-pytest[-a-z]*//g')"
else command="your package manager, for:$missing"
fi
echo "missing:$missing" >&2
case $missing in *busybox*)
    echo "busybox: a static one for x86-64 Linux; where no package has it, name a file with BUSYBOX=path" >&2 ;;
esac
echo "install them with: $command" >&2
exit 1
