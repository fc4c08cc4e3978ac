#!/bin/sh
# Asks the address `$URL` by the guest's own programs, which also speak TLS.
if command -v curl >/dev/null 2>&1; then exec curl -sS -o /dev/null --fail "$URL"; fi
if command -v wget >/dev/null 2>&1; then exec wget -q -O /dev/null "$URL"; fi
echo 'this probe needs curl or wget in the guest'; exit 1
