# shellcheck shell=sh disable=SC2034,SC2154
# What can be fetched again, and logs: only where --clean asks for it.
if [ -n "$clean" ]; then
    empty /var/cache/apt/archives /var/lib/apt/lists /var/cache/dnf /var/cache/yum /var/cache/apk \
        /var/cache/zypp /var/cache/pacman/pkg /var/cache/man /var/crash /tmp /var/tmp /var/log/journal
    old=$IFS IFS=$nl
    for home in $homes; do
        IFS=$old
        empty "$home/.cache" "$home/.npm/_cacache"
    done
    IFS=$old
    [ -n "$list" ] || rm -f /var/cache/apt/*.bin
    if [ -n "$(find /var/log -type f -size +0 2>/dev/null | head -n 1)" ]; then
        say "clean $(du -sk /var/log | cut -f1) /var/log"
        if [ -z "$list" ]; then
            find /var/log -type f '(' -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' ')' -exec rm -f '{}' ';'
            find /var/log -type f -size +0 -exec sh -c ': >"$1"' sh '{}' ';'
        fi
    fi
fi
