/// `File`, `Dir` and `Pathname`: paths as texts, and files as the host gives them. A path is relative to the file's
/// folder, or begins with `/` or `~`.
final class RubyFiles: RubyObject {
    let title: String
    init(title: String) { self.title = title }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        for argument in call.arguments {
            if let unknown = argument.unknown { return .unknown(unknown) }
        }
        let texts = call.arguments.compactMap(\.symbolOrText)
        switch call.name {
        case "pwd", "getwd": return .string(".")
        case "home": return .string("~")
        case "new" where title == "Pathname": return texts.first.map { .string($0) }
        case "path", "to_path": return texts.first.map { .string($0) }
        case "SEPARATOR": return .string("/")
        case "join":
            let parts = call.arguments.flatMap { $0.items ?? [$0] }.compactMap(\.text)
            return try evaluator.made(Self.joined(parts))
        default: break
        }
        guard let path = texts.first else { return nil }
        switch call.name {
        case "expand_path", "absolute_path", "realpath", "cleanpath", "relative_path_from":
            let base = call.name.hasSuffix("_path") && texts.count > 1 ? texts[1] : "."
            return try evaluator.made(Self.expanded(path, base: base))
        case "dirname", "parent": return .string(Self.folder(of: path))
        case "basename": return try evaluator.made(basename(path, dropping: texts.dropFirst().first, evaluator))
        case "extname":
            let name = path.split(separator: "/").last ?? ""
            return .string(name.lastIndex(of: ".").map { $0 == name.startIndex ? "" : String(name[$0...]) } ?? "")
        case "exist?", "exists?", "file?", "directory?", "readable?":
            return isThere(path, call, evaluator)
        case "read", "readlines", "foreach", "binread":
            guard let bytes = evaluator.host.read(plain(path)) else { return unreadable(path, call, evaluator) }
            let text = RubyLexer.cleaned(bytes)
            let value = try evaluator.made(text)
            guard call.name == "readlines" || call.name == "foreach" else { return value }
            return try evaluator.respond(
                value, RubyCall(call.name == "readlines" ? "lines" : "each_line", block: call.block, line: call.line))
        case "open" where title != "Dir":
            guard texts.count < 2 || texts[1].hasPrefix("r") else {
                return evaluator.unknown("'\(plain(path))' would be written on the host", at: call.line)
            }
            guard let bytes = evaluator.host.read(plain(path)) else { return unreadable(path, call, evaluator) }
            let file = RubyOpenFile(RubyLexer.cleaned(bytes))
            return try call.block.map { block throws(RubyJump) in try evaluator.call(block, [.object(file)]) }
                ?? .object(file)
        case "glob", "[]": return try evaluator.made(matches(path, evaluator).map { .string($0) })
        case "entries", "children", "each_child":
            let names = evaluator.host.names(in: plain(path)).map { RubyValue.string($0) }
            return try evaluator.answerItems(
                names, RubyCall(call.block == nil ? "to_a" : "each", block: call.block, line: call.line))
        default: return nil
        }
    }

    private func plain(_ path: String) -> String { RubyPlaceholder.withoutVariables(path) }

    private func unreadable(_ path: String, _ call: RubyCall, _ evaluator: RubyEvaluator) -> RubyValue {
        evaluator.lost("the file '\(plain(path))' was not read", at: call.line)
    }

    private func isThere(_ path: String, _ call: RubyCall, _ evaluator: RubyEvaluator) -> RubyValue {
        guard let kind = evaluator.host.kind(of: plain(path)) else {
            return evaluator.unknown("whether '\(plain(path))' is there was not looked at", at: call.line)
        }
        switch call.name {
        case "file?", "readable?": return .flag(kind == .file)
        case "directory?": return .flag(kind == .folder)
        default: return .flag(title == "Dir" ? kind == .folder : kind != .nothing)
        }
    }

    private func basename(_ path: String, dropping suffix: String?, _ evaluator: RubyEvaluator) -> String {
        let clean = Self.normalized(path)
        let name = clean == "." ? evaluator.host.folderName : clean.split(separator: "/").last.map(String.init) ?? "/"
        guard let suffix else { return name }
        if suffix == ".*" { return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
        return name.hasSuffix(suffix) && name != suffix ? String(name.dropLast(suffix.count)) : name
    }

    /// Files that fit a pattern whose last part alone has stars.
    private func matches(_ pattern: String, _ evaluator: RubyEvaluator) -> [String] {
        let clean = plain(pattern)
        let folder = Self.folder(of: clean)
        guard let last = clean.split(separator: "/").last, !folder.contains("*") else { return [] }
        let names = evaluator.host.names(in: folder).filter { Self.fits($0[...], last) && !$0.hasPrefix(".") }
        return names.map { clean.contains("/") ? folder + "/" + $0 : $0 }
    }

    private static func fits(_ name: Substring, _ pattern: Substring) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return name == pattern }
        guard let first = parts.first, let last = parts.last, name.hasPrefix(first) else { return false }
        var rest = name.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}

/// A file that was opened to be read.
private final class RubyOpenFile: RubyObject {
    let title = "a file"
    private let text: String
    init(_ text: String) { self.text = text }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "read", "to_s": .string(text)
        case "readlines", "each_line": try evaluator.respond(.string(text), call)
        case "close": .null
        default: nil
        }
    }
}
