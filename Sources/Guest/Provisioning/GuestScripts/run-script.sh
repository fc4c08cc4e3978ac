# shellcheck shell=sh
# Runs one script. `$1` a folder to make, `$2` whether there is a terminal, `$3` what to do first, with the rest as
# its arguments. The input is a line with the mark of the end and the script's size in bytes, a line that sets the
# environment and becomes the script, and the script. A process group of its own (`setsid`) lets the script be ended
# with all that it has started; a terminal belongs to a session, so there it is the terminal's group, and the hang-up
# comes first. The script's status is told after the mark; the runner's own is never 0, so that its end can be told
# from silence. Programs are started where the shell cannot do it.
folder=$1; terminal=$2; prepare=$3; shift 3
if [ "$prepare" ]; then eval "$prepare" || exit 125; echo "$folder"; fi
session=; if [ ! "$terminal" ] && command -v setsid >/dev/null 2>&1; then session=setsid; fi
wander_newline='
'
mkdir -m 700 "$folder" || exit 125
trap 'rm -rf "$folder"' EXIT
read -r token count && IFS= read -r preamble || exit 125
head -c "$count" >"$folder/script"
if [ "$(wc -c <"$folder/script")" -ne "$count" ]; then echo 'the connection broke' >&2; exit 125; fi
exec 3<&0 </dev/null; input=0
if [ "$terminal" ]; then input=3; trap 'exit 129' HUP TERM; fi
( exec <&"$input" 3<&-; eval "$preamble" ) & script=$!; group=$script
if [ "$terminal" ]; then read -r pid name state parent group rest </proc/self/stat; fi
( trap '' HUP TERM; while read -r word <&3; do :; done; for signal in TERM KILL; do
    kill -s "$signal" -- "-$group" || kill -s "$signal" "$script"; sleep 5; rm -rf "$folder"
  done ) >/dev/null 2>&1 & watcher=$!
{ wait "$script"; } 2>/dev/null; status=$?
kill -s KILL "$watcher" 2>/dev/null; rm -rf "$folder"; trap - EXIT
printf '%s %s\n' "$token" "$status"; [ "$terminal" ] || printf '%s %s\n' "$token" "$status" >&2
exit 77
