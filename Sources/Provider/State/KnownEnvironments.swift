public import JSON
public import LinuxSystem
import Reporting
public import SystemPackage

/// The list of this user's environments. It only says where to look: what is shown is read from each environment.
public struct KnownEnvironments: Sendable {
    public struct Entry: Sendable {
        public var name: String
        public var directory: FilePath
        public var machines: [(name: String, state: MachineState)]

        public var json: JSONValue {
            [
                "name": .string(name), "directory": .string(directory.string),
                "machines": .array(machines.map { ["name": .string($0.name), "state": .string($0.state.rawValue)] }),
            ]
        }
    }

    let folder: FilePath

    /// `$XDG_STATE_HOME/wander/environments`, or below `~/.local/state`.
    public static func standard() throws(SystemError) -> KnownEnvironments {
        guard let state = UserFolders.state else {
            throw SystemError("find your home folder (set HOME or XDG_STATE_HOME)", nil, .noSuchFileOrDirectory)
        }
        return KnownEnvironments(folder: state.pushing("wander/environments"))
    }

    /// Notes where an environment is. A project that moved is found again by its next changing command.
    func remember(_ layout: ProjectLayout, name: String) throws {
        let identifier = try identity(of: layout)
        let entry: JSONValue = ["schema": 1, "name": .string(name), "directory": .string(layout.project.string)]
        let path = folder.appending("\(identifier).json")
        let text = entry.pretty
        if let known = try? FileSystem.read(path, limit: 1 << 16), known == Array(text.utf8) { return }
        try FileSystem.makeDirectory(folder, permissions: 0o700)
        try AtomicFile.removeLeftovers(in: folder)
        try AtomicFile.write(text, to: path, permissions: 0o600)
    }

    private func identity(of layout: ProjectLayout) throws -> String {
        if let bytes = try FileSystem.readIfThere(layout.identityFile, limit: 1 << 16),
            let identifier = (try? JSONParser.parse(bytes))?["identifier"]?.stringValue,
            identifier.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), !identifier.isEmpty
        {
            return identifier
        }
        let identifier = randomIdentifier()
        let document: JSONValue = ["schema": 1, "identifier": .string(identifier)]
        try AtomicFile.write(document.pretty, to: layout.identityFile, permissions: 0o600)
        return identifier
    }

    /// Every environment that still is where it was last seen, read live. Changes nothing.
    public func list() throws(SystemError) -> [Entry] {
        try places().map { name, layout in
            Entry(
                name: name, directory: layout.project,
                machines: ((try? layout.machineNames()) ?? []).map { ($0, state(of: $0, in: layout)) })
        }.sorted { $0.directory.string < $1.directory.string }
    }

    /// Where the environments are, without a look at their machines.
    func layouts() -> [ProjectLayout] { ((try? places()) ?? []).map(\.layout) }

    private func places() throws(SystemError) -> [(name: String, layout: ProjectLayout)] {
        guard !FileSystem.isAbsent(folder) else { return [] }
        var places: [(name: String, layout: ProjectLayout)] = []
        var seen: Set<FilePath> = []
        for name in try FileSystem.list(folder) where name.hasSuffix(".json") {
            guard let bytes = try? FileSystem.read(folder.appending(name), limit: 1 << 16),
                let value = try? JSONParser.parse(bytes), let directory = value["directory"]?.stringValue,
                let environment = value["name"]?.stringValue
            else { continue }
            let layout = ProjectLayout(project: FilePath(directory))
            guard (try? FileSystem.isDirectory(layout.state)) == true, seen.insert(layout.project).inserted else {
                continue
            }
            places.append((environment, layout))
        }
        return places
    }

    private func state(of machine: String, in layout: ProjectLayout) -> MachineState {
        let folder = layout.machine(machine)
        guard let record = try? MachineStore(layout: layout).load(machine) else { return .damaged }
        guard (try? folder.isAlive()) == true else {
            return record.stage == .creating || record.stage == .destroying ? .incomplete : .stopped
        }
        // It is only asked, so nothing of its programs is needed.
        let provider = MachineServices.standard(programs: "/").provider(record.provider)
        if (try? provider.control(folder).isPaused) == true { return .paused }
        return record.isReady ? .running : .starting
    }
}
