# shellcheck shell=sh
# Restarts the guest; systemd's own command tells it what is under way.
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then systemctl reboot
else reboot || shutdown -r now; fi
