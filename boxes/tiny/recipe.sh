# shellcheck shell=bash
# Recipe: the smallest useful box: Debian's cloud kernel, busybox, bash, sudo and an SSH server
#
# For demonstrations and tests: it answers SSH as soon as a stock distribution kernel allows. What it is made of and
# what it cannot do: boxes/README.md.

box_name=tiny
revision=9
gibibytes=10
command_line="console=ttyS0 root=/dev/vda rw quiet cryptomgr.notests wander.key="

packages=(
    busybox-static bash libtinfo6 sudo dropbear-bin openssh-sftp-server openssh-client e2fsprogs
    libc6 libcrypt1 libtomcrypt1 libtommath1 libgmp10 zlib1g libaudit1 libcap-ng0 libselinux1 libpcre2-8-0
    libpam0g libpam-modules libext2fs2 libcom-err2
)

# Loaded once SSH answers, or by whoever needs them (modprobe).
further_modules=(
    drivers/virtio/virtio_balloon drivers/char/virtio_console drivers/acpi/button drivers/input/evdev
    fs/fuse/fuse fs/fuse/virtiofs net/vmw_vsock/vsock net/vmw_vsock/vmw_vsock_virtio_transport_common
    net/vmw_vsock/vmw_vsock_virtio_transport fs/overlayfs/overlay fs/squashfs/squashfs drivers/block/loop
)

recipe_arguments() {
    [ $# = 0 ] || die "the recipe 'tiny' takes no options: $*"
}

recipe_build() {
    local list=$work/packages root=$work/root release=12 kernel version
    # The same box on every host.
    use_release bookworm
    kernel=$(apt-cache "${apt_options[@]}" depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2 }')
    [ -n "$kernel" ] || die "apt knows no package linux-image-cloud-amd64" "Refresh its lists: apt-get update"
    fetch_packages "$list" "$kernel" "${packages[@]}"
    date=$(newest_date "$list")
    version=$release.$(date -u -d "@$date" +%Y%m%d).$revision

    say "staging the root file system"
    unpack_package "$list" "$kernel" "$work/kernel" ./boot ./lib/modules
    kernel=${kernel#linux-image-}
    stage_root "$list" "$root"
    stage_modules "$root" "$kernel"
    say "making the disk"
    tar -c --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$date" --exclude=./home/vagrant \
        -f "$work/root.tar" -C "$root" .
    tar -r --sort=name --format=gnu --owner=1000 --group=1000 --numeric-owner --mtime="@$date" \
        -f "$work/root.tar" -C "$root" ./home/vagrant
    make_ext4 "$work/root.tar" "$work/disk" $((gibibytes * 1024)) "$date" 6f1a1f10-7469-4e79-8b0c-77616e646572
    make_qcow2 "$work/disk" "$work/box/box.img"
    say "making the initial RAM disk"
    stage_initrd "$work/initrd" "$root/bin/busybox" "$work/kernel/lib/modules/$kernel/kernel"
    make_initrd "$work/initrd" "$work/box/initrd.img" "$date"
    cp "$work/kernel/boot/vmlinuz-$kernel" "$work/box/vmlinuz"
    write_metadata "$work/box" wander/tiny "$version" "$gibibytes" "$command_line" "$release" "$list"
}

stage_root() {
    local list=$1 root=$2 applet package
    mkdir -p "$root"/{bin,sbin,lib,lib64,usr/bin,usr/sbin,usr/lib,dev,proc,sys,run,tmp,root,home/vagrant/.ssh,mnt,etc/dropbear,var/log,var/lib,var/tmp}
    for package in libc6 libcrypt1 libtomcrypt1 libtommath1 libgmp10 zlib1g libaudit1 libcap-ng0 libselinux1 \
        libpcre2-8-0 libpam0g libext2fs2 libcom-err2 libtinfo6; do
        unpack_package "$list" "$package" "$work/libraries" './*lib*'
    done
    # One directory of libraries, without glibc's converters and what only other programs need.
    local target=$root/usr/lib/x86_64-linux-gnu
    mkdir -p "$target" "$root/lib/x86_64-linux-gnu"
    cp -a "$work/libraries"/{usr/,}lib/x86_64-linux-gnu/*.so* "$target/"
    rm -f "$target"/{libpanel*,libmenu*,libform*,libc_malloc_debug*,libnsl*,libthread_db*,libBrokenLocale*,libmvec*}
    rm -f "$target"/{libmemusage*,libpcprofile*,libnss_compat*,libnss_hesiod*,libtic.*}
    rmdir "$root/lib/x86_64-linux-gnu"
    ln -s ../usr/lib/x86_64-linux-gnu "$root/lib/x86_64-linux-gnu"
    ln -s ../usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$root/lib64/ld-linux-x86-64.so.2"

    unpack_package "$list" busybox-static "$root" ./bin/busybox
    for applet in $("$root/bin/busybox" --list); do
        case $applet in
        busybox | bash | dpkg | dpkg-deb | rpm | rpm2cpio | su | poweroff | reboot | halt | ping | ping6) ;;
        init | linuxrc | switch_root | sh) ;;
        *) ln -s busybox "$root/bin/$applet" ;;
        esac
    done
    ln -s busybox "$root/bin/sh"
    ln -s ../bin/busybox "$root/sbin/init"
    for applet in modprobe insmod ip ifconfig route sysctl udhcpc; do ln -s ../bin/busybox "$root/sbin/$applet"; done
    ln -s ../../bin/env "$root/usr/bin/env"
    unpack_package "$list" bash "$root" ./bin/bash
    unpack_package "$list" e2fsprogs "$root" ./sbin/resize2fs
    unpack_package "$list" openssh-client "$root" ./usr/bin/scp
    unpack_package "$list" openssh-sftp-server "$root" ./usr/lib/openssh/sftp-server
    ln -s openssh/sftp-server "$root/usr/lib/sftp-server"
    unpack_package "$list" dropbear-bin "$root" ./usr/sbin/dropbear ./usr/bin/dropbearkey
    unpack_package "$list" sudo "$root" ./usr/bin/sudo './usr/libexec/sudo/sudoers.so' './usr/libexec/sudo/libsudo_util.so*'
    unpack_package "$list" libpam-modules "$root" './lib/x86_64-linux-gnu/security/pam_permit.so'

    cp -a "$recipe/root/." "$root/"
    install -D -m 755 "$boxes/lib/take-key" "$root/usr/lib/wander/take-key"
    install -m 644 "$boxes/keys/authorized_keys" "$root/usr/lib/wander/well-known-keys"
    for applet in poweroff reboot halt; do ln -s shutdown "$root/usr/sbin/$applet"; done
    for applet in shutdown poweroff reboot halt; do ln -s ../usr/sbin/shutdown "$root/sbin/$applet"; done
    ln -s ping "$root/usr/bin/ping6"
    ln -s ../run/resolv.conf "$root/etc/resolv.conf"
    ln -s ../proc/mounts "$root/etc/mtab"
    : >"$root/etc/machine-id"
    printf 'root:x:0:0:root:/root:/bin/bash\nvagrant:x:1000:1000:vagrant:/home/vagrant:/bin/bash\n' >"$root/etc/passwd"
    printf 'nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' >>"$root/etc/passwd"
    printf 'root:x:0:\ntty:x:5:\nsudo:x:27:vagrant\nvagrant:x:1000:\nnogroup:x:65534:\n' >"$root/etc/group"
    # The conventional password of a Vagrant box, for consoles; the SSH server takes keys only.
    printf 'root:*:19000::::::\nvagrant:%s:19000::::::\nnobody:*:19000::::::\n' \
        "$("$root/bin/busybox" mkpasswd -m sha512 -S wanderwander vagrant)" >"$root/etc/shadow"
    cp "$boxes/keys/authorized_keys" "$root/home/vagrant/.ssh/authorized_keys"

    find "$root" -type d -exec chmod 755 {} +
    find "$root/etc" -type f ! -path '*/init.d/*' -exec chmod 644 {} +
    chmod 755 "$root"/etc/init.d/* "$root"/etc/acpi/PWRF/* "$root"/usr/bin/ping "$root"/usr/sbin/* "$root"/usr/share/udhcpc/*
    chmod 700 "$root/root" "$root/home/vagrant/.ssh"
    chmod 600 "$root/etc/shadow" "$root/home/vagrant/.ssh/authorized_keys"
    chmod 440 "$root"/etc/sudoers "$root"/etc/sudoers.d/*
    chmod 1777 "$root/tmp" "$root/var/tmp"
    chmod 4755 "$root/usr/bin/sudo"
}

stage_modules() {
    local root=$1 kernel=$2 module
    for module in "${boot_modules[@]}" "${further_modules[@]}"; do
        install -D -m 644 "$work/kernel/lib/modules/$kernel/kernel/$module.ko" \
            "$root/lib/modules/$kernel/kernel/$module.ko"
    done
    cp "$work/kernel/lib/modules/$kernel"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$kernel/"
    "$root/bin/busybox" depmod -b "$root" "$kernel"
    rm -f "$root/lib/modules/$kernel"/modules.*.bin "$root/lib/modules/$kernel"/modules.{builtin.modinfo,order}
}
