# shellcheck shell=sh disable=SC2034,SC2154
# The newest kernel that has modules and an initial RAM disk, if it is another one than the box brought.
newest=
# shellcheck disable=SC2012  # Versions of kernels have no spaces.
for version in $(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | grep -v rescue | sort -V); do
    [ -d "/lib/modules/$version" ] || continue
    for file in /boot/initrd.img-$version /boot/initramfs-$version.img /boot/initrd-$version; do
        if [ -s "$file" ]; then newest=$version ramdisk=$file; fi
    done
done
if [ -z "$list" ] && [ -n "$kernel_digest" ] && [ -n "$newest" ]; then
    kernel=/boot/vmlinuz-$newest
    if [ -n "$renewed" ] || [ "$(sha256sum <"$kernel" | cut -d' ' -f1)" != "$kernel_digest" ]; then
        dd if="$kernel" of="$exchange" bs=1048576 seek=2 conv=notrunc 2>/dev/null &&
            dd if="$ramdisk" of="$exchange" bs=1048576 seek=130 conv=notrunc 2>/dev/null &&
            say "kernel $newest $(wc -c <"$kernel") $(wc -c <"$ramdisk") $(sha256sum <"$kernel" | cut -d' ' -f1)" \
                "$(sha256sum <"$ramdisk" | cut -d' ' -f1)"
    fi
fi
