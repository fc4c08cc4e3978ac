import JSON
import NetworkAddress

/// Names, addresses and paths.
extension ScalarType {
    /// Text that must match a pattern. `test` is the pattern in Swift: no regular expressions at run time.
    static func matching(
        _ expected: String, _ pattern: String, hint: String? = nil, _ test: @escaping @Sendable (String) -> Bool
    ) -> ScalarType {
        ScalarType(expected: expected, schema: SchemaFragment.pattern(pattern)) { text in
            test(text) ? .value(.text(text)) : .wrong(hint: hint)
        }
    }

    static let namePattern = "[a-z]([a-z0-9-]{0,37}[a-z0-9])?"

    /// Names of environments, machines and networks: they become DNS labels and folder names.
    static let name = matching(
        "a name of small letters, digits and '-', at most 39, a letter first and no '-' last", namePattern
    ) { isName($0) }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first), text.utf8.count <= 39 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
            && !text.hasSuffix("-")
    }

    static let rowKeyPattern = "[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?"

    /// Names of rows, which names of machines end with.
    static let rowKey = matching(
        "a name of small letters, digits and '-', at most 39, with '-' neither first nor last", rowKeyPattern
    ) { isRowKey($0) }

    static func isRowKey(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        return (0x30...0x39).contains(first) ? text.utf8.count <= 39 && isName("a" + text.dropFirst()) : isName(text)
    }

    static let hostname = matching(
        "a host name: labels of letters, digits and '-' with dots between them",
        #"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"#
    ) { text in
        guard text.utf8.count <= 253 else { return false }
        return text.utf8.split(separator: 0x2e, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != 0x2d && label.last != 0x2d
                && label.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
        }
    }

    static let userName = matching("a user name", "[a-z_][a-z0-9_-]{0,31}") { text in
        guard let first = text.utf8.first, (0x61...0x7a).contains(first) || first == 0x5f else { return false }
        return text.utf8.count <= 32
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f
            }
    }

    static let owner = matching(
        "a user, or 'user:group'", "[a-z0-9_][a-z0-9_-]{0,31}(:[a-z0-9_][a-z0-9_-]{0,31})?"
    ) { text in
        let parts = text.utf8.split(separator: 0x3a, omittingEmptySubsequences: false)
        return parts.count <= 2
            && parts.allSatisfy { part in
                (1...32).contains(part.count) && part.first != 0x2d
                    && part.allSatisfy { isAlphanumeric($0) || $0 == 0x2d || $0 == 0x5f }
            }
    }

    /// Names of environment variables.
    static func isVariableName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5f }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    /// Names, paths and URLs of boxes. What lies behind a name is the box store's to say.
    static let box = matching("the name, path or URL of a box", #"[!-~]+"#) { text in
        !text.isEmpty && text.utf8.count <= 1024 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            && !text.hasPrefix("-")
    }

    static let digest = matching("'sha256:' and 64 hexadecimal digits", "sha256:[0-9a-f]{64}") { text in
        text.hasPrefix("sha256:") && text.utf8.count == 71
            && text.utf8.dropFirst(7).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    static let hostPath = ScalarType(expected: "a path", schema: ["type": "string", "minLength": 1]) { text in
        text.isEmpty || text.utf8.count > 4096 ? .wrong() : .value(.text(text))
    }

    static let guestPath = matching(
        "an absolute path in the machine, without '..' and '/' at its end", "/.*"
    ) { text in
        text.hasPrefix("/") && text.utf8.count <= 4096 && !text.hasSuffix("/")
            && !text.utf8.split(separator: 0x2f).contains { $0.elementsEqual("..".utf8) }
    }

    static let guestFile = matching(
        "an absolute path in the machine, or one that begins with '~/', without '..' and '/' at its end", "~?/.*",
        hint: "A path of the login user's home begins with '~/'."
    ) { text in
        let path = text.hasPrefix("~/") ? String(text.dropFirst()) : text
        guard case .value = guestPath.parse(path) else { return false }
        return true
    }

    static let mode = ScalarType(
        expected: "permissions as octal digits such as \"0644\"",
        schema: ["anyOf": [["type": "string", "pattern": "^0?[0-7]{3,4}$"], ["type": "integer"]]]
    ) { text in
        guard (3...5).contains(text.utf8.count), let value = Int(text, radix: 8), value <= 0o7777,
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) })
        else { return .wrong() }
        return .value(.integer(value))
    }

    static let address = ScalarType(
        expected: "an IPv4 address", schema: SchemaFragment.pattern(#"[0-9]{1,3}(\.[0-9]{1,3}){3}"#)
    ) { text in IPv4Address(text).map { .value(.address($0)) } ?? .wrong() }

    static let subnet = ScalarType(
        expected: "an IPv4 network such as 10.77.0.0/24",
        schema: SchemaFragment.pattern(#"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}"#)
    ) { text in
        guard let subnet = IPv4Subnet(text) else {
            let parts = text.split(separator: "/")
            guard parts.count == 2, let address = IPv4Address(parts[0]), let bits = UInt32(parts[1]), bits <= 32 else {
                return .wrong()
            }
            let mask: UInt32 = bits == 0 ? 0 : ~0 << (32 - bits)
            let network = IPv4Address(rawValue: address.rawValue & mask)
            if network != address {
                return .problem("has bits set after its prefix", hint: "Write \(network)/\(bits).")
            }
            guard !IPv4Subnet.prefixLengths.contains(Int(bits)) else { return .wrong() }
            return .problem("must have a prefix from /16 to /29, not /\(bits)")
        }
        return .value(.subnet(subnet))
    }

    static let versions = ScalarType(
        expected: "a range of versions such as '>= 0.3, < 2'", schema: SchemaFragment.text
    ) { text in VersionRange(text).map { .value(.versions($0)) } ?? .wrong() }

    static let httpURL = matching("a URL that starts with http://", "http://.+") { text in
        text.hasPrefix("http://") && text.utf8.count <= 2048 && text.utf8.count > 7
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
