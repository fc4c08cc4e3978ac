import BoxFormat
import Digest
import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

extension ProjectOptions {
    /// The loader of the environment that the options mean.
    func loader() -> EnvironmentLoader { EnvironmentLoader(.command(file: file, overrides: overrides)) }
}

extension EnvironmentLoader.Options {
    /// The options of a command of this process, which may get the files of the web that a Wanderfile includes.
    static func command(file: String? = nil, overrides: [String] = []) -> Self {
        var options = current(file: file, overrides: overrides, version: ProgramVersion(Version.current))
        options.fetch = { url, digest in
            guard let digest = SHA256Digest(digest) else { return .failure(IncludeFailure(reason: "no digest")) }
            let file = PinnedFile(url: url, digest: digest, limit: EnvironmentLoader.fetchLimit)
            do {
                return .success(try file.read(cache: UserFolders.cache?.pushing("wander/files")))
            } catch {
                let known = error as? any UserFacingError
                let reason = [known?.summary ?? "\(error)", known?.detail].compactMap(\.self).joined(separator: "\n")
                return .failure(IncludeFailure(reason: reason, remedy: known?.remedy))
            }
        }
        return options
    }
}
