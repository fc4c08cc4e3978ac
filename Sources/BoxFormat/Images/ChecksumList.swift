internal import Digest
internal import Reporting

/// What a publisher's file of checksums says.
struct ChecksumList: Hashable {
    struct Entry: Hashable {
        /// Without folders; nil if the file does not say whose digits these are.
        var name: String?
        var checksum: ExpectedChecksum
    }

    /// Longer files are refused, in bytes.
    static let sizeLimit = 4 << 20

    let form: ChecksumForm
    private(set) var entries: [Entry] = []

    /// Lines that are not of the form do not count: publishers write comments and sizes between them.
    init(parsing text: String, form: ChecksumForm) {
        self.form = form
        for line in Self.lines(of: text, form) {
            let entry =
                switch form {
                case .sha256sums: Self.digitsFirst(line, only: .sha256)
                case .sha512sums: Self.digitsFirst(line, only: .sha512)
                case .bsd, .clearsigned: Self.nameFirst(line)
                case .single: Self.digitsFirst(line, only: nil) ?? Self.nameFirst(line)
                }
            if let entry { entries.append(entry) }
        }
    }

    /// What the image called `name` must be; nil if the list does not say, or says two things.
    func checksum(of name: String) -> ExpectedChecksum? {
        let found = form == .single ? entries : entries.filter { $0.name == name }
        // A file may be listed by several algorithms: the longest digest is the strongest.
        guard let best = found.map(\.checksum).max(by: { $0.hexadecimal.utf8.count < $1.hexadecimal.utf8.count })
        else { return nil }
        let rivals = found.filter { $0.checksum.algorithm == best.algorithm && $0.checksum != best }
        return rivals.isEmpty ? best : nil
    }

    /// The day and number in a name of the image that is meant: its own, or one under which the list has the same
    /// bytes, as `IMAGE-20260526.0.qcow2` beside `IMAGE-latest.qcow2`.
    func version(of name: String, _ checksum: ExpectedChecksum) -> BoxVersion? {
        let names = [name] + entries.filter { $0.checksum == checksum }.compactMap(\.name)
        return names.lazy.compactMap(Self.date).first
    }

    // MARK: - Lines

    private static func lines(of text: String, _ form: ChecksumForm) -> [Substring] {
        let lines = text.split(whereSeparator: \.isNewline)
        guard form == .clearsigned else { return lines }
        // RFC 9580, section 7: what is signed is between these two.
        guard let start = lines.firstIndex(of: "-----BEGIN PGP SIGNED MESSAGE-----") else { return [] }
        return Array(lines[start...].prefix { $0 != "-----BEGIN PGP SIGNATURE-----" })
    }

    /// `DIGITS  NAME`, `DIGITS *NAME` or `DIGITS`.
    private static func digitsFirst(_ line: Substring, only algorithm: ChecksumAlgorithm?) -> Entry? {
        let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        guard let digits = words.first else { return nil }
        guard let checksum = checksum(digits, of: nil), algorithm == nil || checksum.algorithm == algorithm else {
            return nil
        }
        guard words.count == 2 else { return Entry(checksum: checksum) }
        let name = String(words[1]).trimmed.drop { $0 == "*" }
        return Entry(name: name.split(separator: "/").last.map(String.init), checksum: checksum)
    }

    /// `SHA256 (NAME) = DIGITS`.
    private static func nameFirst(_ line: Substring) -> Entry? {
        guard let open = line.firstRange(of: " ("), let close = line.firstRange(of: ") = "),
            open.upperBound <= close.lowerBound,
            let checksum = checksum(line[close.upperBound...], of: line[..<open.lowerBound])
        else { return nil }
        let name = line[open.upperBound..<close.lowerBound].split(separator: "/").last.map(String.init)
        return Entry(name: name, checksum: checksum)
    }

    /// Of an algorithm that nobody has broken, and of its length.
    private static func checksum(_ digits: Substring, of algorithm: Substring?) -> ExpectedChecksum? {
        let text = String(digits).trimmed
        let named = algorithm.map { String($0).trimmed }
        guard let found = try? ExpectedChecksum.read(text, algorithm: named),
            [.sha256, .sha384, .sha512].contains(found.algorithm),
            found.hexadecimal.utf8.count == found.algorithm.byteCount * 2
        else { return nil }
        return found
    }

    /// `20260526.0` of `Rocky-9-20260526.0.x86_64.qcow2`, `20260712.2537` of `debian-20260712-2537.qcow2`.
    private static func date(in name: String) -> BoxVersion? {
        let runs = name.split(omittingEmptySubsequences: false) { !$0.isASCII || !$0.isNumber }
        for (index, run) in runs.enumerated() where run.utf8.count == 8 && run.hasPrefix("20") {
            let month = Int(run.dropFirst(4).prefix(2)) ?? 0
            let day = Int(run.suffix(2)) ?? 0
            guard (1...12).contains(month), (1...31).contains(day) else { continue }
            let next = runs.dropFirst(index + 1).first ?? ""
            // `.0.` counts on the day; `.x86_64` does not.
            let isNumber = !next.isEmpty && next.utf8.count < 8 && isSerial(after: run, in: name)
            return BoxVersion(isNumber ? "\(run).\(next)" : String(run))
        }
        return nil
    }

    private static func isSerial(after run: Substring, in name: String) -> Bool {
        let rest = name[run.endIndex...]
        guard let mark = rest.first, mark == "." || mark == "-" else { return false }
        let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return false }
        let end = rest.dropFirst(1 + digits.count).first
        return end == nil || end == "." || end == "-"
    }
}
