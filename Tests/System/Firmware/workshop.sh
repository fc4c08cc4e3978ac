# shellcheck shell=bash
# A guest in which a disk is worked on by tools that need a kernel to work: one that mounts, or maps devices. It is QEMU's,
# with the kernel of the box `tiny`, and needs no root here. Sourced by make-disk.

# in_guest SCRIPT TOOL...: runs SCRIPT (for busybox's sh) with the host's tools in a guest whose disks are `disk` and, if it
# is there, `partition`. The kernel's modules that it loads by name are in /modules.
in_guest() {
    local script=$1 tool library
    shift
    rm -rf workshop && mkdir -p workshop/modules
    cp -r tiny/initrd workshop/initrd
    (cd workshop/initrd && mkdir -p bin lib64 lib/x86_64-linux-gnu etc run tmp mnt)
    cp "$(guest_module dm-mod)" workshop/initrd/modules/
    for tool in "$@"; do
        cp "$(PATH=$PATH:/usr/sbin:/sbin command -v "$tool")" workshop/initrd/bin/
        while read -r library; do cp -L "$library" "workshop/initrd$library"; done < <(ldd "$(command -v "$tool")" | grep -o '/lib[^ ]*' | sort -u)
    done
    {
        printf '#!/bin/sh\nexport PATH=/bin\n'
        printf 'busybox mount -t devtmpfs dev /dev; busybox mount -t proc proc /proc; busybox mount -t sysfs sys /sys\n'
        printf 'while read -r module; do busybox insmod "/modules/$module.ko"; done </modules/order\n'
        printf 'until [ -b /dev/vda ]; do busybox usleep 50000; done\n'
        printf 'work() {\nset -e\n%s\n}\n(work) && echo "workshop: done"\nbusybox sync\nbusybox poweroff -f\n' "$script"
    } >workshop/initrd/init
    chmod 755 workshop/initrd/init
    make_initrd workshop/initrd workshop/initrd.img 0
    local disks=(-drive file=disk,format=raw,if=virtio)
    [ ! -f partition ] || disks+=(-drive file=partition,format=raw,if=virtio)
    timeout 300 qemu-system-x86_64 -accel tcg -m 512 -nodefaults -display none -no-reboot -kernel tiny/vmlinuz \
        -initrd workshop/initrd.img -append 'console=ttyS0 quiet panic=-1 cryptomgr.notests no_timer_check' \
        -serial file:workshop/console "${disks[@]}" </dev/null
    grep -q 'workshop: done' workshop/console || { cat workshop/console >&2 && die "the work in the guest failed"; }
}

# guest_module NAME: the file of a module of tiny's kernel, out of that kernel's package.
guest_module() {
    local version
    version=$(strings -n 20 tiny/initrd/modules/virtio.ko | sed -n 's/^vermagic=\([^ ]*\) .*/\1/p')
    [ -f "modules.list" ] || fetch_packages modules.list "linux-image-$version"
    [ -d modules ] || unpack_package modules.list "linux-image-$version" modules "*/$1.ko"
    find "$PWD/modules" -name "$1.ko"
}
