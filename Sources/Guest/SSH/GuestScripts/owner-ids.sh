# shellcheck shell=sh
# Says which numeric ids this guest has for `$1`, `user:` or `user:group`: a file is given to them and looked at.
set -e; n=/tmp/.wander-owner-$$; trap 'rm -f "$n"' EXIT
(set -C; : >"$n"); chown -- "$1" "$n"; ls -dn "$n"
