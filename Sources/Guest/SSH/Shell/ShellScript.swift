/// A script for the guest's `sh`, whatever shell the user who logs in has. What that shell prints, asks or does when it
/// starts and ends is no part of what the script reads and says.
public struct ShellScript: Sendable {
    public var text: String
    /// `$1`, `$2` and so on.
    public var arguments: [String]
    /// Another user to be, through sudo or, for root without sudo, su. nil stays the user who logged in.
    public var user: String?
    /// How long it may take, in milliseconds; nil for no limit.
    public var milliseconds: Int64?
    /// How long it may neither take input nor print anything, in milliseconds; nil for no limit.
    public var silence: Int64?
    /// Its input and both of its outputs are this terminal then, as its user's would be; what it says comes as output.
    public var terminal: PseudoTerminal?

    public init(_ text: String, _ arguments: [String] = [], as user: String? = nil) {
        self.text = text
        self.arguments = arguments
        self.user = user
    }

    /// One command line that runs a text by `sh`, for programs that give a login shell a line and nothing else. Every
    /// shell reads it alike, as a ``ShellCall``'s. The text is in octal where it is not plain; a backslash is the first
    /// character of a word that some shells take for one and others for two.
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
