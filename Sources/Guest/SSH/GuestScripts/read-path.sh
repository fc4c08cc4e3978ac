# shellcheck shell=sh
# Prints what is at the path `$1`: a letter and a line break, then an archive of a folder's contents (`d`) or of a
# file (`f`), or the plain bytes (`c`) of what has no size of its own, such as a file in `/proc`.
if [ -d "$1" ]; then echo d; exec tar -cf - -C "$1" .; fi
if [ -f "$1" ] && [ -s "$1" ]; then
    echo f; cd -- "$(dirname -- "$1")" && exec tar -chf - "./$(basename -- "$1")"
fi
if [ -e "$1" ]; then exec 3<"$1" || exit 1; echo c; exec cat <&3; fi
echo 'there is no such file or folder in the guest' >&2; exit 1
