import SSH

/// What a guest runs in place of its own first program, on a copy of a machine's disk, to make of it the disk of a box.
///
/// It needs no more than a POSIX shell and the usual small programs, busybox's or others. No service is started,
/// nothing is reached over a network: nobody but the script changes the copy.
struct PreparationScript: Hashable {
    /// Whom the box's users log in as.
    var user: String
    /// The machine's own public key, in Base64, which goes out; nil if it has none.
    var ownKey: String?
    var keepsIdentity: Bool
    var cleans: Bool
    /// Only say what would be removed.
    var lists = false
    /// SHA-256 of the kernel that the box brings, in hexadecimal digits.
    var kernelDigest: String?

    /// Where things are on the disk by which the guest gets the script and gives its answers, in bytes.
    enum Exchange {
        static let size: UInt64 = 704 << 20
        static let report: Int64 = 1 << 20
        static let reportLimit = 1 << 20
        static let kernel: Int64 = 2 << 20
        static let kernelLimit: UInt64 = 128 << 20
        static let initrd: Int64 = 130 << 20
        static let initrdLimit: UInt64 = 512 << 20
    }

    var text: String {
        func word(_ flag: Bool) -> String { flag ? "yes" : "" }
        let known = WellKnownKeys.all.map(\.publicKey)
        let lines = known.map { "\($0.algorithm) \($0.base64) vagrant insecure public key\n" }.joined()
        let settings =
            [
                ("user", user), ("own_key", ownKey ?? ""), ("well_known", lines),
                ("well_known_keys", known.map(\.base64).joined(separator: " ")), ("keep", word(keepsIdentity)),
                ("clean", word(cleans)), ("list", word(lists)), ("kernel_digest", kernelDigest ?? ""),
            ] + PrivatePlaces.settings
        return "exec </dev/null >/dev/console 2>&1\n{\n"
            + settings.map { "\($0.0)=\(ShellQuoting.quote($0.1))\n" }.joined()
            + [
                Self.begin, Self.shares, Self.tools, Self.swap, PrivatePlaces.script, Self.renewal,
                Self.identity, Self.cleaning, Self.trimming, Self.kernels, Self.end,
            ]
            .joined(
                separator: "\n") + "\n}\n"
    }

    /// The disk that the script came from is `$0`: the shell reads it like a file.
    private static let begin = #"""
        export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
        umask 022
        exchange=$0
        mount -t proc proc /proc 2>/dev/null
        mount -t sysfs sys /sys 2>/dev/null
        mount -o remount,rw /
        # Volumes that only the services would have made ready.
        vgchange -ay --noudevsync >/dev/null 2>&1
        mount -a -t ext2,ext3,ext4,xfs,btrfs,f2fs,vfat 2>/dev/null
        """#

    /// Folders of this host are none of the box's: their places stay as the empty folders that they are on the disk.
    static let shares =
        "pattern='\(MountTable.pattern)' comment='\(MountTable.comment)'\n" + #"""
            if [ -z "$list" ] && [ ! -L /etc/fstab ] && grep -qs "$pattern" /etc/fstab; then
                sed -i "/$pattern/d; /^$comment\$/d" /etc/fstab
            fi
            """#

    static let tools = #"""
        nl='
        '
        report= doomed=
        say() { report="$report$*$nl"; }
        # wipe KIND FILE...: overwrites before it removes, so that the bytes are in no free block either.
        wipe() {
            kind=$1
            shift
            for file; do
                [ -f "$file" ] || continue
                if [ -L "$file" ]; then
                    case $kind in
                    secret | history) say "warning $file is a link, and what it leads to was left in the box: $(readlink -f "$file")" ;;
                    esac
                    continue
                fi
                say "$kind $file"
                [ -z "$list" ] || continue
                size=$(wc -c <"$file")
                dd if=/dev/zero of="$file" bs=4096 count=$(((size + 4095) / 4096)) conv=notrunc 2>/dev/null
                doomed="$doomed$file$nl"
            done
        }
        remove_wiped() {
            sync
            old=$IFS IFS=$nl
            set -f
            for file in $doomed; do rm -f -- "$file"; done
            set +f
            IFS=$old doomed=
        }
        # empty FOLDER...
        empty() {
            for folder; do
                [ -d "$folder" ] && [ ! -L "$folder" ] && [ -n "$(ls -A "$folder")" ] || continue
                say "clean $(du -sk "$folder" 2>/dev/null | cut -f1) $folder"
                [ -n "$list" ] || rm -rf "$folder"/* "$folder"/.[!.]* "$folder"/..?*
            done
        }
        homes= user_home= user_owner=
        while IFS=: read -r name _ number group _ home _; do
            case $home in / | /nonexistent | /dev/* | /proc/* | /bin | /sbin | /usr/* | '') continue ;; esac
            [ -d "$home" ] || continue
            case "$nl$homes" in *"$nl$home$nl"*) ;; *) homes="$homes$home$nl" ;; esac
            if [ "$name" = "$user" ]; then user_home=$home user_owner=$number:$group; fi
        done </etc/passwd
        """#

    /// What was swapped out is the guest's memory. Only the first page of a swap area says what it is (mkswap(8), the
    /// kernel's `union swap_header`); a hibernated system's is made an ordinary one again.
    static let swap = #"""
        # wipe_swap AREA...: partitions and files.
        wipe_swap() {
            for area; do
                [ -e "$area" ] && [ ! -L "$area" ] && [ "$area" != "$exchange" ] || continue
                case $(dd if="$area" bs=1 skip=4086 count=10 2>/dev/null | tr -d '\000') in
                SWAPSPACE2 | S1SUSPEND*) ;;
                *) continue ;;
                esac
                say "swap $area"
                [ -z "$list" ] || continue
                printf SWAPSPACE2 | dd of="$area" bs=1 seek=4086 conv=notrunc 2>/dev/null
                if [ -f "$area" ]; then
                    size=$(wc -c <"$area")
                    dd if=/dev/zero of="$area" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc 2>/dev/null
                else
                    blkdiscard -z -o 4096 "$area" 2>/dev/null ||
                        dd if=/dev/zero of="$area" bs=4096 seek=1 conv=notrunc 2>/dev/null
                fi
            done
        }
        """#

    /// The initial RAM disk has copies of the keys that were in /etc; the box gets a new one.
    static let renewal = #"""
        renewed=
        renew_initramfs() {
            [ -n "$has_initramfs_keys" ] || return
            say "warning the SSH server in the initial RAM disk has no host keys in the box; a provisioner can make some"
            [ -z "$list" ] || return
            if command -v update-initramfs >/dev/null 2>&1 && update-initramfs -u -k all >/dev/null 2>&1; then
                renewed=yes
            else
                say "warning the initial RAM disk could not be made again: it still has the SSH host keys that were in /etc"
            fi
        }
        """#

    private static let identity = #"""
        reset_login_key() {
            if [ -z "$user_home" ]; then
                say "warning there is no user '$user' with a home folder, so no well-known key was put back"
                return
            fi
            file=$user_home/.ssh/authorized_keys
            say "login-key $file"
            pattern=$own_key
            for key in $well_known_keys; do pattern="$pattern$nl$key"; done
            others=$(grep -vF -e "${pattern#"$nl"}" "$file" 2>/dev/null)
            old=$IFS IFS=$nl
            set -f
            for line in $others; do
                case $line in '' | '#'*) ;; *) say "other-key ${line##* }" ;; esac
            done
            set +f
            IFS=$old
            [ -z "$list" ] || return
            if [ ! -d "$user_home/.ssh" ]; then
                mkdir -m 700 "$user_home/.ssh"
                chown "$user_owner" "$user_home/.ssh"
            fi
            if [ ! -f "$file" ]; then
                : >"$file"
                chmod 600 "$file"
                chown "$user_owner" "$file"
            fi
            # Into the same file, which keeps its owner and label.
            { [ -z "$others" ] || printf '%s\n' "$others"; printf '%s' "$well_known"; } >"$file"
        }
        makes_host_keys() {
            [ -d /etc/cloud ] || grep -rqsE 'ssh-keygen|make-host-keys|dropbearkey|dropbear.* -[A-Za-z]*R' /etc/inittab \
                /etc/rc.local /etc/init.d /etc/default/dropbear /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system
        }
        reset_host_keys() {
            set -- /etc/ssh/ssh_host_*_key /etc/dropbear/*host_key
            if makes_host_keys; then
                wipe host-keys "$@"
            elif command -v ssh-keygen >/dev/null 2>&1; then
                wipe host-keys "$@"
                renew=yes
            else
                say "warning nothing in the guest makes SSH host keys, so its own were left in the box"
            fi
            [ -n "$list" ] || rm -f /etc/ssh/ssh_host_*_key.pub
        }
        has_initramfs_keys=
        if [ -z "$keep" ]; then
            wipe_swap $(sed -n '3,$s|.* ||; 3,$s|^|/dev/|p' /proc/partitions) /swapfile /swap.img /swap/swapfile \
                $(sed -n 's|^[[:space:]]*\(/[^[:space:]]*\)[[:space:]][[:space:]]*[^[:space:]]*[[:space:]][[:space:]]*swap[[:space:]].*|\1|p' /etc/fstab 2>/dev/null)
            renew=
            reset_login_key
            reset_host_keys
            if [ -s /etc/machine-id ]; then
                say "machine-id /etc/machine-id"
                [ -n "$list" ] || : >/etc/machine-id
            fi
            wipe machine-id /var/lib/dbus/machine-id
            wipe_homes
            wipe_system ''
            if [ -d /var/lib/cloud/instances ]; then
                say "trace cloud-init's state in /var/lib/cloud"
                [ -n "$list" ] || rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem
            fi
            remove_wiped
            renew_initramfs
            if [ -n "$renew" ] && [ -z "$list" ]; then
                ssh-keygen -A >/dev/null 2>&1
                say "warning nothing in the guest makes SSH host keys at its start: the box has new ones, which all its machines share"
            fi
        fi
        """#

    private static let cleaning = #"""
        if [ -n "$clean" ]; then
            empty /var/cache/apt/archives /var/lib/apt/lists /var/cache/dnf /var/cache/yum /var/cache/apk \
                /var/cache/zypp /var/cache/pacman/pkg /var/cache/man /var/crash /tmp /var/tmp /var/log/journal
            old=$IFS IFS=$nl
            for home in $homes; do
                IFS=$old
                empty "$home/.cache" "$home/.npm/_cacache"
            done
            IFS=$old
            [ -n "$list" ] || rm -f /var/cache/apt/*.bin
            if [ -n "$(find /var/log -type f -size +0 2>/dev/null | head -n 1)" ]; then
                say "clean $(du -sk /var/log | cut -f1) /var/log"
                if [ -z "$list" ]; then
                    find /var/log -type f '(' -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' ')' -exec rm -f '{}' ';'
                    find /var/log -type f -size +0 -exec sh -c ': >"$1"' sh '{}' ';'
                fi
            fi
        fi
        """#

    private static let trimming = #"""
        if [ -z "$list" ]; then
            sync
            while read -r device folder _ options _; do
                case $device:$options in /dev/*:rw*) fstrim "$folder" ;; esac
            done </proc/mounts
        fi
        """#

    /// The newest kernel that has modules and an initial RAM disk, if it is another one than the box brought.
    static let kernels = #"""
        newest=
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
        """#

    private static let end = #"""
        say end
        printf '%s' "$report" | dd of="$exchange" bs=1024 seek=1024 conv=notrunc 2>/dev/null
        sync
        cd /
        umount -a -r -t ext2,ext3,ext4,xfs,btrfs,f2fs,vfat 2>/dev/null
        mount -o remount,ro /
        sync
        echo o >/proc/sysrq-trigger
        sleep 5
        poweroff -f || busybox poweroff -f
        sleep 600
        """#
}
