# shellcheck shell=bash
# Recipe: Debian as an image for clouds; --release 12 (default) or 13, --form qcow2 (default), raw or raw.xz
#
# No box: a disk image as distributions publish them, for wander's tests of such images. It has cloud-init, GRUB for
# BIOS and UEFI, and nothing of wander's: no user, no key, no network configuration. See boxes/README.md.

gibibytes=2
release=12
form=qcow2

packages=(
    systemd systemd-sysv systemd-resolved systemd-timesyncd libpam-systemd libnss-resolve dbus udev kmod
    cloud-init cloud-guest-utils netplan.io openssh-server sudo less nano iproute2 iputils-ping netbase procps
    e2fsprogs dosfstools fdisk ca-certificates locales tzdata
    linux-image-cloud-amd64 initramfs-tools zstd grub-pc-bin grub-efi-amd64-bin grub2-common
)

# Where things are, in sectors; as on the images of Debian's cloud team, whose root file system is last and grows.
loader_start=2048 efi_start=8192 root_start=262144

recipe_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --release=12 | --release=13) release=${1#--release=} ;;
        --form=qcow2 | --form=raw | --form=raw.xz) form=${1#--form=} ;;
        *) die "the recipe 'cloud' does not take '$1'" "It takes --release=12|13 and --form=qcow2|raw|raw.xz" ;;
        esac
        shift
    done
    box_name=cloud-$release
    file_name=$box_name.$form
    case $release in
    12) suite=bookworm epoch=1686355200 ;;
    13) suite=trixie epoch=1754697600 ;;
    esac
    need mmdebstrap mmdebstrap xz xz-utils sfdisk fdisk mkfs.fat dosfstools mcopy mtools
    if [ "$(id -u)" != 0 ]; then need newuidmap uidmap; fi
}

recipe_build() {
    local list=$work/packages grub
    # shellcheck source=/dev/null
    source "$recipe/root/identity.sh"
    install_debian "$suite" "$epoch" "$recipe/customize"

    say "making the disk"
    installed_packages "$package_cache/$suite" >"$list"
    date=$(newest_date "$list")
    mkdir "$work/boot"
    tar -x -C "$work/boot" --no-same-owner --wildcards -f "$work/root.tar" './boot/grub/*'
    grub=$work/boot/boot/grub
    cd "$work"
    partition_table gpt "${gibibytes}G" "label-id: $disk" \
        "14: start=$loader_start, size=6144, type=21686148-6449-6E6F-744E-656564454649, uuid=$loader_partition" \
        "15: start=$efi_start, size=$((root_start - efi_start)), type=U, uuid=$efi_partition" \
        "1: start=$root_start, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=$root_partition"
    make_ext4 "$work/root.tar" disk $((gibibytes * 1024 - root_start / 2048 - 1)) "$date" "$root" $((root_start * 512))
    put_grub "$grub/i386-pc/boot.img" "$grub/core.img" $loader_start
    new_partition $(((root_start - efi_start) / 2048))
    SOURCE_DATE_EPOCH=$date mkfs.fat -F 32 --invariant -i "${efi/-/}" -h $efi_start partition >/dev/null
    SOURCE_DATE_EPOCH=$date mmd -i partition ::EFI ::EFI/BOOT
    SOURCE_DATE_EPOCH=$date mcopy -i partition "$grub/BOOTX64.EFI" ::EFI/BOOT
    put partition $efi_start
    mv disk image
}
