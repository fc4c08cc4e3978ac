# shellcheck shell=sh
# Unpacks an archive, which is the input, into a folder. `$1` destination, `$2` the folder's name in a destination
# that is there, `$3` whether the archive says whose the files are. Comes after `tar-kind.sh`.
set -e; t=$1
if [ -n "$2" ] && [ -d "$t" ]; then t=${t%/}/$2; fi
mkdir -p -- "$t"
tar_kind
# -p: modes as recorded, without the umask; -o: the files belong to the user who writes them.
if [ -n "$3" ]; then exec tar -xpf - -C "$t"; fi
exec tar -xpof - -C "$t"
