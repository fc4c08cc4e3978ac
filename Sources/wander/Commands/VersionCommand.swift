import ArgumentParser
import JSON

struct VersionCommand: WanderCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version of wander.")
    @OptionGroup var options: GlobalOptions

    func execute(_ context: CommandContext) throws {
        context.output(
            "wander \(Version.current)",
            json: ["version": .string(Version.current), "architecture": .string(Self.architecture)])
    }

    private static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #endif
    }
}
