import Glibc
import LinuxSystem
import SystemPackage

/// Searches a file for several texts, at any offset.
struct SecretSearch {
    private let texts: [[UInt8]]

    /// - Parameter texts: None of them empty.
    init(_ texts: [[UInt8]]) { self.texts = texts.filter { !$0.isEmpty } }

    /// How many of the texts the file holds.
    /// - Parameter progress: Gets the bytes read so far.
    func count(in path: FilePath, cancellation: Cancellation, progress: (UInt64) -> Void = { _ in }) throws -> Int {
        let file = try OwnedDescriptor.open(path, .readOnly)
        let overlap = (texts.map(\.count).max() ?? 1) - 1
        var open = texts
        // The end of the last piece, since a text may begin in one and end in the next.
        var tail: [UInt8] = []
        var done: UInt64 = 0
        while !open.isEmpty {
            try cancellation.check()
            let bytes = try file.read(upTo: 1 << 20)
            if bytes.isEmpty { break }
            done += UInt64(bytes.count)
            progress(done)
            let window = tail + bytes
            open.removeAll { text in Self.contains(window, text) }
            tail = Array(window.suffix(overlap))
        }
        return texts.count - open.count
    }

    private static func contains(_ window: [UInt8], _ text: [UInt8]) -> Bool {
        window.withUnsafeBytes { here in
            text.withUnsafeBytes { wanted in
                guard let start = here.baseAddress, let first = wanted.first, let words = wanted.baseAddress else {
                    return false
                }
                var offset = 0
                while here.count - offset >= wanted.count {
                    guard let hit = memchr(start + offset, CInt(first), here.count - offset - wanted.count + 1) else {
                        return false
                    }
                    if memcmp(hit, words, wanted.count) == 0 { return true }
                    offset = start.distance(to: hit) + 1
                }
                return false
            }
        }
    }
}
