/// A script for the guest's `sh`, whatever the login user's shell is. What that shell prints, asks or does when it
/// starts and ends is not part of the script's input and output.
public struct ShellScript: Sendable {
    public var text: String
    /// `$1`, `$2` and so on.
    public var arguments: [String]
    /// The user to run as, through sudo or, for root without sudo, su. nil: the user who logged in.
    public var user: String?
    /// How long it may take; nil for no limit.
    public var milliseconds: Int64?
    /// How long it may neither take input nor print anything; nil for no limit.
    public var silenceMilliseconds: Int64?
    /// A terminal for its input and both of its outputs, as its user would have; nil: none. Everything that it prints
    /// comes as standard output.
    public var terminal: PseudoTerminal?

    public init(_ text: String, _ arguments: [String] = [], as user: String? = nil) {
        self.text = text
        self.arguments = arguments
        self.user = user
    }

    /// One command line that runs a text with `sh`, for programs that give a login shell only a line. Every shell reads
    /// it alike, as it reads a ``ShellCall``'s. The text is in octal where it is not plain. A backslash is the first
    /// character of a word that some shells read as one character and others as two.
    public static func commandLine(_ text: String) -> String {
        var coded = ":@073"
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "/"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                coded.unicodeScalars.append(Unicode.Scalar(byte))
            default: coded += "@" + String(Int(byte) + 512, radix: 8).suffix(3)
            }
        }
        var words: [String] = []
        while !coded.isEmpty {
            words.append(String(coded.prefix(900)))
            coded.removeFirst(min(900, coded.utf8.count))
        }
        return """
            sh -c 'wander_b=${1%"${1#?}"}; shift; wander_x=; for wander_p; do wander_x=$wander_x$wander_p; done; set -f; \
            IFS=@; wander_o=; for wander_p in $wander_x; do wander_o=$wander_o${wander_o:+${wander_b}0}$wander_p; done; \
            unset IFS; set +f; eval "$(printf %b "$wander_o")"' sh "\\\\" \(words.joined(separator: " "))
            """
    }

    /// The script as it is once it has become its user.
    /// - Parameter login: The user who logged in.
    func whenSwitched(from login: String?) -> ShellScript {
        guard let user, user != login else { return self }
        return ShellScript(Self.switchUser, [user, "sh", "-c", text, "sh"] + arguments)
    }

    private static let switchUser = BuiltInScript.text(PackageResources.switch_user_sh)
}
