import ArgumentParser
import BoxFormat
import Digest
import JSON
import LinuxSystem
import Provider
import Reporting
import SystemPackage

struct Package: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn a machine into a box that others start from.",
        discussion: """
            Stops the machine if it runs, and leaves it as it is: keys, machine-id, shell history and known secrets are reset \
            in a copy of its disk. Provisioners that have succeeded are marked as done in the box.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Option(name: [.customShort("o"), .long], help: "The archive to write.", completion: .file()) var output =
        "package.box"
    @Option(help: "The box's name. Without it, the environment's.") var name: BoxName?
    @Option(name: .customLong("box-version"), help: "The box's version, such as 1.2.") var version: BoxVersion?
    @Option(help: "zstd, or gzip for Vagrant's users.") var compression = BoxCompression.zstd
    @Flag(help: "Replace the archive if it is there.") var force = false
    @Option(
        parsing: .singleValue,
        help: "Files or folders for include/ in the box, with commas between them. May be repeated.",
        completion: .file())
    var include: [String] = []
    @Option(help: "A file info.json for catalogues.", completion: .file()) var info: String?
    @Option(
        name: [.long, .customLong("vagrantfile", withSingleDash: false)],
        help: "A Wanderfile that 'wander init' of the box starts from.", completion: .file())
    var wanderfile: String?
    @Flag(name: .customLong("keep-identity"), help: "Leave keys, machine-id, history and secrets in the box.")
    var keepIdentity = false
    @Flag(help: "Include only the differences from the machine's box; adding the result requires that box.")
    var thin = false
    @Flag(
        help:
            "Leave a running machine running; refused unless the guest can freeze its file systems for a moment."
    )
    var live = false
    @Option(help: "Make a plain box of a disk image instead of a machine; nothing in it is reset.", completion: .file())
    var base: String?
    @Flag(
        name: .customLong("allow-secrets"),
        help: "Pack the box even if its disk holds values of sensitive provisioners.")
    var allowSecrets = false
    @Flag(help: "Remove caches, logs and temporary files from the box.") var clean = false
    @Flag(
        name: .customLong("dry-run"),
        help: "Print what would be reset and removed, and write nothing. The machine must be stopped.")
    var dryRun = false
    @Option(help: "How long to wait for another command that holds the machine, in seconds.") var wait: WaitingTime?

    func validate() throws {
        guard base == nil || (!thin && !live && !clean && !dryRun && machine == nil) else {
            throw ValidationError(
                "--base makes a box of an image alone: no machine, --thin, --live, --clean or --dry-run with it.")
        }
        guard !live || !dryRun else {
            throw ValidationError("--dry-run looks at the disk of a machine that is stopped: no --live with it.")
        }
    }

    func execute(_ context: CommandContext) throws {
        func path(_ text: String) -> FilePath {
            FileSystem.currentDirectory.pushing(FilePath(text)).lexicallyNormalized()
        }
        var request = PackageOptions(output: path(output))
        request.replace = force
        request.compression = compression
        request.name = name
        request.version = version
        request.keepsIdentity = keepIdentity
        request.cleans = clean
        request.isThin = thin
        request.isLive = live
        request.allowsSecrets = allowSecrets
        request.includes = include.flatMap { $0.split(separator: ",").map(String.init) }.map { ($0, path($0)) }
        request.info = info.map(path)
        request.wanderfile = wanderfile.map(path)
        if let base {
            let outcome = try BasePackage(events: context.console, cancellation: context.cancellation)
                .make(of: path(base), request)
            return report(outcome, context)
        }
        let project = try project.load(context) { $0.lockWaitMilliseconds = wait?.milliseconds ?? 0 }
        let machine = try project.machine(named: machine)
        if dryRun { return preview(try machine.packagePreview(request), machine.name, context) }
        report(try machine.package(request), context)
    }

    private func preview(_ report: PreparationReport, _ machine: String, _ context: CommandContext) {
        let lines = report.items.map { item in
            item.bytes.map { "remove \(item.text) (\(ByteCount($0)))" } ?? "reset \(item.text)"
        }
        context.output(
            lines.isEmpty ? "Nothing would be reset or removed." : lines.joined(separator: "\n"),
            json: ["machine": .string(machine), "changes": report.json])
    }

    private func report(_ outcome: PackageOutcome, _ context: CommandContext) {
        var lines = [
            "Wrote \(outcome.output): \(outcome.name), \(ByteCount(outcome.size)), \(outcome.digest)."
        ]
        let reset = outcome.preparation.lines
        if !reset.isEmpty {
            lines.append("Reset in the box; the machine keeps its own:")
            lines += reset.map { "  \($0)" }
        }
        let others = outcome.preparation.items.filter { $0.kind == .otherKey }.map(\.text)
        if !others.isEmpty {
            lines.append("Keys that were added by hand may still log in: \(others.joined(separator: ", "))")
        }
        if let kernel = outcome.preparation.kernel { lines.append("Kernel: \(kernel.version), from the guest.") }
        if !outcome.provisioned.isEmpty {
            lines.append("Done in the box already: \(outcome.provisioned.joined(separator: ", "))")
        }
        if let parent = outcome.parent {
            lines.append("Holds only what differs from \(parent.identity), \(parent.digest), which they need as well.")
        }
        if outcome.stopped {
            lines.append("\(outcome.machine) was stopped. Start it again: wander up \(outcome.machine)")
        }
        lines.append("Others use it by: wander box add \(outcome.output.lastComponent?.string ?? "FILE")")
        context.output(
            lines.joined(separator: "\n"),
            json: [
                "machine": .string(outcome.machine), "file": .string(outcome.output.string),
                "size": .size(outcome.size),
                "sha256": .string(outcome.digest.hexadecimal), "name": .string(outcome.name.description),
                "version": .optional(outcome.version?.description), "virtualSize": .size(outcome.virtualSize),
                "diskSize": .size(outcome.diskSize), "virtual_size": .size(outcome.virtualSize),
                "disk_size": .size(outcome.diskSize), "stopped": .bool(outcome.stopped),
                "reset": outcome.preparation.json, "kernel": .optional(outcome.preparation.kernel?.version),
                "parent": outcome.parent.map {
                    ["box": .string($0.identity.description), "sha256": .string($0.digest.hexadecimal)]
                } ?? .null,
                "provisioned": .strings(outcome.provisioned),
            ])
    }
}
