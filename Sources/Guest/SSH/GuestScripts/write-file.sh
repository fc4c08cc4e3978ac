# shellcheck shell=sh
# Writes the input to a file. `$1` destination, `$2` the source's name, `$3` permissions, `$4` owner, `$5` size.
# Through a temporary file, which is compared with the size: when a connection breaks, `cat` sees no more than an
# early end.
set -e; umask 022; t=$1
case $t in */) mkdir -p -- "$t";; *) mkdir -p -- "$(dirname -- "$t")";; esac
if [ -d "$t" ] && [ -n "$2" ]; then t=${t%/}/$2; fi
if [ -d "$t" ]; then echo "$t is a folder" >&2; exit 1; fi
if [ -e "$t" ] && { [ -L "$t" ] || [ ! -f "$t" ]; }; then cat >"$t"; exit; fi
# A signal alone would not run that: the error of a connection that has gone is written to nobody.
n=$t.wander-$$; trap 'rm -f -- "$n"' EXIT; trap 'exit 1' HUP INT PIPE TERM
(umask 077; cat >"$n")
[ "$(wc -c <"$n")" -eq "$5" ] || { echo 'the connection broke' >&2; exit 1; }
if [ -n "$4" ]; then chown -- "$4" "$n"; fi
chmod "$3" "$n"; mv -f -- "$n" "$t"
