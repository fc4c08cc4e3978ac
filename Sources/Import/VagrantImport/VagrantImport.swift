public import JSON
import LinuxSystem
import RubyReader
public import SystemPackage

/// A Vagrantfile as a Wanderfile.
///
/// The file is read and never run: no Ruby, no other program, and no file outside of its folder.
public struct VagrantImport: Sendable {
    /// The Wanderfile; empty if no machine could be taken.
    public let text: String
    /// The names of its machines.
    public let machines: [String]
    /// What became of each line, in their order.
    public let remarks: [ImportRemark]

    /// Whether something is missing without which the machines are not what they were.
    public var isIncomplete: Bool { remarks.contains(where: \.isImportant) }

    public func remarks(_ kind: ImportRemark.Kind) -> [ImportRemark] { remarks.filter { $0.kind == kind } }

    /// Reads a Vagrantfile.
    /// - Parameters:
    ///   - path: Absolute.
    ///   - keepsRelease: Whether boxes keep the release that they have, also one that nobody maintains.
    /// - Throws: ``VagrantImportError``.
    public init(reading path: FilePath, keepsRelease: Bool = false) throws(VagrantImportError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            // Not waiting: a pipe that nobody writes to would hold wander for ever.
            bytes = try GuardedPath(path).read(limit: RubyLimits.fileSize)
        } catch { throw error.errno == .noSuchFileOrDirectory ? .missing(path) : .unreadable(error) }
        self.init(
            bytes, named: path.lastComponent?.string ?? "Vagrantfile", in: path.removingLastComponent(),
            keepsRelease: keepsRelease)
    }

    /// - Parameters:
    ///   - name: What the file is called in comments.
    ///   - folder: Absolute; what the file may read is in it.
    public init(_ bytes: [UInt8], named name: String, in folder: FilePath, keepsRelease: Bool = false) {
        let remarks = ImportRemarks()
        let file = VagrantScope()
        let host = VagrantFolderHost(folder, file)
        let evaluator = RubyEvaluator(host: host)
        evaluator.run(bytes)
        for remark in evaluator.remarks { Self.tell(remark, to: remarks) }
        let converter = VagrantConverter(host: host, keepsRelease: keepsRelease, remarks: remarks)
        let isEmpty =
            file.settings.isEmpty && file.machines.isEmpty && file.networks.isEmpty && file.steps.isEmpty
            && file.providers.isEmpty
        if isEmpty { remarks.dropped("Vagrant.configure", "the file configures no machine", at: 0) }
        let (machines, network) = isEmpty ? ([], nil) : converter.machines(VagrantEnvironment.machines(of: file))
        let source = OneLine.text(name, limit: 60)
        self.remarks = remarks.sorted
        self.machines = machines.map(\.name)
        let missing = self.remarks.filter(\.isImportant).map { remark in
            "Not taken over: \(remark.line > 0 ? "\(source):\(remark.line): " : "")\(remark.subject): \(remark.text)."
        }
        let made = WanderfileWriter.text(
            machines, network: network, isSingle: file.machines.isEmpty, source: source,
            notes: Array(missing.prefix(40)))
        // No mark of a variable leaves, whatever forgot to fill it in.
        text = machines.isEmpty ? "" : RubyPlaceholder.withoutVariables(made)
    }

    private static func tell(_ remark: RubyRemark, to remarks: ImportRemarks) {
        switch remark.kind {
        case .unread: remarks.dropped("Ruby", "not understood: \(remark.text)", at: remark.line)
        case .limit: remarks.dropped("Ruby", remark.text, at: remark.line)
        case .skipped: remarks.dropped("Ruby", remark.text, at: remark.line, isImportant: false)
        case .lost:
            remarks.dropped("Ruby", "the machines may need what is left out here: \(remark.text)", at: remark.line)
        case .ended:
            // A file that wants a plugin ends here for what nobody needs.
            let isForPlugin = remark.text.lowercased().contains("plugin")
            remarks.dropped("Ruby", remark.text, at: remark.line, isImportant: !isForPlugin)
        case .undecided, .fixed: remarks.changed("Ruby", remark.text, at: remark.line)
        }
    }

    /// The same as data.
    public var document: JSONValue {
        func list(_ kind: ImportRemark.Kind) -> JSONValue {
            .array(
                remarks(kind).map { remark in
                    [
                        "line": .integer(Int64(remark.line)), "subject": .string(remark.subject),
                        "text": .string(remark.text), "isImportant": .bool(remark.isImportant),
                    ]
                })
        }
        return [
            "machines": .strings(machines), "isComplete": .bool(!isIncomplete), "taken": list(.taken),
            "changed": list(.changed), "dropped": list(.dropped), "text": .string(text),
        ]
    }
}
