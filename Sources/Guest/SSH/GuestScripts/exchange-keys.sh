# shellcheck shell=sh
# Puts the machine's key in place of the box's. `$1` the line of the new key, `$2` the key in it in Base64, `$3` the
# old keys so. The file is replaced in one step. `sync` makes the guest write it down soon, for a machine whose power
# is cut in its first minute; one that has forgotten it answers to the old keys again. `cat` and `mv` are the only
# programs to wait for.
line=$1 new=$2 old=$3
umask 077; folder=$HOME/.ssh; file=$folder/authorized_keys
if [ -s "$file" ]; then keys=$(cat "$file") || exit 1
else keys=; mkdir -p "$folder" && chmod 700 "$folder" || exit 1; fi
break='
'
replace() { printf %s "$keys" >"$file.wander" && mv -f "$file.wander" "$file" || exit 1; }
case $keys in
*"$new"*) ;;
*) keys="$keys${keys:+$break}$line$break"; replace ;;
esac
echo added
read -r word && [ "$word" = proved ] || exit 1
keys=$(cat "$file") || exit 1
left=; kept=; found=; set -f; IFS=$break
for entry in $keys; do
    for word in $old; do case $entry in *"$word"*) found=1; continue 2 ;; esac; done
    case $entry in *"$new"*) kept=1 ;; esac
    left=$left$entry$break
done
if [ -z "$kept" ]; then echo 'the new key is no longer in the file' >&2; exit 1; fi
if [ "$found" ]; then keys=$left; replace; sync </dev/null >/dev/null 2>&1 & fi
echo removed
