# shellcheck shell=bash
# The initial RAM disk for direct boot: busybox, the drivers of a virtual machine, and initrd-init. Sourced by boxes/build.

# Loaded in this order, unless built in. Debian's kernel has ext4 built in.
boot_modules=(
    drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci drivers/virtio/virtio_mmio
    drivers/block/virtio_blk drivers/char/hw_random/virtio-rng
    net/core/failover drivers/net/net_failover drivers/net/virtio_net
)

# stage_initrd TREE BUSYBOX MODULES: MODULES is the directory /lib/modules/RELEASE/kernel of the package.
stage_initrd() {
    local tree=$1 busybox=$2 modules=$3 module file
    mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
    install -m 755 "$busybox" "$tree/bin/busybox"
    ln -s busybox "$tree/bin/sh"
    for module in "${boot_modules[@]}"; do
        file=$modules/$module.ko
        if [ -f "$file" ]; then
            install -m 644 "$file" "$tree/modules/"
        elif [ -f "$file.xz" ]; then
            # Debian 13 compresses modules; unpacking them here is cheaper than in every boot.
            xz -dc "$file.xz" >"$tree/modules/${module##*/}.ko"
        elif grep -Fqx "kernel/$module.ko" "$modules/../modules.builtin"; then
            continue
        else
            die "the kernel has no module $module"
        fi
        printf '%s\n' "${module##*/}" >>"$tree/modules/order"
    done
    install -m 755 "$library/initrd-init" "$tree/init"
    chmod -R u=rwX,go=rX "$tree"
}

# make_initrd DIRECTORY OUTPUT DATE: an uncompressed cpio archive; unpacking takes a fresh machine longer than copying.
make_initrd() {
    local directory=$1 output=$2 date=$3
    find "$directory" -exec touch -h -d "@$date" {} +
    (cd "$directory" && find . -mindepth 1 | sort | cpio -o -H newc --quiet --reproducible -R 0:0) >"$output"
}
