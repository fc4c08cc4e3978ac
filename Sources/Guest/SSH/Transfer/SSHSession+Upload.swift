public import LinuxSystem
import Reporting
public import SystemPackage

/// What an uploaded file gets besides its contents.
public struct UploadOptions: Sendable {
    /// Permission bits; nil keeps those of the source.
    public var permissions: UInt32?
    /// `user`, with the user's own group, or `user:group`; nil: the user who writes owns the files.
    public var owner: String?
    /// The guest's user who writes; nil: the user who logged in. Setting an owner needs root.
    public var user: String?
    /// The name of a folder in a destination that is a folder already, as with cp(1); nil: its contents go there.
    public var name: String?
    /// As chown(1) wants it.
    var ownership: String? { owner.map { $0.contains(":") ? $0 : $0 + ":" } }

    public init(permissions: UInt32? = nil, owner: String? = nil, user: String? = nil) {
        self.permissions = permissions
        self.owner = owner
        self.user = user
    }
}

extension SSHSession {
    /// Copies a file or a folder into the guest, with modes and links. It makes missing parents.
    ///
    /// It uses the guest's shell (`cat`, `tar`): servers without SFTP, such as a bare dropbear, have those, and a whole
    /// tree takes one round trip.
    /// - Parameters:
    ///   - destination: In the guest; relative to the home directory, `~/` works. A file goes into it if it is a
    ///     directory or ends with `/`. A folder becomes it, or goes into it by ``UploadOptions/name``.
    ///   - progress: Gets the bytes sent so far.
    public func upload(
        _ source: FilePath, to destination: String, _ options: UploadOptions = UploadOptions(),
        progress: (UInt64) -> Void = { _ in }
    ) throws(SSHError) {
        try upload(GuardedPath(source), to: destination, options, progress: progress)
    }

    /// The same for an open file or folder, whose path others may replace meanwhile.
    public func upload(
        _ source: GuardedPath, to destination: String, _ options: UploadOptions = UploadOptions(),
        progress: (UInt64) -> Void = { _ in }
    ) throws(SSHError) {
        let path = source.path.string
        let status: FileStatus?
        do { status = try source.status() } catch { throw .system(error) }
        guard let status else { throw .transferFailed(path: path, reason: "there is no such file or folder") }
        switch status.kind {
        case .directory: try uploadFolder(source, destination, options, progress)
        case .regular: try uploadFile(source, destination, options, progress)
        default: throw .transferFailed(path: path, reason: "it is neither a file nor a folder")
        }
    }

    /// Writes `bytes` to a file in the guest. The file appears whole or not at all.
    public func upload(
        _ bytes: [UInt8], to destination: String, _ options: UploadOptions = UploadOptions()
    ) throws(SSHError) {
        try write(
            count: Int64(bytes.count), name: "", destination, options, permissions: options.permissions ?? 0o644,
            .bytes(bytes))
    }

    private func uploadFile(
        _ source: GuardedPath, _ destination: String, _ options: UploadOptions, _ progress: (UInt64) -> Void
    ) throws(SSHError) {
        let file: SharedDescriptor
        let status: FileStatus
        do {
            let descriptor = try source.open()
            status = try descriptor.status()
            file = SharedDescriptor(descriptor)
        } catch { throw .system(error) }
        if let sparse = try file.sparse(status),
            try uploadSparsely(source, sparse, status, destination, options, progress)
        {
            return
        }
        // The closure leaves with the call: nothing keeps it.
        try withoutActuallyEscaping(progress) { progress throws(SSHError) in
            var sent: UInt64 = 0
            try write(
                count: status.size, name: source.path.lastComponent?.string ?? "", destination, options,
                permissions: options.permissions ?? status.permissions & 0o7777,
                .source { limit throws(SSHError) in
                    let chunk = try file.read(upTo: limit)
                    sent += UInt64(chunk.count)
                    progress(sent)
                    return chunk
                })
        }
    }

    private static let writeScript = BuiltInScript.text(PackageResources.write_file_sh)

    private func write(
        count: Int64, name: String, _ destination: String, _ options: UploadOptions, permissions: UInt32,
        _ input: SSHInput
    ) throws(SSHError) {
        let path = try guestPath(destination)
        try transfer(
            ShellScript(
                Self.writeScript, [path, name, String(permissions, radix: 8), options.ownership ?? "", String(count)],
                as: options.user), input, destination)
    }

    func transfer(_ script: ShellScript, _ input: SSHInput, _ path: String) throws(SSHError) {
        var script = script
        script.silenceMilliseconds = options.answerMilliseconds
        let result: (outcome: SSHOutcome, output: [UInt8], error: [UInt8])
        do {
            result = try collect(script, input: input, limit: 64 << 10)
        } catch { throw Self.stalled(error, path) }
        guard result.outcome.isSuccess else {
            throw .transferFailed(path: path, reason: Self.reason(result.error, "status \(result.outcome.shellStatus)"))
        }
    }

    /// A transfer that stopped moving is told by its path.
    static func stalled(_ error: SSHError, _ path: String) -> SSHError {
        guard case .timedOut(.channel, let milliseconds) = error else { return error }
        return .transferFailed(path: path, reason: "the guest has moved nothing for \(milliseconds / 1000) s")
    }

    /// The last thing that the guest's programs said. tar(1) names the cause first and sums up at the end.
    static func reason(_ error: [UInt8], _ fallback: String) -> String {
        let lines = error.split(separator: 0x0a).map { String(GuestText.line($0).prefix(300)) }
        let causes = lines.filter { line in
            !["error exit delayed", "Exiting with failure", "Error is not recoverable"].contains { line.contains($0) }
        }
        return causes.last ?? lines.last ?? fallback
    }

    /// A path for a script's argument: `~` is the home directory, which is where commands start.
    func guestPath(_ path: String) throws(SSHError) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw .transferFailed(path: path, reason: "that is no path in the guest")
        }
        if path == "~" || path == "~/" { return try homeDirectory() }
        if path.hasPrefix("~/") { return try homeDirectory() + path.dropFirst(1) }
        return path
    }

    private func homeDirectory() throws(SSHError) -> String {
        let home = try require("printf %s \"$HOME\"", named: "find the home directory")
        return home.hasPrefix("/") ? home : "."
    }
}
