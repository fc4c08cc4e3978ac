/// Paths as texts.
public enum RubyPaths {
    /// Without `.` and `..`, as far as they can be taken away.
    public static func normalized(_ path: String) -> String { RubyFiles.normalized(path) }
}

extension RubyFiles {
    static func joined(_ parts: [String]) -> String {
        var result = ""
        for (index, part) in parts.enumerated() {
            guard index > 0 else {
                result = part
                continue
            }
            while result.hasSuffix("/") { result.removeLast() }
            result += "/" + part.drop { $0 == "/" }
        }
        return result
    }

    /// Without `.` and `..`, as far as they can be taken away.
    static func normalized(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == "..", let last = names.last, last != ".." {
                names.removeLast()
            } else if name != ".." || !isAbsolute {
                names.append(name)
            }
        }
        let text = names.joined(separator: "/")
        return isAbsolute ? "/" + text : text.isEmpty ? "." : text
    }

    static func expanded(_ path: String, base: String) -> String {
        if path.hasPrefix("/") || path.hasPrefix("~") { return normalized(path) }
        return normalized(base + "/" + path)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
