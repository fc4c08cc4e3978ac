# shellcheck shell=sh disable=SC2034,SC2154
# Wipes what the table of private places names: `wipe_homes` in each of `$homes`, `wipe_system` below the folder `$1`.
# wipe_places KIND PREFIX PATTERNS: the patterns are lines; one that ends in a slash is all that is in a folder.
wipe_places() {
    what=$1 prefix=$2
    saved=$IFS IFS=$nl
    set -f
    for pattern in $3; do
        set +f
        # shellcheck disable=SC2086  # Wildcards are to match; words end at line ends.
        set -- $prefix${pattern%/}
        set -f
        case $pattern in
        */)
            for place; do
                # shellcheck disable=SC2046  # A file a line.
                if [ -d "$place" ] && [ ! -L "$place" ]; then wipe "$what" $(find "$place" -type f 2>/dev/null); fi
            done
            ;;
        *) wipe "$what" "$@" ;;
        esac
    done
    set +f
    IFS=$saved
}
# Keys are known by what is in them, whatever they are called and however deep they are.
wipe_ssh_keys() {
    saved=$IFS IFS=$nl
    set -f
    # shellcheck disable=SC2044  # A file a line.
    for key in $(find "$1/.ssh" -type f 2>/dev/null); do
        if grep -qs 'PRIVATE KEY-----' "$key"; then wipe secret "$key"; fi
    done
    set +f
    IFS=$saved
}
wipe_homes() {
    outer=$IFS IFS=$nl
    set -f
    for home in $homes; do
        wipe_places history "$home/" "$home_history"
        wipe_places secret "$home/" "$home_secrets"
        wipe_ssh_keys "$home"
        set -f
    done
    set +f
    IFS=$outer
}
wipe_system() {
    wipe_places secret "$1" "$system_secrets"
    wipe_places trace "$1" "$system_traces"
    before=$report
    wipe_places host-keys "$1" "$initramfs_keys"
    has_initramfs_keys=
    if [ "$report" != "$before" ]; then has_initramfs_keys=yes; fi
    if [ -f "$1/etc/ssl/private/ssl-cert-snakeoil.key" ]; then
        say "warning $1/etc/ssl/private/ssl-cert-snakeoil.key is left: programs need it at their start; all machines of the box share it"
    fi
}
