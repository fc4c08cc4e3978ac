import LinuxSystem
public import SystemPackage

extension SSHSession {
    private static let readScript = BuiltInScript.text(PackageResources.read_path_sh)
    private static let printScript = BuiltInScript.text(PackageResources.print_file_sh)

    /// Copies a file or a folder out of the guest, with permissions and links.
    /// - Parameters:
    ///   - source: In the guest; relative to the home directory, `~/` works.
    ///   - destination: A file goes into it if it is a folder; a folder becomes it, or goes into it by `name`.
    ///   - name: The name of a folder in a destination that is a folder already, as with cp(1); nil: its contents go
    ///     there.
    ///   - user: The guest's user who reads; nil: the user who logged in.
    ///   - progress: Gets the bytes received so far.
    public func download(
        _ source: String, to destination: FilePath, named name: String? = nil, as user: String? = nil,
        progress: (UInt64) -> Void = { _ in }
    ) throws(SSHError) {
        let path = try guestPath(source)
        var sink = try DownloadSink(source: path, destination: destination, name: name)
        var received: UInt64 = 0
        do {
            try receive(ShellScript(Self.readScript, [path], as: user), source) { bytes throws(SSHError) in
                try sink.consume(bytes)
                received += UInt64(bytes.count)
                progress(received)
            }
        } catch {
            sink.discard()
            throw error
        }
        try sink.finish()
    }

    /// Reads a file of the guest, piece by piece.
    /// - Parameter source: In the guest; relative to the home directory, `~/` works.
    public func read(
        _ source: String, output: (ArraySlice<UInt8>) throws(SSHError) -> Void
    ) throws(SSHError) {
        try receive(ShellScript(Self.printScript, [try guestPath(source)]), source, output)
    }

    /// Takes what a script sends of `source`.
    private func receive(
        _ script: ShellScript, _ source: String, _ output: (ArraySlice<UInt8>) throws(SSHError) -> Void
    ) throws(SSHError) {
        var script = script
        script.silenceMilliseconds = options.answerMilliseconds
        var said: [UInt8] = []
        let outcome: SSHOutcome
        do {
            outcome = try run(script, output: output, error: { said += $0.prefix(max(0, 4096 - said.count)) })
        } catch { throw Self.stalled(error, source) }
        guard outcome.isSuccess else {
            throw .transferFailed(path: source, reason: Self.reason(said, "status \(outcome.shellStatus)"))
        }
    }
}

/// Receives a download. A single file appears whole or not at all.
struct DownloadSink {
    private enum State {
        case undecided
        case folder(TarReader)
        /// Into a staging folder beside the target.
        case file(TarReader)
        case plain(SharedDescriptor)
    }

    private let source: String
    private let target: FilePath
    private let staging: FilePath
    /// Where a folder goes.
    private let folder: FilePath
    private var state = State.undecided
    private var letter: UInt8?

    /// - Parameter ownName: What a folder is called in a destination that is there; nil: its contents go there.
    /// - Throws: ``SSHError/transferFailed(path:reason:)`` for a destination that is there and neither a file nor a
    ///   folder: a device or a pipe must not be replaced.
    init(source: String, destination: FilePath, name ownName: String? = nil) throws(SSHError) {
        self.source = source
        let isThere = (try? FileSystem.isDirectory(destination)) == true
        folder = ownName.map { isThere ? destination.appending($0) : destination } ?? destination
        let name = source.split(separator: "/").last.map(String.init) ?? "file"
        target = try Self.target(isThere ? destination.appending(name == ".." ? "file" : name) : destination)
        let last = target.lastComponent?.string ?? "file"
        staging = target.removingLastComponent().appending(".\(last).\(randomIdentifier(bytes: 4)).tmp")
    }

    /// What a download to `path` replaces: a link stays a link, as with cp(1).
    private static func target(_ path: FilePath) throws(SSHError) -> FilePath {
        do {
            guard let kind = try FileSystem.status(path)?.kind else { return path }
            guard [.regular, .directory].contains(kind) else {
                throw SSHError.transferFailed(path: path.string, reason: "it is neither a file nor a folder")
            }
            return try FileSystem.resolve(path)
        } catch let error as SSHError { throw error } catch let error as SystemError { throw .system(error) } catch {
            throw .system(SystemError("look at", path, .ioError))
        }
    }

    mutating func consume(_ bytes: ArraySlice<UInt8>) throws(SSHError) {
        var rest = bytes
        if case .undecided = state {
            // The letter and its line break, which may come apart.
            while let byte = rest.first {
                rest = rest.dropFirst()
                if byte == 0x0a { break }
                guard letter == nil else { throw unexpected }
                letter = byte
            }
            if rest.startIndex > bytes.startIndex, bytes[rest.startIndex - 1] == 0x0a { try decide() }
        }
        guard !rest.isEmpty else { return }
        switch state {
        case .undecided: throw unexpected
        case .folder(var reader):
            state = .undecided
            try reader.consume(rest)
            state = .folder(reader)
        case .file(var reader):
            state = .undecided
            try reader.consume(rest)
            state = .file(reader)
        case .plain(let file): try file.write(Array(rest))
        }
    }

    private mutating func decide() throws(SSHError) {
        switch letter {
        case UInt8(ascii: "d"): state = .folder(try TarReader(into: folder))
        case UInt8(ascii: "f"): state = .file(try TarReader(into: staging, onlyName: "file"))
        case UInt8(ascii: "c"):
            do {
                try FileSystem.makeDirectory(staging)
                let flags: OwnedDescriptor.OpenFlags = [.writeOnly, .create, .exclusive]
                state = .plain(SharedDescriptor(try OwnedDescriptor.open(staging.appending("file"), flags)))
            } catch { throw .system(error) }
        default: throw unexpected
        }
    }

    mutating func finish() throws(SSHError) {
        switch state {
        case .undecided: throw unexpected
        case .folder(var reader): try reader.finish()
        case .file(var reader):
            do {
                try reader.finish()
            } catch {
                discard()
                throw error
            }
            try publish()
        case .plain: try publish()
        }
    }

    private func publish() throws(SSHError) {
        defer { discard() }
        do {
            try FileSystem.rename(staging.appending("file"), to: target)
        } catch { throw .system(error) }
    }

    func discard() { try? FileSystem.removeTree(staging) }

    private var unexpected: SSHError { .transferFailed(path: source, reason: "the guest's answer makes no sense") }
}
