# shellcheck shell=sh
# Prints a header, then the kernel that runs, then its initial RAM disk.
version=$(uname -r)
line=$(cat /proc/cmdline)
image=
for word in $line; do case $word in BOOT_IMAGE=*) image=${word##*/} ;; esac; done
kernel= ramdisk=
for file in "/boot/vmlinuz-$version" "/lib/modules/$version/vmlinuz" ${image:+"/boot/$image"}; do
    if [ -z "$kernel" ] && [ -s "$file" ]; then kernel=$file; fi
done
# Without a version in its name, it is the only one.
if [ -z "$kernel" ] && [ -s /boot/vmlinuz ]; then kernel=/boot/vmlinuz; fi
[ -n "$kernel" ] || { echo "its kernel $version is not in its /boot" >&2; exit 3; }
flavour=${kernel##*/vmlinuz-}
for file in "/boot/initrd.img-$version" "/boot/initramfs-$version.img" "/boot/initrd-$version" \
    "/boot/initramfs-$flavour.img" "/boot/initramfs-$flavour"; do
    if [ -z "$ramdisk" ] && [ -s "$file" ]; then ramdisk=$file; fi
done
if [ -z "$ramdisk" ] && [ "$kernel" = /boot/vmlinuz ]; then
    for file in /boot/initrd.img /boot/initramfs.img /boot/initrd; do
        if [ -z "$ramdisk" ] && [ -s "$file" ]; then ramdisk=$file; fi
    done
fi
[ -n "$ramdisk" ] || { echo "the initial RAM disk of its kernel $version is not in its /boot" >&2; exit 3; }
echo "$version $(wc -c <"$kernel") $(wc -c <"$ramdisk")"
printf '%s\n' "$line"
cat "$kernel" "$ramdisk"
