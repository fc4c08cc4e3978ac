import SSH

/// What root runs in a guest to have its shares where they belong, and nothing of shares that it had before.
///
/// It needs no more than a POSIX shell and the usual small programs, and may be repeated at any time.
struct MountScript {
    /// Whose the folders are in the guest.
    var user: String
    /// Outer ones first.
    var shares: [MachineShare]

    init(user: String, shares: [MachineShare]) {
        self.user = user
        self.shares = shares.byDepth
    }

    var call: ShellScript { ShellScript(Self.text, [user] + arguments, as: "root") }

    var arguments: [String] {
        shares.flatMap { [$0.tag, $0.guest, $0.isReadOnly ? "ro" : "rw", MountTable.line($0)] }
    }

    /// What the guest said at the end.
    enum Outcome: Equatable {
        /// - Parameter isKept: Whether /etc/fstab could be written.
        case mounted(isKept: Bool)
        case failed(reason: String, share: Int, words: String)
        case unknown

        init(_ output: String) {
            self = .unknown
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            for (index, line) in lines.enumerated() {
                let words = line.split(separator: " ").map(String.init)
                guard words.count > 1, words[0] == "shares" else { continue }
                if words[1] == "mounted" {
                    self = .mounted(isKept: words.count == 2)
                } else if words.count == 3, let number = Int(words[2]) {
                    let rest = lines[(index + 1)...].prefix(20).joined(separator: "\n")
                    self = .failed(reason: words[1], share: number, words: rest.trimmed)
                }
                return
            }
        }
    }

    /// `$1` is the owner; four more for each share: tag, path, mode, line of /etc/fstab. Ends with a line `shares
    /// mounted`, or `shares REASON NUMBER` and what was said.
    ///
    /// Whoever mounts first, which may be the guest's own start, says by chown(1) of the mount point whom the guest
    /// shall see as the owner of what is the host user's. That takes a mount that is not read-only. The shell does by
    /// itself what it can: under emulation starting programs is what takes time.
    static let text =
        #"""
        nl='
        '
        user=$1; shift; count=0; lines= owner= home=
        fail() { printf 'shares %s\n%s\n' "$1 $count" "$2"; exit 1; }
        find_user() {
            while IFS=: read -r name _ number group _ place _; do
                if [ "$name" = "$user" ]; then owner=$number:$group home=$place; return 0; fi
            done
            return 1
        }
        find_user </etc/passwd
        if [ -z "$owner" ]; then
            find_user <<GETENT
        $(getent passwd "$user" 2>/dev/null)
        GETENT
        fi
        [ -n "$owner" ] || fail user
        has_driver() {
            while read -r one other; do
                if [ "$one" = virtiofs ] || [ "$other" = virtiofs ]; then return 0; fi
            done </proc/filesystems
            return 1
        }
        find_mount() {
            while read -r _ _ device _ _ _ rest; do
                case $rest in *"- virtiofs $1 "*) return 0 ;; esac
            done </proc/self/mountinfo
            return 1
        }
        # Below the user's home the user owns what is made.
        make_folder() {
            [ -z "$1" ] || [ -d "$1" ] && return 0
            make_folder "${1%/*}" && mkdir "$1" || return 1
            case $1 in "$home"/*) chown "$owner" "$1" ;; esac
        }
        while [ $# -gt 0 ]; do
            count=$((count + 1))
            case $home/.ssh/ in "$2"/*) fail home ;; esac
            if find_mount "$1"; then
                [ "$3" = rw ] || mount -t virtiofs -o remount,rw "$1" "$2" 2>/dev/null
            else
                said=$(make_folder "$2" 2>&1) || fail place "$said"
                if ! has_driver; then modprobe virtiofs 2>/dev/null; fi
                if ! said=$(mount -t virtiofs "$1" "$2" 2>&1); then
                    if ! has_driver; then fail driver "$(uname -r)"; fi
                    fail mount "$said"
                fi
            fi
            said=$(chown "$owner" "$2" 2>&1) || fail mount "$said"
            if [ "$3" = ro ]; then said=$(mount -t virtiofs -o remount,ro "$1" "$2" 2>&1) || fail mount "$said"; fi
            # As much at once as a request carries: the kernel's 128 KiB are for disks.
            { find_mount "$1" && echo 1024 >"/sys/class/bdi/$device/read_ahead_kb"; } 2>/dev/null
            lines="$lines$4$nl"
            shift 4
        done
        """# + "\ncomment='\(MountTable.comment)'\n" + #"""
            table=/etc/fstab old= new= gone=
            if [ -e "$table" ]; then
                while IFS= read -r line || [ -n "$line" ]; do
                    old=$old$line$nl
                    case $line in
                    "$comment") ;;
                    wander-????????????[!0-9a-f]*[!0-9a-z]virtiofs[!0-9a-z]*) gone=$gone$line$nl ;;
                    *) new=$new$line$nl ;;
                    esac
                done <"$table"
            fi
            if [ -n "$lines" ]; then new=$new$comment$nl$lines; fi
            if [ "$new" != "$old" ]; then
                if [ -L "$table" ] || ! { [ ! -e "$table" ] || cp -p "$table" "$table.wander"; } ||
                    ! printf '%s' "$new" >"$table.wander" || ! mv -f "$table.wander" "$table"; then
                    rm -f "$table.wander"
                    echo 'shares mounted only'
                    exit 0
                fi 2>/dev/null
                # systemd still remembers that it could not mount what is shared no longer.
                if [ -d /run/systemd/system ]; then
                    printf '%s' "$gone" | while read -r tag place _; do
                        case $nl$new in *"$nl$tag "*) continue ;; esac
                        place=$(printf '%b' "$(printf '%s' "$place" | sed 's/\\\([0-7]\)/\\0\1/g')")
                        systemctl daemon-reload
                        systemctl reset-failed "$(systemd-escape -p --suffix=mount "$place")"
                    done
                fi >/dev/null 2>&1
            fi
            echo 'shares mounted'
            """#
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }
}
