import LinuxSystem

extension SSHSession {
    /// Reads the server's identification line (RFC 4253, section 4.2) and puts it back for libssh2.
    ///
    /// libssh2 would do it too, but would not tell silence from babble, which is what boot diagnosis needs.
    func readBanner() throws(SSHError) -> String {
        let limit = MonotonicClock.now.advanced(byMilliseconds: options.bannerMilliseconds)
        var bytes: [UInt8] = []
        var babble: String?
        var babbleCount = 0
        while true {
            // Other lines may come first; more than 8 KiB of them is no greeting.
            while let end = bytes.firstIndex(of: 0x0a) {
                let line = bytes[...end]
                if line.starts(with: Array("SSH-".utf8)) {
                    stream.pushBack(bytes[...])
                    return Self.printable(line)
                }
                babble = babble ?? Self.printable(line)
                bytes.removeFirst(line.count)
                babbleCount += line.count
            }
            guard babbleCount + bytes.count <= 8192 else { throw .notSSH(babble ?? Self.printable(bytes[...])) }
            let chunk = stream.receiveChunk()
            switch chunk {
            case .bytes(let more): bytes += more
            case .end, .failed:
                if let text = babble ?? (bytes.isEmpty ? nil : Self.printable(bytes[...])) { throw .notSSH(text) }
                if case .end = chunk { throw .closed(.banner) }
                throw .reset(.banner)
            case .nothingYet:
                do {
                    try wait(.banner, for: .readable, until: limit, milliseconds: options.bannerMilliseconds)
                } catch .timedOut(let layer, let milliseconds) {
                    if let text = babble ?? (bytes.isEmpty ? nil : Self.printable(bytes[...])) { throw .notSSH(text) }
                    throw .timedOut(layer, milliseconds: milliseconds)
                }
            }
        }
    }

    /// At most 80 characters, none of which does anything to a terminal.
    private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }.prefix(80)
        return String(decoding: line.map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
