@testable import RubyReader

/// A piece of Ruby that is read by itself.
struct RubyCase {
    let evaluator: RubyEvaluator
    let host: FixtureHost

    init(_ text: String, files: [String: String] = [:]) {
        host = FixtureHost(files: files)
        evaluator = RubyEvaluator(host: host)
        evaluator.run(Array(text.utf8))
    }

    /// What the file's `$result` is.
    var result: String { evaluator.globals["$result"]?.inspected ?? "nothing" }
    var remarks: [RubyRemark] { evaluator.remarks }

    /// What an expression gives.
    static func value(_ expression: String) -> String { RubyCase("$result = (\(expression))").result }
}

/// Files that are texts here.
final class FixtureHost: RubyHost {
    let files: [String: String]
    let folderName = "shop"

    init(files: [String: String]) { self.files = files }

    let needless: Set<String> = ["has_plugin?"]
    let wanted = WantedObject()

    func object(named name: String) -> (any RubyObject)? { name == "Wanted" ? wanted : nil }
    func read(_ path: String) -> [UInt8]? { files[RubyPaths.normalized(path)].map { Array($0.utf8) } }
    func kind(of path: String) -> RubyFileKind? { files[RubyPaths.normalized(path)] == nil ? .nothing : .file }
    func names(in path: String) -> [String] { files.keys.sorted() }
    func yaml(_ text: [UInt8]) -> RubyValue? { .string(String(decoding: text, as: UTF8.self)) }
}

/// What a file is read for: it answers every call, remembers its name, and gives a block itself.
final class WantedObject: RubyObject {
    let title = "wanted"
    let isWanted = true
    private(set) var calls: [String] = []

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        calls.append("\(call.name)(\(call.arguments.map(\.inspected).joined(separator: ", ")))")
        guard let block = call.block else { return .object(self) }
        return try evaluator.call(block, [.object(self)])
    }
}
