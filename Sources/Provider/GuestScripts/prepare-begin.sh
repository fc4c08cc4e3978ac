# shellcheck shell=sh disable=SC2034,SC2154
# The beginning of the script that makes the disk of a box from a copy of a machine's disk: the guest's first program. The disk
# that it came from is `$0`: the shell reads it like a file. Its settings are variables that were set before.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
umask 022
exchange=$0
mount -t proc proc /proc 2>/dev/null
mount -t sysfs sys /sys 2>/dev/null
mount -o remount,rw /
# Volumes that only the services would have made ready.
vgchange -ay --noudevsync >/dev/null 2>&1
mount -a -t ext2,ext3,ext4,xfs,btrfs,f2fs,vfat 2>/dev/null
