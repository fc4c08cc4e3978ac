import ArgumentParser
import BoxFormat
import Digest
import DiskImage
import JSON
import LinuxSystem
import Reporting
import SystemPackage

/// `wander box`: what is in the box store.
struct BoxCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "box",
        abstract: "Find, add, list, update and remove boxes.",
        discussion: "Boxes are kept in $WANDER_HOME, or else $XDG_DATA_HOME/wander: each once, unpacked, read-only.",
        subcommands: [
            BoxSearch.self, BoxAdd.self, BoxBuild.self, BoxList.self, BoxShow.self, BoxRemove.self, BoxPrune.self,
            BoxOutdated.self, BoxUpdate.self, BoxRepackage.self, BoxVerify.self,
        ])
}

/// Which stored box a command means.
struct BoxSelection: ParsableArguments {
    @Argument(help: "The box's name.", completion: Completions.boxes) var name: BoxName
    @Option(name: .customLong("box-version"), help: "Only versions that satisfy this, such as '1.2' or '< 2'.")
    var version: VersionRequirement?
    @Option(name: [.customShort("a"), .long], help: "Only this architecture, such as amd64.") var architecture:
        Architecture?

    /// Every box that fits.
    func all(in store: BoxStore) throws -> [Box] {
        let boxes = try store.boxes(named: name)
        let found = boxes.filter { fits($0.identity) }
        guard found.isEmpty else { return found }
        if let damaged = try store.damagedBoxes(named: name).first(where: { fits($0.identity) }) {
            throw damaged.problem
        }
        throw try notFound(boxes, in: store)
    }

    /// What every box that fits is, also of those that cannot be read.
    func identities(in store: BoxStore) throws -> [BoxIdentity] {
        let boxes = try store.boxes(named: name)
        let found = try boxes.map(\.identity) + store.damagedBoxes(named: name).map(\.identity)
        let fitting = found.filter(fits)
        guard !fitting.isEmpty else { throw try notFound(boxes, in: store) }
        return fitting
    }

    /// The one of them that there is.
    func identity(in store: BoxStore) throws -> BoxIdentity {
        let found = try identities(in: store)
        guard found.count == 1 else { throw BoxError.ambiguous(described, candidates: found.map(\.description)) }
        return found[0]
    }

    private func fits(_ box: BoxIdentity) -> Bool {
        (version?.isSatisfied(by: box.version) ?? true) && (architecture == nil || box.architecture == architecture)
    }

    /// - Parameter boxes: Those of this name.
    private func notFound(_ boxes: [Box], in store: BoxStore) throws -> BoxError {
        let installed = boxes.isEmpty ? try store.list().boxes : boxes
        return .notFound(described, installed: installed.map(\.identity.description))
    }

    /// The one box that fits.
    func one(in store: BoxStore) throws -> Box {
        let found = try all(in: store)
        guard found.count == 1 else {
            throw BoxError.ambiguous(described, candidates: found.map(\.identity.description))
        }
        return found[0]
    }

    private var described: String {
        ["'\(name)'", version.map { "'\($0)'" }, architecture.map { "for \($0)" }].compactMap(\.self).joined(
            separator: " ")
    }
}

extension BoxIdentity {
    /// What programs get to know about a box of which nothing else can be read.
    var document: JSONValue {
        [
            "name": .string(name.description), "version": .string(version.description),
            "architecture": .string(architecture.description),
        ]
    }
}

extension Box {
    /// What programs get to know about a box.
    func document(uses: [MachineUse]) -> JSONValue {
        [
            "name": .string(name.description),
            "version": .string(version.description),
            "architecture": .string(architecture.description),
            "sha256": .string(digest.hexadecimal),
            "source": .string(source),
            "catalogue": .optional(catalogue),
            "added": .string(timestamp(added)),
            "directory": .string(directory.string),
            "archiveSize": .size(archiveSize),
            "size": .size(size),
            "sizeOnDisk": .size(sizeOnDisk),
            "disks": .array(
                disks.map { disk in
                    [
                        "path": .string(disk.path.string), "format": .string(disk.format.rawValue),
                        "virtualSize": .size(disk.virtualSize), "virtual_size": .size(disk.virtualSize),
                    ]
                }),
            "kernel": .optional(kernel?.string),
            "initrd": .optional(initrd?.string),
            "commandLine": .optional(commandLine),
            "user": .optional(user),
            "cloudInit": .bool(cloudInit),
            "firmware": .optional(firmware?.rawValue),
            "smallestMemory": smallestMemory.map { .size($0) } ?? .null,
            "machines": .array(
                uses.filter { $0.box == identity }.map { use in
                    [
                        "machine": .string(use.machine), "directory": .string(use.directory.string),
                        "found": .bool(use.place == .found),
                    ]
                }),
            // As they were called first: members are only ever added.
            "archive_size": .size(archiveSize),
            "size_on_disk": .size(sizeOnDisk),
            "command_line": .optional(commandLine),
        ]
    }

    /// Bytes of disk that the box's files really take.
    var sizeOnDisk: UInt64 {
        files.reduce(0) { sum, file in
            let path = directory.appending(file.path)
            let status = (try? FileSystem.status(path, followLinks: false)) ?? nil
            return sum &+ UInt64(clamping: status?.allocated ?? 0)
        }
    }
}
