# shellcheck shell=bash
# Recipe: Debian as its users expect it; --release 12 (default) or 13
#
# A Vagrant base box: systemd, OpenSSH, sudo, apt, DHCP by networkd, GRUB for other hypervisors. See boxes/README.md.

revision=5
gibibytes=20
compression=9
command_line="console=ttyS0 root=/dev/vda1 rw quiet cryptomgr.notests wander.key="
release=12

packages=(
    systemd systemd-sysv systemd-resolved systemd-timesyncd libpam-systemd libnss-resolve dbus udev kmod
    openssh-server sudo bash-completion less nano vim-tiny rsync curl wget ca-certificates gnupg man-db procps psmisc
    iproute2 iputils-ping netbase e2fsprogs fdisk locales tzdata cron logrotate lsb-release file bzip2 xz-utils unzip
    apt-utils debian-archive-keyring linux-image-cloud-amd64 initramfs-tools zstd grub-pc-bin grub2-common
    busybox-static python3
)

recipe_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --release=12 | --release=13) release=${1#--release=} ;;
        *) die "the recipe 'debian' does not take '$1'" "It takes --release=12 or --release=13" ;;
        esac
        shift
    done
    box_name=debian-$release
    case $release in
    # Nothing in the image is dated later than the release, so that a build tomorrow gives the same bytes.
    12) suite=bookworm epoch=1686355200 ;;
    13) suite=trixie epoch=1754697600 ;;
    esac
    need mmdebstrap mmdebstrap xz xz-utils
    if [ "$(id -u)" != 0 ]; then need newuidmap uidmap; fi
}

recipe_build() {
    local cache=$package_cache/$suite list=$work/packages version kernel
    install_debian "$suite" "$epoch" "$recipe/customize" "$boxes/keys/authorized_keys" "$boxes/lib/take-key"

    say "making the disk"
    installed_packages "$cache" >"$list"
    date=$(newest_date "$list")
    version=$release.$(date -u -d "@$date" +%Y%m%d).$revision
    mkdir "$work/boot"
    tar -x -C "$work/boot" --no-same-owner --wildcards -f "$work/root.tar" './boot/vmlinuz-*' './boot/grub/*' \
        './usr/lib/modules/*' './usr/bin/busybox' 2>/dev/null ||
        tar -x -C "$work/boot" --no-same-owner --wildcards -f "$work/root.tar" './boot/vmlinuz-*' './boot/grub/*' \
            './lib/modules/*' './bin/busybox'
    kernel=$(basename "$work"/boot/boot/vmlinuz-*)
    kernel=${kernel#vmlinuz-}
    make_disk "$work/disk" "$work/boot/boot/grub"
    make_ext4 "$work/root.tar" "$work/disk" $((gibibytes * 1024 - 1)) "$date" "$(sed -n 's/^root=//p' "$recipe/root/identity.sh")" 1048576
    make_qcow2 "$work/disk" "$work/box/box.img"
    say "making the initial RAM disk"
    local modules=("$work"/boot/{usr/,}lib/modules/"$kernel"/kernel) busybox=("$work"/boot/{usr/,}bin/busybox)
    stage_initrd "$work/initrd" "$(existing "${busybox[@]}")" "$(existing "${modules[@]}")"
    make_initrd "$work/initrd" "$work/box/initrd.img" "$date"
    cp "$work/boot/boot/vmlinuz-$kernel" "$work/box/vmlinuz"
    write_metadata "$work/box" "debian/$release" "$version" "$gibibytes" "$command_line" "$release" \
        "$list" grub-pc
}

# existing PATH...: the first that exists.
existing() {
    local path
    for path; do if [ -e "$path" ]; then echo "$path" && return; fi; done
    die "none of these exists: $*"
}

# make_disk IMAGE GRUB: a disk of one partition with GRUB between the partition table and the partition, as grub-install
# would put it there. boot.img expects core.img in sector 1, and core.img the rest of itself in sector 2 and following.
make_disk() {
    local image=$1 grub=$2 sectors
    truncate -s "${gibibytes}G" "$image"
    [ "$(stat -c %s "$grub/core.img")" -lt $((2047 * 512)) ] || die "GRUB's core.img does not fit before the partition"
    dd if="$grub/i386-pc/boot.img" of="$image" bs=440 count=1 conv=notrunc status=none
    dd if="$grub/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
    sectors=$(((gibibytes * 1024 - 1) * 2048))
    {
        printf 'wndr\0\0'                         # signature of the disk
        printf '\x80\xfe\xff\xff\x83\xfe\xff\xff' # bootable, type Linux, addressed by sectors
        little_endian 2048
        little_endian $sectors
        head -c 48 /dev/zero
        printf '\x55\xaa'
    } | dd of="$image" bs=1 seek=440 conv=notrunc status=none
}

# little_endian NUMBER: its four bytes.
little_endian() {
    # shellcheck disable=SC2059  # The inner printf makes the escapes.
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}
