import LinuxSystem
import SystemPackage

// What goes into the guest as an archive, which its tar(1) unpacks: folders, and files without their holes.
extension SSHSession {
    /// Sends a folder as one archive.
    func uploadFolder(
        _ source: GuardedPath, _ destination: String, _ options: UploadOptions, _ progress: (UInt64) -> Void
    ) throws(SSHError) {
        let path = try guestPath(destination)
        var writer = try TarWriter(contentsOf: source)
        writer.permissions = options.permissions
        if let owner = options.ownership { writer.owner = try ids(of: owner, options, path) }
        let unpackFolder = ShellScript(
            Self.unpackFolderScript, [path, options.name ?? "", options.owner == nil ? "" : "owned"], as: options.user)
        let outgoing = Outgoing(writer)
        try unpack(unpackFolder, destination, progress) { knowsHoles in
            outgoing.writer.leavesOutHoles = knowsHoles
            return outgoing
        }
    }

    private static let tarKind = BuiltInScript.text(PackageResources.tar_kind_sh)
    private static let unpackFolderScript = tarKind + BuiltInScript.text(PackageResources.unpack_folder_sh)
    private static let unpackFileScript = tarKind + BuiltInScript.text(PackageResources.unpack_file_sh)
    private static let ownerScript = BuiltInScript.text(PackageResources.owner_ids_sh)

    /// Sends a file without its holes.
    /// - Returns: False if the guest's tar(1) does not understand that; then nothing has been sent.
    func uploadSparsely(
        _ source: GuardedPath, _ file: SparseFile, _ status: FileStatus, _ destination: String,
        _ options: UploadOptions, _ progress: (UInt64) -> Void
    ) throws(SSHError) -> Bool {
        let path = try guestPath(destination)
        let permissions = String(options.permissions ?? status.permissions & 0o7777, radix: 8)
        let arguments = [path, source.path.lastComponent?.string ?? "", permissions, options.ownership ?? ""]
        let outgoing = Outgoing(TarWriter(file, status: status, name: "file"))
        var isUnderstood = false
        try unpack(ShellScript(Self.unpackFileScript, arguments, as: options.user), destination, progress) {
            knowsHoles in
            isUnderstood = knowsHoles
            return knowsHoles ? outgoing : nil
        }
        return isUnderstood
    }

    /// Sends an archive to a script that first says whether its tar(1) knows of holes.
    /// - Parameter choose: What to send then; nil sends nothing.
    private func unpack(
        _ script: ShellScript, _ path: String, _ progress: (UInt64) -> Void, _ choose: (Bool) -> Outgoing?
    ) throws(SSHError) {
        var said: [UInt8] = []
        let outcome: SSHOutcome
        do throws(SSHError) {
            let process = try start(script)
            let knowsHoles = try process.line(named: "unpack files") == "sparse"
            guard let outgoing = choose(knowsHoles) else { return process.leave() }
            // The closure leaves with the call: nothing keeps it.
            outcome = try withoutActuallyEscaping(progress) { progress throws(SSHError) in
                try process.attend(
                    input: .source { limit throws(SSHError) in
                        let chunk = try outgoing.writer.next(limit)
                        outgoing.sent += UInt64(chunk.count)
                        progress(outgoing.sent)
                        return chunk
                    }, silenceMilliseconds: options.answerMilliseconds,
                    error: { bytes throws(SSHError) in said += bytes.prefix(max(0, (64 << 10) - said.count)) })
            }
        } catch {
            guard case .commandFailed(_, let status, let output) = error else { throw Self.stalled(error, path) }
            throw .transferFailed(path: path, reason: Self.reason(Array(output.utf8), "status \(status)"))
        }
        guard outcome.isSuccess else {
            throw .transferFailed(path: path, reason: Self.reason(said, "status \(outcome.shellStatus)"))
        }
    }

    /// An archive on its way, which the closure that sends it changes.
    private final class Outgoing {
        var writer: TarWriter
        var sent: UInt64 = 0
        init(_ writer: TarWriter) { self.writer = writer }
    }

    /// The numeric ids that the guest has for `user:` or `user:group`.
    private func ids(
        of owner: String, _ options: UploadOptions, _ path: String
    ) throws(SSHError) -> (user: UInt32, group: UInt32) {
        let result = try collect(ShellScript(Self.ownerScript, [owner], as: options.user))
        let fields = String(decoding: result.output, as: UTF8.self).split(separator: " ")
        guard result.outcome.isSuccess, fields.count > 4, let user = UInt32(fields[2]), let group = UInt32(fields[3])
        else {
            throw .transferFailed(path: path, reason: Self.reason(result.error, "the guest knows no owner '\(owner)'"))
        }
        return (user, group)
    }
}
