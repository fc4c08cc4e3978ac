# shellcheck shell=sh disable=SC2154
# `$1` is the owner, `$2` the comment over the lines in /etc/fstab; four more for each share: tag, path, mode, line of
# /etc/fstab. Ends with a line `shares mounted`, or `shares REASON NUMBER` and what was said.
#
# Whoever mounts first, which may be the guest's own start, says with chown(1) of the mount point whom the guest shall see as
# the owner of what is the host user's. That takes a mount that is not read-only. The shell does by itself what it can: under
# emulation starting programs is what takes time.
nl='
'
user=$1; comment=$2; shift 2; count=0; lines= owner= home=
fail() { printf 'shares %s\n%s\n' "$1 $count" "$2"; exit 1; }
find_user() {
    while IFS=: read -r name _ number group _ place _; do
        if [ "$name" = "$user" ]; then owner=$number:$group home=$place; return 0; fi
    done
    return 1
}
find_user </etc/passwd
if [ -z "$owner" ]; then
    find_user <<GETENT
$(getent passwd "$user" 2>/dev/null)
GETENT
fi
[ -n "$owner" ] || fail user
has_driver() {
    while read -r one other; do
        if [ "$one" = virtiofs ] || [ "$other" = virtiofs ]; then return 0; fi
    done </proc/filesystems
    return 1
}
# A driver that the guest's own start is loading is on its way, though busybox's modprobe takes it for there.
await_driver() {
    tries=0
    until has_driver; do
        loading=
        while read -r module _ _ _ state _; do
            if [ "$module" = virtiofs ] && [ "$state" = Loading ]; then loading=yes; fi
        done </proc/modules
        if [ -z "$loading" ] || [ $tries -ge 600 ]; then return 0; fi
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
}
find_mount() {
    while read -r _ _ device _ _ _ rest; do
        case $rest in *"- virtiofs $1 "*) return 0 ;; esac
    done </proc/self/mountinfo
    return 1
}
# Below the user's home the user owns what is made.
make_folder() {
    [ -z "$1" ] || [ -d "$1" ] && return 0
    make_folder "${1%/*}" && mkdir "$1" || return 1
    case $1 in "$home"/*) chown "$owner" "$1" ;; esac
}
while [ $# -gt 0 ]; do
    count=$((count + 1))
    case $home/.ssh/ in "$2"/*) fail home ;; esac
    if find_mount "$1"; then
        [ "$3" = rw ] || mount -t virtiofs -o remount,rw "$1" "$2" 2>/dev/null
    else
        said=$(make_folder "$2" 2>&1) || fail place "$said"
        if ! has_driver; then
            modprobe virtiofs 2>/dev/null
            await_driver
        fi
        # The guest's own start may have been first.
        if ! said=$(mount -t virtiofs "$1" "$2" 2>&1) && ! find_mount "$1"; then
            if ! has_driver; then fail driver "$(uname -r)"; fi
            fail mount "$said"
        fi
    fi
    said=$(chown "$owner" "$2" 2>&1) || fail mount "$said"
    if [ "$3" = ro ]; then said=$(mount -t virtiofs -o remount,ro "$1" "$2" 2>&1) || fail mount "$said"; fi
    # As much at once as a request carries: the kernel's 128 KiB are for disks.
    { find_mount "$1" && echo 1024 >"/sys/class/bdi/$device/read_ahead_kb"; } 2>/dev/null
    lines="$lines$4$nl"
    shift 4
done
table=/etc/fstab old= new= gone=
if [ -e "$table" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
        old=$old$line$nl
        case $line in
        "$comment") ;;
        wander-????????????[!0-9a-f]*[!0-9a-z]virtiofs[!0-9a-z]*) gone=$gone$line$nl ;;
        *) new=$new$line$nl ;;
        esac
    done <"$table"
fi
if [ -n "$lines" ]; then new=$new$comment$nl$lines; fi
if [ "$new" != "$old" ]; then
    if [ -L "$table" ] || ! { [ ! -e "$table" ] || cp -p "$table" "$table.wander"; } ||
        ! printf '%s' "$new" >"$table.wander" || ! mv -f "$table.wander" "$table"; then
        rm -f "$table.wander"
        echo 'shares mounted only'
        exit 0
    fi 2>/dev/null
    # systemd still remembers that it could not mount what is shared no longer.
    if [ -d /run/systemd/system ]; then
        printf '%s' "$gone" | while read -r tag place _; do
            case $nl$new in *"$nl$tag "*) continue ;; esac
            place=$(printf '%b' "$(printf '%s' "$place" | sed 's/\\\([0-7]\)/\\0\1/g')")
            systemctl daemon-reload
            systemctl reset-failed "$(systemd-escape -p --suffix=mount "$place")"
        done
    fi >/dev/null 2>&1
fi
echo 'shares mounted'
