import SSH

/// The script that root runs in a guest to mount its shares and to remove the shares that it had before.
///
/// It needs only a POSIX shell and the usual small programs, and can be repeated at any time.
struct MountScript {
    /// Whose the folders are in the guest.
    var user: String
    /// Outer ones first.
    var shares: [MachineShare]

    init(user: String, shares: [MachineShare]) {
        self.user = user
        self.shares = shares.byDepth
    }

    var call: ShellScript { ShellScript(Self.text, arguments, as: "root") }

    var arguments: [String] {
        [user, MountTable.comment]
            + shares.flatMap { [$0.tag, $0.guest, $0.isReadOnly ? "ro" : "rw", MountTable.line($0)] }
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

    static let text = BuiltInScript.text(PackageResources.mount_shares_sh)
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }
}
