# shellcheck shell=sh
# Unpacks an archive of one file, which is the input, where this guest's tar(1) knows of holes. `$1` destination, `$2`
# the source's name, `$3` permissions, `$4` owner. As `write-file.sh`; comes after `tar-kind.sh`.
set -e; umask 022; t=$1
case $t in */) mkdir -p -- "$t";; *) mkdir -p -- "$(dirname -- "$t")";; esac
if [ -d "$t" ] && [ -n "$2" ]; then t=${t%/}/$2; fi
if [ -d "$t" ]; then echo "$t is a folder" >&2; exit 1; fi
answer=$(tar_kind); echo "$answer"; [ "$answer" = sparse ] || exit 0
n=$t.wander-$$; trap 'rm -rf -- "$n"' EXIT; trap 'exit 1' HUP INT PIPE TERM
mkdir -m 700 -- "$n"; tar -xpmof - -C "$n"
if [ -e "$t" ] && { [ -L "$t" ] || [ ! -f "$t" ]; }; then cat "$n/file" >"$t"; exit; fi
if [ -n "$4" ]; then chown -- "$4" "$n/file"; fi
chmod "$3" "$n/file"; mv -f -- "$n/file" "$t"
