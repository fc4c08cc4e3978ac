# shellcheck shell=sh
# Says `frozen` once everything is at rest and waits for a line. Ends with 0 only if it was frozen all the time.
freeze=fsfreeze
command -v fsfreeze >/dev/null 2>&1 || freeze='busybox fsfreeze'
frozen= devices=
thaw() {
    status=0
    for folder in $frozen; do $freeze --unfreeze "$folder" 2>/dev/null || status=1; done
    return $status
}
sync
while read -r device folder type options _; do
    case $device in /dev/*) ;; *) continue ;; esac
    case $options in rw*) ;; *) continue ;; esac
    case " $devices " in *" $device "*) continue ;; esac
    devices="$devices $device"
    if $freeze --freeze "$folder"; then
        frozen="$folder $frozen"
    else
        thaw
        echo "the guest's fsfreeze cannot freeze $folder ($type)"
        exit 3
    fi
done </proc/mounts
# A disk that is used without a file system is told to keep what it has: its monitor's tables are in memory until then.
for disk in /sys/block/*; do
    name=${disk##*/}
    [ -e "$disk/device" ] && [ "$(cat "$disk/ro")" = 0 ] || continue
    case " $devices" in *" /dev/$name"*) continue ;; esac
    if ! dd if=/dev/null of="/dev/$name" conv=notrunc,fsync 2>/dev/null; then
        thaw
        echo "the guest cannot bring /dev/$name to rest"
        exit 3
    fi
done
[ -n "$frozen" ] || { echo 'the guest has no file system of a disk'; exit 3; }
{ sleep 120; thaw; } >/dev/null 2>&1 </dev/null &
watchdog=$!
echo frozen
read -r line
thaw || { echo 'the guest was thawed before its disk was copied'; exit 4; }
kill $watchdog
