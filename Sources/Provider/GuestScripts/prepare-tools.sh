# shellcheck shell=sh disable=SC2034,SC2154
# What the other parts use. They say what they find line by line; `$list` only looks.
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
        [ -n "$list" ] || rm -rf "${folder:?}"/* "$folder"/.[!.]* "$folder"/..?*
    done
}
homes= user_home= user_owner=
while IFS=: read -r name _ number group _ home _; do
    case $home in / | /nonexistent | /dev/* | /proc/* | /bin | /sbin | /usr/* | '') continue ;; esac
    [ -d "$home" ] || continue
    case "$nl$homes" in *"$nl$home$nl"*) ;; *) homes="$homes$home$nl" ;; esac
    if [ "$name" = "$user" ]; then user_home=$home user_owner=$number:$group; fi
done </etc/passwd
