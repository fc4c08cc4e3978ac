/// The parts of an `http` or `https` address that a probe needs.
struct HTTPAddress: Hashable {
    let isEncrypted: Bool
    let host: String
    let port: UInt16
    /// With the query; starts with `/`.
    let path: String

    /// nil for anything else, and for what could smuggle a line into a request.
    init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), text.utf8.count <= 2048 else { return nil }
        let lower = text.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return nil }
        isEncrypted = lower.hasPrefix("https://")
        let rest = text.dropFirst(isEncrypted ? 8 : 7).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest.dropFirst(authority.count)
        path = tail.isEmpty ? "/" : (tail.hasPrefix("/") ? String(tail) : "/" + tail)
        guard !authority.contains("@") else { return nil }
        var name = authority
        var number: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            number = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            number = authority[authority.index(after: colon)...]
        }
        guard !name.isEmpty else { return nil }
        if let number {
            guard let value = UInt16(number), value > 0 else { return nil }
            port = value
        } else {
            port = isEncrypted ? 443 : 80
        }
        host = String(name)
    }

    /// A request whose answer ends with the connection.
    var request: [UInt8] {
        let shown = host.contains(":") ? "[\(host)]" : host
        let place = port == 80 ? shown : "\(shown):\(port)"
        return Array(
            "GET \(path) HTTP/1.1\r\nHost: \(place)\r\nUser-Agent: wander\r\nAccept: */*\r\nConnection: close\r\n\r\n"
                .utf8)
    }

    /// The status of an answer such as `HTTP/1.1 200 OK`; nil if it is none.
    static func status(of answer: [UInt8]) -> Int? {
        let line = String(decoding: answer.prefix { $0 != 0x0d && $0 != 0x0a }.prefix(256), as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), words[1].count == 3 else { return nil }
        return Int(words[1])
    }
}
