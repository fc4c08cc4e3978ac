# shellcheck shell=bash
# A whole Debian, installed by mmdebstrap. Sourced by boxes/build.

# install_debian SUITE EPOCH CUSTOMIZE FILE...: installs `packages` and makes $work/root.tar. The recipe's `root` is at
# /tmp/root when CUSTOMIZE runs inside, with the other files beside it.
install_debian() {
    local suite=$1 epoch=$2 customize=$3 cache=$package_cache/$1 include brought
    shift 2
    mkdir -p "$cache"
    sources_of "$suite" >"$work/sources.list"
    include=$(IFS=, && echo "${packages[*]}")
    brought=$(printf " '%s'" "$recipe/root" "$@")
    say "installing Debian '$suite'; a few minutes (packages are kept in $cache)"
    SOURCE_DATE_EPOCH=$epoch mmdebstrap --quiet --variant=minbase --format=tar --include="$include" \
        --skip=essential/unlink \
        --setup-hook='mkdir -p "$1/var/cache/apt/archives" "$1/etc/systemd"' \
        --setup-hook="sync-in '$cache' /var/cache/apt/archives" \
        --essential-hook='printf "do_symlinks = no\n" >"$1/etc/kernel-img.conf"' \
        --customize-hook="sync-out /var/cache/apt/archives '$cache'" \
        --customize-hook="copy-in$brought /tmp" \
        --customize-hook="chroot \"\$1\" sh /tmp/$(basename "$customize")" \
        "$suite" "$work/root.tar" - <"$work/sources.list" 2>"$work/mmdebstrap.log" ||
        die "mmdebstrap failed: $(tail -n 20 "$work/mmdebstrap.log")"
    rm -rf "$cache/partial" "$cache/lock"
}

# installed_packages CACHE: name, version, architecture and file of every installed package.
installed_packages() {
    tar -x -O -f "$work/root.tar" ./var/lib/dpkg/status | awk -v cache="$1" '
        /^Package: / { name = $2 }
        /^Architecture: / { architecture = $2 }
        /^Version: / {
            file = $2
            gsub(/:/, "%3a", file)
            version = $2
        }
        /^$/ { print name, version, architecture, cache "/" name "_" file "_" architecture ".deb" }' | sort
}
