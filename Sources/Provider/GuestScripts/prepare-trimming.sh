# shellcheck shell=sh disable=SC2034,SC2154
# Blocks that are free are told to the disk.
if [ -z "$list" ]; then
    sync
    while read -r device folder _ options _; do
        case $device:$options in /dev/*:rw*) fstrim "$folder" ;; esac
    done </proc/mounts
fi
