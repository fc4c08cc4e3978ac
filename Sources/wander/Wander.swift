import ArgumentParser

/// The root command. Each verb has its own file under Commands/.
struct Wander: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wander",
        abstract: "Reproducible development environments as real virtual machines.",
        discussion: """
            A Wanderfile names a box, networks, ports and provisioning; 'wander up' gives everyone the same machine.

            First steps:  wander init wander/tiny && wander up && wander ssh
                          (the box comes from 'boxes/build tiny' in wander's source, and 'wander box add tiny.box')
            Topics:       wander help topics
            """,
        version: "wander \(Version.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "Machines",
                subcommands: [
                    Up.self, Status.self, SSHCommandLine.self, Run.self, Halt.self, Reload.self, Destroy.self,
                    Provision.self,
                    Package.self, Suspend.self, Resume.self, Port.self, Upload.self, Download.self,
                    SSHConfigCommand.self, Inventory.self, Logs.self, ConsoleCommand.self, Doctor.self,
                ]),
            CommandGroup(
                name: "The Wanderfile",
                subcommands: [Init.self, Import.self, Validate.self, Config.self, SchemaCommand.self]),
            CommandGroup(name: "Snapshots", subcommands: [SnapshotCommand.self]),
            CommandGroup(name: "Disks", subcommands: [DiskCommand.self]),
            CommandGroup(name: "Networks", subcommands: [NetCommand.self]),
            CommandGroup(name: "Boxes", subcommands: [BoxCommands.self]),
            CommandGroup(name: "wander itself", subcommands: [VersionCommand.self, Completion.self, Manual.self]),
        ])
}
