public import LinuxSystem
internal import Reporting
internal import SystemPackage

extension BoxStore {
    /// Every box, by name, version and architecture, and what is wrong with those that cannot be read. Creates nothing.
    public func list() throws(SystemError) -> (boxes: [Box], problems: [BoxError]) {
        var boxes: [Box] = []
        var problems: [BoxError] = []
        for name in try names(in: self.boxes) where BoxName(folder: name) != nil {
            let (found, broken) = try read(self.boxes.appending(name))
            boxes += found
            problems += broken.map(\.problem)
        }
        return (boxes.sorted(by: Self.isOrdered), problems)
    }

    /// The boxes called `name`, oldest version first.
    public func boxes(named name: BoxName) throws(SystemError) -> [Box] {
        try read(boxes.appending(name.folder)).boxes.sorted(by: Self.isOrdered)
    }

    /// The boxes called `name` that cannot be read, by the names of their folders, and what is wrong with each.
    public func damagedBoxes(
        named name: BoxName
    ) throws(SystemError) -> [(identity: BoxIdentity, problem: BoxError)] {
        try read(boxes.appending(name.folder)).problems.compactMap { folder, problem in
            Self.identity(of: folder).map { ($0, problem) }
        }
    }

    /// The box that a folder of the store is for; nil if no box can have that folder.
    static func identity(of folder: FilePath) -> BoxIdentity? {
        let parts = folder.components.suffix(3).map(\.string)
        guard parts.count == 3, let name = BoxName(folder: parts[0]), let version = BoxVersion(parts[1]),
            let architecture = try? Architecture(parts[2])
        else { return nil }
        return BoxIdentity(name: name, version: version, architecture: architecture)
    }

    /// The newest box that satisfies all of these; of two equal versions the one made for exactly `architecture`.
    /// - Parameter architecture: Boxes that do not say theirs count as well.
    /// - Returns: nil if there is none. No network request is made and nothing is created.
    public func find(
        _ name: BoxName, _ requirement: VersionRequirement = .any, architecture: Architecture = .host,
        where isMeant: (Box) -> Bool = { _ in true }
    ) throws(SystemError) -> Box? {
        try boxes(named: name).filter(isMeant)
            .filter { $0.architecture == architecture || $0.architecture == .unknown }
            .filter { requirement.isSatisfied(by: $0.version) }
            .max { left, right in
                left.version == right.version ? right.architecture == architecture : left.version < right.version
            }
    }

    /// The box of exactly this identity; nil if it is not there.
    /// - Throws: ``BoxError/corruptRecord(_:reason:)``
    public func box(_ identity: BoxIdentity) throws(BoxError) -> Box? {
        let folder = folder(of: identity)
        guard !FileSystem.isAbsent(folder.appending(BoxRecord.fileName)) else { return nil }
        return try BoxRecord.read(in: folder)
    }

    private static func isOrdered(_ left: Box, _ right: Box) -> Bool {
        if left.name != right.name { return left.name < right.name }
        if left.version != right.version { return left.version < right.version }
        return left.architecture < right.architecture
    }

    private func names(in folder: FilePath) throws(SystemError) -> [String] {
        do {
            return try FileSystem.list(folder)
        } catch {
            if error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory { return [] }
            throw error
        }
    }

    private func read(
        _ folder: FilePath
    ) throws(SystemError) -> (boxes: [Box], problems: [(folder: FilePath, problem: BoxError)]) {
        var boxes: [Box] = []
        var problems: [(folder: FilePath, problem: BoxError)] = []
        for version in try names(in: folder) {
            for architecture in try names(in: folder.appending(version)) {
                let place = folder.appending(version).appending(architecture)
                do throws(BoxError) {
                    boxes.append(try BoxRecord.read(in: place))
                } catch {
                    // Removed while we looked.
                    if !FileSystem.isAbsent(place) { problems.append((place, error)) }
                }
            }
        }
        return (boxes, problems)
    }
}
