# shellcheck shell=sh
# Tells the guest of the proxies `$1` (http) and `$2` (https), of what is reached without them `$3`, and of authorities'
# certificates: its input, in PEM. `$4` is where the guest's files are: empty in a guest. What is empty goes away. All of it is
# plain text without quotes. Says `no-store` where nothing makes the certificates known.
http=$1 https=$2 none=$3 root=$4 changed=
names='http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY'
pem=$(cat)
# place FILE MODE TEXT: whole or not at all; without a text it goes. Only where its folder is.
place() {
    if [ -z "$3" ]; then
        rm -f "$root$1"
    elif [ -d "$root${1%/*}" ] && [ "$(cat "$root$1" 2>/dev/null)" != "$3" ]; then
        printf '%s\n' "$3" >"$root$1.new" && chmod "$2" "$root$1.new" && mv -f "$root$1.new" "$root$1" || exit 1
        changed=yes
    fi
}
shell= sudo= apt= unit=
if [ -n "$http$https" ]; then
    shell="# Made by wander, of 'proxy' in the Wanderfile."
    [ -z "$http" ] || shell="$shell
export http_proxy='$http' HTTP_PROXY='$http'"
    [ -z "$https" ] || shell="$shell
export https_proxy='$https' HTTPS_PROXY='$https'"
    shell="$shell
export no_proxy='$none' NO_PROXY='$none'"
    sudo="Defaults env_keep += \"$names\""
    [ -z "$http" ] || apt="Acquire::http::Proxy \"$http\";"
    [ -z "$https" ] || apt="$apt
Acquire::https::Proxy \"$https\";"
    saved=$IFS IFS=,
    set -f
    for name in $none; do
        case $name in *[/:*]* | .*) continue ;; esac
        apt="$apt
Acquire::http::Proxy::$name \"DIRECT\";
Acquire::https::Proxy::$name \"DIRECT\";"
    done
    set +f
    IFS=$saved
    # systemd has specifiers of its own behind a percent sign.
    unit=$(printf '[Service]\nEnvironment="HTTP_PROXY=%s" "HTTPS_PROXY=%s" "NO_PROXY=%s"\n' "$http" "$https" "$none" |
        sed 's/%/%%/g')
fi
place /etc/profile.d/wander-proxy.sh 644 "$shell"
# sudo reads no file with a dot in its name, so none that is half there.
place /etc/sudoers.d/wander-proxy 440 "$sudo"
place /etc/apt/apt.conf.d/95wander-proxy 644 "$apt"
changed=
for service in docker containerd; do
    folder=/etc/systemd/system/$service.service.d
    if [ -n "$unit" ] && [ -d "$root/etc/systemd/system" ]; then mkdir -p "$root$folder"; fi
    was=$changed
    if [ -z "$unit" ] && [ -e "$root$folder/wander-proxy.conf" ]; then changed=yes; fi
    place "$folder/wander-proxy.conf" 644 "$unit"
    [ -n "$unit" ] || rmdir "$root$folder" 2>/dev/null
    if [ -z "$root" ] && [ "$was" != "$changed" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl try-restart "$service.service"
    fi
done

# Certificates: one a file, as update-ca-certificates wants them, and all in one for what has a list of its own.
store=/usr/local/share/ca-certificates update=
if command -v update-ca-certificates >/dev/null 2>&1; then
    if [ -d "$root/etc/pki/trust/anchors" ]; then store=/etc/pki/trust/anchors; fi
    update="update-ca-certificates"
elif command -v update-ca-trust >/dev/null 2>&1; then
    store=/etc/ca-certificates/trust-source/anchors
    if [ -d "$root/etc/pki/ca-trust/source" ]; then store=/etc/pki/ca-trust/source/anchors; fi
    update="update-ca-trust"
fi
all=/usr/local/share/wander/ca.pem
if [ -z "$pem" ] && [ ! -e "$root$all" ]; then exit 0; fi
mkdir -p "$root${all%/*}"
if [ -n "$pem" ]; then mkdir -p "$root$store"; fi
rm -f "$root$store"/wander-*.crt
node=
if [ -n "$pem" ]; then
    printf '%s\n' "$pem" |
        awk -v place="$root$store/wander-" '/-----BEGIN CERTIFICATE-----/ { file = sprintf("%s%03d.crt", place, ++n); inside = 1 }
            inside { print >file } /-----END CERTIFICATE-----/ { inside = 0; close(file) }' || exit 1
    node="# Made by wander, of 'ca_certificates' in the Wanderfile.
export NODE_EXTRA_CA_CERTS=$all"
fi
place /etc/profile.d/wander-ca.sh 644 "$node"
if [ -z "$update" ]; then
    echo no-store
elif [ -z "$root" ]; then
    $update >/dev/null || exit 1
fi
# The last: while it is there, or should be, the store may have some of them.
place "$all" 644 "$pem"
