#!/bin/sh
# run-playbook FOLDER GALAXY WORD...: runs a playbook of FOLDER by its command line, with Ansible installed where it is
# missing, and GALAXY's roles and collections where it is not empty. FOLDER is removed.
set -eu
folder=$1 galaxy=$2
shift 2
trap 'cd /; rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
if ! command -v ansible-playbook >/dev/null; then
    if command -v apt-get >/dev/null; then
        $as_root apt-get -q update
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install ansible-core
    elif command -v dnf >/dev/null; then
        $as_root dnf -y install ansible-core
    elif command -v zypper >/dev/null; then
        $as_root zypper --non-interactive install ansible-core
    elif command -v apk >/dev/null; then
        $as_root apk add ansible-core
    elif command -v pacman >/dev/null; then
        $as_root pacman -Sy --noconfirm ansible-core
    else
        echo "this guest has no ansible-playbook, and no package manager that is known" >&2
        exit 127
    fi
fi
cd "$folder"
[ -z "$galaxy" ] || ansible-galaxy install -r "$galaxy"
"$@"
