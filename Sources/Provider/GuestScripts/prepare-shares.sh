# shellcheck shell=sh disable=SC2154
# Folders of this host are none of the box's: their places stay as the empty folders that they are on the disk.
if [ -z "$list" ] && [ ! -L /etc/fstab ] && grep -qs "$share_pattern" /etc/fstab; then
    sed -i "/$share_pattern/d; /^$share_comment\$/d" /etc/fstab
fi
