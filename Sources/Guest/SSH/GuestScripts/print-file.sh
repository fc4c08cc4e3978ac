# shellcheck shell=sh
# Prints the file `$1`.
if [ -d "$1" ]; then echo 'it is a folder; only a file can go to standard output' >&2; exit 1; fi
if [ -e "$1" ]; then exec cat -- "$1"; fi
echo 'there is no such file or folder in the guest' >&2; exit 1
