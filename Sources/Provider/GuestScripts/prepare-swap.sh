# shellcheck shell=sh disable=SC2034,SC2154
# What was swapped out is the guest's memory. Only the first page of a swap area says what it is (mkswap(8), the kernel's
# `union swap_header`); a hibernated system's is made an ordinary one again.
# wipe_swap AREA...: partitions and files.
wipe_swap() {
    for area; do
        [ -e "$area" ] && [ ! -L "$area" ] && [ "$area" != "$exchange" ] || continue
        case $(dd if="$area" bs=1 skip=4086 count=10 2>/dev/null | tr -d '\000') in
        SWAPSPACE2 | S1SUSPEND*) ;;
        *) continue ;;
        esac
        say "swap $area"
        [ -z "$list" ] || continue
        printf SWAPSPACE2 | dd of="$area" bs=1 seek=4086 conv=notrunc 2>/dev/null
        if [ -f "$area" ]; then
            size=$(wc -c <"$area")
            dd if=/dev/zero of="$area" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc 2>/dev/null
        else
            blkdiscard -z -o 4096 "$area" 2>/dev/null ||
                dd if=/dev/zero of="$area" bs=4096 seek=1 conv=notrunc 2>/dev/null
        fi
    done
}
