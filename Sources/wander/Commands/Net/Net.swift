import ArgumentParser

struct Net: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reach into an environment's network.", subcommands: [NetConnect.self])
}
