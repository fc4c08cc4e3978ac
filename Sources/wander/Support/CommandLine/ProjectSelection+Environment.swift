import BoxFormat
import Digest
import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

extension ProjectSelection {
    /// The environment that the options mean.
    /// - Throws: ``EnvFileError``; ``Interruption`` where a file of the web was waited for.
    func environment(_ context: CommandContext) throws -> Environment {
        do { return try EnvironmentLoader(.command(file: file, overrides: overrides, context)).load() } catch {
            // What was stopped says nothing about the file.
            try context.cancellation.check()
            throw error
        }
    }
}

extension EnvironmentLoader.Options {
    /// The options of a command of this process.
    /// - Parameter context: Of a command that may get the files of the web that a Wanderfile includes; nil: of them there
    ///   are those that another one got.
    static func command(file: String? = nil, overrides: [String] = [], _ context: CommandContext? = nil) -> Self {
        var options = current(file: file, overrides: overrides, version: ProgramVersion(Version.current))
        options.fetch = { url, digest in
            guard let digest = SHA256Digest(digest) else { return .failure(IncludeFailure(reason: "no digest")) }
            let file = PinnedFile(url: url, digest: digest, limit: EnvironmentLoader.fetchLimit)
            let cache = UserFolders.cache?.pushing("wander/files")
            guard let context else {
                return cache.flatMap(file.kept).map { .success($0) } ?? .failure(IncludeFailure(reason: "not here yet"))
            }
            do {
                return .success(
                    try file.read(cache: cache, sink: context.console, cancellation: context.cancellation))
            } catch {
                let known = error as? any UserFacingError
                let reason = [known?.summary ?? "\(error)", known?.detail].compactMap(\.self).joined(separator: "\n")
                return .failure(IncludeFailure(reason: reason, remedy: known?.remedy))
            }
        }
        return options
    }
}
