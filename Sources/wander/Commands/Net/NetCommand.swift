import ArgumentParser

struct NetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "net", abstract: "Look into the environment's network.",
        subcommands: [NetStatus.self, NetCapture.self, NetConnect.self])
}
