# shellcheck shell=bash
# Debian packages: names to files in a cache, by the host's own apt configuration. Sourced by boxes/build.
#
# `apt_options` (an array) may point apt at another release; without it the host's own lists are used.

package_cache=${XDG_CACHE_HOME:-$HOME/.cache}/wander/packages
apt_options=()

# sources_of SUITE: where apt finds this Debian release, by the mirrors from which the host takes its own.
sources_of() {
    local suite=$1 own targets uri
    own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u)
    uri=$(awk -v suite="$own" '$2 == suite { print $1; exit }' <<<"$targets")
    [ -n "$uri" ] || die "apt's configuration names no Debian mirror" "Build on Debian, or name one for '$own' and run apt-get update"
    echo "deb $uri $suite main"
    echo "deb $uri $suite-updates main"
    uri=$(awk -v suite="$own-security" '$2 == suite { print $1; exit }' <<<"$targets")
    if [ -n "$uri" ]; then echo "deb $uri $suite-security main"; fi
}

# use_release SUITE: from here on packages are those of this Debian release, whatever the host's own is. The lists are kept
# in the cache and read again once a day. Nothing of the host is changed.
use_release() {
    local suite=$1 folder=$package_cache/lists-$1
    if [ "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" = "$suite" ]; then return 0; fi
    mkdir -p "$folder"/{lists/partial,archives/partial}
    sources_of "$suite" >"$folder/sources.list"
    apt_options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder" -o Dir::State::status=/dev/null)
    if [ -n "$(find "$folder/updated" -mmin -1440 2>/dev/null)" ]; then return 0; fi
    say "reading the lists of Debian '$suite'"
    timeout 300 apt-get "${apt_options[@]}" -o APT::Sandbox::User=root -qq update >&2 ||
        die "cannot read the lists of '$suite'" "Check the network."
    touch "$folder/updated"
}

# fetch_packages LIST NAME...: downloads what the cache lacks, checks every file against the digest that apt's signed
# lists give, and writes LIST: one line per package, `name version architecture path`, sorted.
fetch_packages() {
    local list=$1 uris
    shift
    mkdir -p "$package_cache"
    if [ "$(id -u)" = 0 ]; then apt_options+=(-o APT::Sandbox::User=root); fi
    uris=$(apt-get "${apt_options[@]}" download --print-uris "$@" 2>&1) ||
        die "apt does not know all packages: $uris" "Refresh its lists: apt-get update"
    fetch_uris "$list" "$uris"
}

# fetch_uris LIST URIS: as fetch_packages, for the output of apt's --print-uris.
fetch_uris() {
    local list=$1 uris=$2 url file size hash missing=0 total
    total=$(grep -c "^'" <<<"$uris") || die "apt named no packages" "Refresh its lists: apt-get update"
    : >"$list.partial"
    while read -r url file size hash; do
        case $url in "'"*) ;; *) continue ;; esac
        url=${url#\'} url=${url%\'}
        if ! cached "$file" "$hash"; then
            if [ $missing = 0 ]; then say "downloading packages ($total in all)"; fi
            missing=$((missing + 1))
            download "$url" "$file" "$hash"
        fi
        dpkg-deb --show --showformat="\${Package} \${Version} \${Architecture} $package_cache/$file\n" \
            "$package_cache/$file" >>"$list.partial"
    done <<<"$uris"
    LC_ALL=C sort "$list.partial" >"$list"
    rm "$list.partial"
    say "$total packages, $missing of them downloaded"
}

# cached FILE HASH
cached() {
    local algorithm=${2%%:*} value=${2#*:}
    [ -f "$package_cache/$1" ] && [ "$algorithm" = SHA256 ] &&
        [ "$(sha256sum "$package_cache/$1" | cut -d' ' -f1)" = "$value" ]
}

# download URL FILE HASH: through apt's own transport, which knows the host's proxies and mirrors.
download() {
    local staging
    staging=$(mktemp -d "$package_cache/.download.XXXXXX")
    # apt-helper checks the digest before it leaves the file.
    if ! (cd "$staging" && /usr/lib/apt/apt-helper "${apt_options[@]}" download-file "$1" "$staging/file" "$3" \
        >"$staging/log" 2>&1); then
        cat "$staging/log" >&2
        rm -rf "$staging"
        die "cannot download $1" "Check the network, or refresh apt's lists: apt-get update"
    fi
    mv "$staging/file" "$package_cache/$2"
    rm -rf "$staging"
}

# unpack_package LIST NAME DIRECTORY [PATTERN...]: unpacks the files of one package whose paths match a tar pattern.
unpack_package() {
    local list=$1 name=$2 directory=$3 path
    shift 3
    path=$(awk -v name="$name" '$1 == name { print $4 }' "$list")
    [ -n "$path" ] || die "package $name is not in the recipe's list"
    mkdir -p "$directory"
    dpkg-deb --fsys-tarfile "$path" | tar -x -C "$directory" --no-same-owner --wildcards "$@" ||
        die "package $name lacks a file that the recipe takes: $*"
}

# newest_date LIST: the time in seconds at which the newest of the packages was made. It dates everything in the box,
# so that the same packages make the same box.
newest_date() {
    local path newest=0 date
    while read -r _ _ _ path; do
        date=$(dpkg-deb --ctrl-tarfile "$path" | tar -tv --full-time --utc -f - ./control |
            awk '{ print $4, $5 }')
        date=$(date -u -d "$date" +%s)
        if [ "$date" -gt "$newest" ]; then newest=$date; fi
    done <"$1"
    printf '%s' "$newest"
}
