import ArgumentParser
import DiskImage
import EnvFile
import JSON
import Provider
import Reporting

struct DiskResize: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Make a disk larger.",
        discussion: """
            The new part reads as zeroes. The guest enlarges its partition and file system when it next starts, if its box \
            is made that way. Disks are never made smaller.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine that is stopped, or a raw or qcow2 file.") var disk: String
    @Argument(help: "The new size, such as 40GiB.") var size: String

    func validate() throws {
        guard UInt64(sizeText: size) != nil else { throw ValidationError("'\(size)' is not a size such as 40GiB.") }
    }

    func execute(_ context: CommandContext) throws {
        let wanted = UInt64(sizeText: size) ?? 0
        let before = try resize(to: wanted, context)
        context.output(
            before == wanted
                ? "\(disk) has \(ByteCount(wanted)) already." : "\(disk): \(ByteCount(before)) -> \(ByteCount(wanted))",
            json: ["before": .size(before), "virtualSize": .size(wanted)])
    }

    private func resize(to wanted: UInt64, _ context: CommandContext) throws -> UInt64 {
        if let disk = try disks.machineDisk(disk, context) {
            return try disk.change { try Self.resize($0, to: wanted) }
        }
        return try Self.resize(try disks.layers(disk, context), to: wanted)
    }

    private static func resize(_ layers: [DiskLayer], to wanted: UInt64) throws -> UInt64 {
        let storage = try DiskImage.open(layers, access: .readWrite)
        let before = storage.virtualSize
        try storage.resize(to: wanted)
        try storage.close()
        return before
    }
}
