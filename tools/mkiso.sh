#!/bin/sh
# tools/mkiso.sh OUT KERNEL INITRAMFS COMMAND-LINE - a GRUB image that boots by Multiboot2.
# The menu waits for nobody: the test that boots it, and you, want the kernel.
set -e
out=$1 kernel=$2 initramfs=$3 append=$4
for tool in grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue; do
    command -v "$tool" >/dev/null 2>&1 && mkrescue=$tool && break
done
tree=$out.tree
rm -rf "$tree"
mkdir -p "$tree/boot/grub"
cp "$kernel" "$tree/boot/towpath.elf"
cp "$initramfs" "$tree/boot/initramfs.cpio"
cat >"$tree/boot/grub/grub.cfg" <<MENU
set timeout=0
menuentry "Towpath" {
    multiboot2 /boot/towpath.elf $append
    module2 /boot/initramfs.cpio
    boot
}
MENU
"$mkrescue" -o "$out" "$tree" >"$out.log" 2>&1 || { tail "$out.log" >&2; exit 1; }
rm -rf "$tree"
