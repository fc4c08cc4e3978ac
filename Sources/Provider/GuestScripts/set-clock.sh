# shellcheck shell=sh
# Sets a clock forward. `$1` is a word that starts each answer. It says that it is `ready` and then reads the time, which so
# is not as old as a slow guest takes to become root. A clock that is ahead is left alone: nothing that stood still gets there.
echo "$1 ready"
read -r seconds fraction nearest || exit 1
now=$(date +%s) || exit 1
behind=$((seconds - now))
if [ "$behind" -le 0 ]; then echo "$1 right"; exit 0; fi
if date -u -s "@$seconds.$fraction" >/dev/null 2>&1 || date -u -s "@$nearest" >/dev/null 2>&1 ||
    said=$(date -u "@$nearest" 2>&1); then
    echo "$1 set $behind"
else
    echo "$1 failed $said"
    exit 1
fi
