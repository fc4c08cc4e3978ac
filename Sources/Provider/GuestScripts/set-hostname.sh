# shellcheck shell=sh
# Sets the guest's host name to `$1` where it differs; nothing else of the guest's files is touched.
running=; saved=; read -r running </proc/sys/kernel/hostname
if [ -r /etc/hostname ]; then read -r saved </etc/hostname; fi
if [ "$running" != "$1" ] || [ "$saved" != "$1" ]; then
  if command -v hostnamectl >/dev/null 2>&1 && hostnamectl set-hostname "$1" 2>/dev/null; then :
  else echo "$1" >/etc/hostname && hostname "$1"; fi
fi
