import LinuxSystem
import SystemPackage
import TestSupport

extension TemporaryFolder {
    /// Every path below the folder, sorted.
    func tree() throws -> [String] { try Self.tree(path, prefix: "") }

    static func tree(_ folder: FilePath, prefix: String = "") throws -> [String] {
        try FileSystem.list(folder).flatMap { name -> [String] in
            let path = folder.appending(name)
            return [prefix + name]
                + (try FileSystem.isDirectory(path) ? try tree(path, prefix: "\(prefix)\(name)/") : [])
        }
    }

    /// Runs a program to its end.
    @discardableResult
    func run(_ arguments: String...) throws -> [UInt8] {
        var options = ChildProcess.Options()
        options.directory = path
        let result = try ChildProcess.run(arguments, options)
        guard result.outcome.isSuccess else {
            throw CommandFailure(
                command: arguments.joined(separator: " "), error: String(decoding: result.error, as: UTF8.self))
        }
        return result.output
    }
}

struct CommandFailure: Error {
    var command: String
    var error: String
}
