import ArgumentParser
import BoxFormat
import Digest
import DiskImage
import JSON
import LinuxSystem
import Reporting
import SystemPackage

struct BoxShow: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a box: origin, digest, disks, the machines that use it.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var box: BoxSelection

    func execute(_ context: CommandContext) throws {
        let store = try BoxStore.standard()
        let boxes = try box.all(in: store)
        let uses = try store.uses()
        context.output(
            boxes.map { describe($0, uses) }.joined(separator: "\n\n"),
            json: ["boxes": .array(boxes.map { $0.document(uses: uses) })])
    }

    private func describe(_ box: Box, _ uses: [MachineUse]) -> String {
        var table = TextTable()
        func row(_ name: String, _ value: String?) { if let value { table.add(["  \(name)", value]) } }
        row("source", box.source)
        row("catalogue", box.catalogue)
        row("added", timestamp(box.added))
        row("digest", box.digest.description)
        row("directory", box.directory.string)
        row("size", "\(ByteCount(box.sizeOnDisk)) on the disk, \(ByteCount(box.archiveSize)) as an archive")
        for disk in box.disks {
            row(
                "disk",
                "\(disk.path.lastComponent?.string ?? ""), \(disk.format.rawValue), \(ByteCount(disk.virtualSize))")
        }
        row("kernel", box.kernel?.lastComponent?.string)
        row("initrd", box.initrd?.lastComponent?.string)
        row("command line", box.commandLine)
        row("user", box.user)
        row("cloud-init", box.cloudInit ? "takes a seed disk" : nil)
        row("firmware", box.firmware?.rawValue)
        row("smallest memory", box.smallestMemory.map { ByteCount($0).description })
        for use in uses where use.box == box.identity { row("machine", use.description) }
        return "\(box.identity)\n\(table.rendered)"
    }
}
