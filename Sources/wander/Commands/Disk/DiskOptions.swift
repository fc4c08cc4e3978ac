public import ArgumentParser
public import DiskImage
import JSON
import LinuxSystem
import Provider
import Reporting
import SystemPackage

extension DiskFormat: ExpressibleByArgument {}
extension ImageCompression: ExpressibleByArgument {}

/// How the disks of one command are found.
struct DiskOptions: ParsableArguments {
    @OptionGroup var project: ProjectOptions
    @Option(help: "The format of a disk given as a file: raw or qcow2. Without it, the file's first bytes decide.")
    var format: DiskFormat?
    @Flag(name: .customLong("trust-backing"), help: "Open the backing files that an image names, wherever they are.")
    var trustsBacking = false

    /// The machine's disk that a word means, `web` or `web:vdb`; nil if it means a file.
    func machineDisk(_ name: String, _ context: CommandContext) throws -> MachineDisk? {
        guard try name.contains("/") || FileSystem.exists(FilePath(name)) else {
            let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return try MachineDisk(
                project.load(context).machine(named: parts[0]), named: parts.count > 1 ? parts[1] : nil)
        }
        return nil
    }

    /// The layers of a machine's disk or of a file.
    func layers(_ name: String, _ context: CommandContext) throws -> [DiskLayer] {
        if let disk = try machineDisk(name, context) { return try disk.layers() }
        let path = FilePath(name)
        let layer = DiskLayer(path: path, format: try format ?? DiskImage.detectFormat(path))
        return try DiskImage.layers(of: layer, trust: trustsBacking ? .anywhere : .sameFolder)
    }

    func open(_ name: String, _ access: DiskAccess, _ context: CommandContext) throws -> any BlockStorage {
        try DiskImage.open(layers(name, context), access: access)
    }
}

extension CommandContext {
    /// Shows how far a job on disks is, and stops it on Ctrl-C.
    func diskProgress(_ label: String) -> DiskProgress {
        var last: UInt64 = 0
        return { [self] (done, total) throws(DiskImageError) in
            if cancellation.isRequested { throw .interrupted }
            // Each report costs a line or a redraw.
            guard done == total || done >= last + total / 200 else { return }
            last = done
            console.report(.progress(Progress(label, completed: done, total: total)), about: nil)
        }
    }
}
