# shellcheck shell=bash
# Partitions and boot loaders of the file `disk` in the current folder, without root and loop devices. Sourced by
# recipes and by Tests/System/Firmware/make-disk.

# partition_table LABEL SIZE LINE...: makes `disk` of SIZE (as truncate(1) takes it), with sfdisk's lines.
partition_table() {
    local label=$1 size=$2
    shift 2
    truncate -s "$size" disk
    { echo "label: $label"; printf '%s\n' "$@"; } | sfdisk -q disk
}

# start_of NUMBER: where a partition begins, in sectors.
start_of() { sfdisk -J disk | jq --arg number "$1" '.partitiontable.partitions[] | select(.node | test("[^0-9]" + $number + "$")).start'; }

# put FILE SECTOR: writes a file into the disk.
put() { dd if="$1" of=disk bs=512 seek="$2" conv=notrunc,sparse status=none; }

# boot_code FILE: the boot sector's code, which ends where the disk's signature begins.
boot_code() { dd if="$1" of=disk bs=440 count=1 conv=notrunc status=none; }

# number BYTES VALUE OFFSET FILE: writes a little-endian integer.
number() {
    local bytes='' value=$2 index
    for ((index = 0; index < $1; index++)); do
        bytes+=$(printf '\\x%02x' $((value >> (8 * index) & 255)))
    done
    printf '%b' "$bytes" | dd of="$4" bs=1 seek="$3" conv=notrunc status=none
}

# put_grub BOOT-IMAGE CORE-IMAGE SECTOR: GRUB from SECTOR on. Both of its parts say where the next one begins: 0x5c of the
# boot sector, and 0x1f4 of the core's first sector. Both files are changed.
put_grub() {
    # For disks that the BIOS numbers right: the number stays as it was handed over.
    number 2 0x9090 $((0x66)) "$1"
    number 8 "$3" $((0x5c)) "$1"
    number 8 $(($3 + 1)) $((0x1f4)) "$2"
    boot_code "$1"
    put "$2" "$3"
}

# new_partition MEBIBYTES: an empty file, to be filled and put into the disk.
new_partition() { truncate -s "$1M" partition; }
