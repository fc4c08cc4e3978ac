# shellcheck shell=sh
# Becomes the user `$1` and runs the rest, which is a command. A sudo that wants a terminal (`requiretty`) says so
# before it has started or read anything: it gets one from script(1), and the command keeps its own input and output.
u=$1; shift
if command -v sudo >/dev/null 2>&1; then
    sudo -n -H -u "$u" -- "$@"; s=$?
    [ "$s" = 1 ] || exit "$s"
    case $(LC_ALL=C sudo -n -u "$u" -- true 2>&1 </dev/null) in *"must have a tty"*) ;; *) exit 1 ;; esac
    if ! command -v script >/dev/null 2>&1; then
        echo "sudo in the guest wants a terminal: put 'Defaults !requiretty' into its sudoers (visudo)" >&2
        exit 126
    fi
    line=
    for word; do
        word=$(printf '%s.\n' "$word" | sed "s/'/'\\\\''/g")
        line="$line '${word%.}'"
    done
    exec 3<&0 4>&1 5>&2
    s=$(SHELL=/bin/sh script -q -c "sudo -n -H -u '$u' --$line <&3 >&4 2>&5; echo \$? >&6" /dev/null 6>&1 \
        >/dev/null 2>&1 </dev/null)
    exit "${s:-126}"
fi
if command -v doas >/dev/null 2>&1; then exec doas -n -u "$u" -- "$@"; fi
if [ "$(id -u)" = 0 ]; then exec su -s /bin/sh "$u" -c 'exec "$@"' -- sh "$@"; fi
echo 'there is neither sudo nor doas in the guest, and the user who logs in is not root' >&2
exit 126
