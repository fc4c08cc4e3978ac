# shellcheck shell=sh disable=SC2034,SC2154
# cloud-init's state: with it, the box's machines would be one more start of this machine's instance.
# wipe_quietly FILE...: what user-data says, and what came of it, may be secret; the files are too many to be named.
wipe_quietly() {
    named=$report
    wipe trace "$@"
    report=$named
}
# reset_cloud_init ROOT: `$cloud` says that the box's machines have a seed. Others would be without a network then.
reset_cloud_init() {
    cloud_folder=$1/var/lib/cloud
    saved=$IFS IFS=$nl
    set -f
    if [ -d "$cloud_folder/instances" ]; then
        say "trace cloud-init's state in $cloud_folder"
        # shellcheck disable=SC2046  # A file a line.
        wipe_quietly $(find "$cloud_folder/instances" "$cloud_folder/data" "$cloud_folder/seed" "$1/var/log" -type f \
            '(' -path "$cloud_folder/*" -o -name 'cloud-init*.log*' ')' 2>/dev/null)
        if [ -z "$list" ]; then
            remove_wiped
            set +f
            for part in instance instances data seed sem; do rm -rf "${cloud_folder:?}/$part"; done
        fi
    fi
    set +f
    IFS=$saved
    [ -n "$cloud" ] || return 0
    for file in "$1"/etc/netplan/50-cloud-init.yaml "$1"/etc/network/interfaces.d/50-cloud-init* \
        "$1"/etc/systemd/network/10-cloud-init-* "$1"/etc/NetworkManager/system-connections/cloud-init-* \
        "$1"/etc/sysconfig/network-scripts/ifcfg-* "$1"/etc/udev/rules.d/70-persistent-net.rules; do
        # Each says in its first lines who wrote it.
        if grep -qsiE 'cloud-init|datasource' "$file"; then wipe trace "$file"; fi
    done
}
