import ArgumentParser
import DiskImage
import JSON
import Reporting

struct DiskCompare: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare the content of two disks; exit status 0 means that it is the same.",
        discussion: "Formats and layers do not matter. What a shorter disk lacks counts as zeroes.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine, one of its disks (web:vdb), or a raw or qcow2 file.") var first: String
    @Argument(help: "Another one.") var second: String

    func execute(_ context: CommandContext) throws {
        let left = try disks.open(first, .readOnly, context)
        let right = try disks.open(second, .readOnly, context)
        let result = try DiskImage.compare(left, right, progress: context.diskProgress("comparing"))
        context.console.report(.finished(label: "comparing"), about: nil)
        var text =
            result.firstDifference.map { "The disks differ, first at byte \($0)." }
            ?? "The disks have the same content."
        if left.virtualSize != right.virtualSize {
            text += "\nTheir sizes are \(left.virtualSize) and \(right.virtualSize) bytes."
        }
        context.output(
            text,
            json: [
                "equal": .bool(result.isEqual), "firstDifference": result.firstDifference.map(JSONValue.size) ?? .null,
                "sizes": .array(result.sizes.map(JSONValue.size)),
            ])
        if !result.isEqual { throw ExitCode(ErrorKind.failure.exitStatus) }
    }
}
