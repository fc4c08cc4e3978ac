import ArgumentParser
import DiskImage
import EnvFile
import JSON
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

    func execute(_ context: CommandContext) throws {
        guard let wanted = UInt64(sizeText: size) else {
            throw ValidationError("'\(size)' is not a size such as 40GiB.")
        }
        let storage = try disks.open(disk, .readWrite, context)
        let before = storage.virtualSize
        try storage.resize(to: wanted)
        try storage.close()
        context.output(
            before == wanted
                ? "\(disk) has \(ByteCount(wanted)) already." : "\(disk): \(ByteCount(before)) -> \(ByteCount(wanted))",
            json: ["before": .size(before), "virtualSize": .size(wanted)])
    }
}
