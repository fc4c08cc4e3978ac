# shellcheck shell=sh disable=SC2034,SC2154
# The initial RAM disk has copies of the keys that were in /etc; the box gets a new one.
renewed=
renew_initramfs() {
    [ -n "$has_initramfs_keys" ] || return
    say "warning the SSH server in the initial RAM disk has no host keys in the box; a provisioner can make some"
    [ -z "$list" ] || return
    if command -v update-initramfs >/dev/null 2>&1 && update-initramfs -u -k all >/dev/null 2>&1; then
        renewed=yes
    else
        say "warning the initial RAM disk could not be made again: it still has the SSH host keys that were in /etc"
    fi
}
