# shellcheck shell=sh disable=SC2034,SC2154
# Keys, identity and traces of the machine.
reset_login_key() {
    if [ -z "$user_home" ]; then
        say "warning there is no user '$user' with a home folder, so no well-known key was put back"
        return
    fi
    file=$user_home/.ssh/authorized_keys
    say "login-key $file"
    pattern=$own_key
    for key in $well_known_keys; do pattern="$pattern$nl$key"; done
    others=$(grep -vF -e "${pattern#"$nl"}" "$file" 2>/dev/null)
    old=$IFS IFS=$nl
    set -f
    for line in $others; do
        case $line in '' | '#'*) ;; *) say "other-key ${line##* }" ;; esac
    done
    set +f
    IFS=$old
    [ -z "$list" ] || return
    if [ ! -d "$user_home/.ssh" ]; then
        mkdir -m 700 "$user_home/.ssh"
        chown "$user_owner" "$user_home/.ssh"
    fi
    if [ ! -f "$file" ]; then
        : >"$file"
        chmod 600 "$file"
        chown "$user_owner" "$file"
    fi
    # Into the same file, which keeps its owner and label.
    { [ -z "$others" ] || printf '%s\n' "$others"; printf '%s' "$well_known"; } >"$file"
}
# What cloud-init gave to root, or somebody to another user: the machine's own key opens no other machine.
take_own_key() {
    [ -n "$own_key" ] || return 0
    outer=$IFS IFS=$nl
    set -f
    for home in $homes; do
        keys=$home/.ssh/authorized_keys
        [ "$home" != "$user_home" ] && [ -f "$keys" ] && [ ! -L "$keys" ] && grep -qF -e "$own_key" "$keys" || continue
        say "login-key $keys"
        [ -z "$list" ] || continue
        others=$(grep -vF -e "$own_key" "$keys")
        # Into the same file, which keeps its owner and label.
        { [ -z "$others" ] || printf '%s\n' "$others"; } >"$keys"
    done
    set +f
    IFS=$outer
}
makes_host_keys() {
    [ -d /etc/cloud ] || grep -rqsE 'ssh-keygen|make-host-keys|dropbearkey|dropbear.* -[A-Za-z]*R' /etc/inittab \
        /etc/rc.local /etc/init.d /etc/default/dropbear /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system
}
reset_host_keys() {
    set -- /etc/ssh/ssh_host_*_key /etc/dropbear/*host_key
    if makes_host_keys; then
        wipe host-keys "$@"
    elif command -v ssh-keygen >/dev/null 2>&1; then
        wipe host-keys "$@"
        renew=yes
    else
        say "warning nothing in the guest makes SSH host keys, so its own were left in the box"
    fi
    [ -n "$list" ] || rm -f /etc/ssh/ssh_host_*_key.pub
}
# The system's store is made of what is left.
forget_authorities() {
    [ -z "$list" ] || return 0
    case $report in *"/wander-"*.crt* | *wander/ca.pem*) ;; *) return 0 ;; esac
    for program in 'update-ca-certificates --fresh' update-ca-trust; do
        # shellcheck disable=SC2086  # A program and its option.
        if command -v "${program%% *}" >/dev/null 2>&1; then
            $program >/dev/null 2>&1 || say "warning the store of trusted certificates was not made anew"
            return 0
        fi
    done
}
has_initramfs_keys=
if [ -z "$keep" ]; then
    # shellcheck disable=SC2046  # A word each.
    wipe_swap $(sed -n '3,$s|.* ||; 3,$s|^|/dev/|p' /proc/partitions) /swapfile /swap.img /swap/swapfile \
        $(sed -n 's|^[[:space:]]*\(/[^[:space:]]*\)[[:space:]][[:space:]]*[^[:space:]]*[[:space:]][[:space:]]*swap[[:space:]].*|\1|p' /etc/fstab 2>/dev/null)
    renew=
    reset_login_key
    take_own_key
    reset_host_keys
    if [ -s /etc/machine-id ]; then
        say "machine-id /etc/machine-id"
        [ -n "$list" ] || : >/etc/machine-id
    fi
    wipe machine-id /var/lib/dbus/machine-id
    wipe_homes
    wipe_system ''
    reset_cloud_init ''
    remove_wiped
    forget_authorities
    renew_initramfs
    if [ -n "$renew" ] && [ -z "$list" ]; then
        ssh-keygen -A >/dev/null 2>&1
        say "warning nothing in the guest makes SSH host keys at its start: the box has new ones, which all its machines share"
    fi
fi
