# shellcheck shell=bash
# Messages, tools and clean-up shared by the recipes. Sourced by boxes/build.

started=$EPOCHREALTIME

# say MESSAGE: one line of progress with the seconds since the start, on standard error.
say() {
    local elapsed=$(((${EPOCHREALTIME/[.,]/} - ${started/[.,]/}) / 100000))
    printf '[%3d.%d s] %s\n' $((elapsed / 10)) $((elapsed % 10)) "$*" >&2
}

# die MESSAGE [REMEDY]
die() {
    printf 'boxes/build: %s\n' "$1" >&2
    if [ -n "${2-}" ]; then printf '  %s\n' "$2" >&2; fi
    exit 1
}

# need TOOL PACKAGE...: stops with the names of all Debian packages to install if tools are missing. Takes pairs.
need() {
    local tools=() packages=()
    while [ $# -gt 0 ]; do
        if ! command -v "$1" >/dev/null && [ ! -x "/usr/sbin/$1" ] && [ ! -x "/sbin/$1" ]; then
            tools+=("$1")
            packages+=("$2")
        fi
        shift 2
    done
    if [ ${#tools[@]} -gt 0 ]; then
        die "missing tools: ${tools[*]}" \
            "Install them: apt-get install $(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')"
    fi
}

# digest FILE: prints `sha256:HEX`.
digest() {
    printf 'sha256:%s' "$(sha256sum "$1" | cut -d' ' -f1)"
}
