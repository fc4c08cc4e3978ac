import SSH

/// Replaces secret values by `***` in whatever is shown or logged.
public struct Masker: Sendable {
    private static let replacement = Array("***".utf8)
    /// Longest first, so that a secret that contains another one goes as a whole.
    private let needles: [[UInt8]]

    /// In bytes. What is shorter, such as `1` or `no`, stands everywhere: to mask it would make the output unreadable
    /// and hide nothing.
    static let shortest = 3

    /// - Parameter secrets: Those shorter than three bytes are ignored. Each line of a secret with several is a secret
    ///   too, since output is looked at line by line.
    public init(_ secrets: some Sequence<String>) {
        var forms: Set<[UInt8]> = []
        for secret in secrets {
            for line in [secret] + secret.split(whereSeparator: \.isNewline).map(String.init)
            where line.utf8.count >= Self.shortest {
                forms.insert(Array(line.utf8))
                // As `set -x` shows it.
                forms.insert(Array(ShellQuoting.quote(line).utf8))
            }
        }
        needles = forms.sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
    }

    public static let none = Masker([])

    /// The most bytes of a secret that a cut may leave at the end of a text.
    var overlap: Int { max(0, (needles.first?.count ?? 0) - 1) }

    public func mask(_ text: String) -> String {
        needles.isEmpty ? text : String(decoding: mask(Array(text.utf8)), as: UTF8.self)
    }

    func mask(_ bytes: [UInt8]) -> [UInt8] {
        guard !needles.isEmpty else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let first = rest.first {
            if let needle = needles.first(where: { $0.first == first && rest.starts(with: $0) }) {
                result += Self.replacement
                rest = rest.dropFirst(needle.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
