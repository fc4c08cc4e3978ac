# shellcheck shell=sh
# Waits until cloud-init has done what it does at this start, and says what came of it, a word before each line. `$1` is where
# the guest's files are: empty in a guest. A look at a file costs a slow guest less than starting cloud-init again and again.
root=$1
run=$root/run/cloud-init log=$root/var/log/cloud-init-output.log
command -v cloud-init >/dev/null 2>&1 || { echo absent; exit 0; }
[ -e "$run/status.json" ] || [ -e "$run/result.json" ] || { echo unstarted; exit 0; }
while [ ! -e "$run/result.json" ]; do
    echo "at $(tail -n 1 "$log" 2>/dev/null)"
    sleep 1
done
answer=$(cloud-init status --wait --long --format json 2>/dev/null)
status=$?
# Before version 22.4 there was no other form than the one for people.
if [ -z "$answer" ]; then
    answer=$(cloud-init status --wait --long 2>/dev/null)
    status=$?
fi
echo "exit $status"
printf '%s\n' "$answer" | sed 's/^/status /'
# What it says of keys and stages is no reason of a failure.
[ "$status" = 0 ] ||
    grep -vE '^(ci-info: |[|+]|Cloud-init v|Generating public/private|Your (identification|public key)|The key|SHA256:)' "$log" \
        2>/dev/null | tail -n 20 | sed 's/^/log /'
