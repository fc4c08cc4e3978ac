import ArgumentParser

struct DiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk",
        abstract: "Inspect and repair disk images.",
        discussion: """
            DISK is the name of a machine of the project, or a raw or qcow2 file. 'web' is the machine's first disk and \
            'web:vdb' its second. A machine's disk is opened with its box's image behind it. A file's backing files are those in its own folder, unless --trust-backing is given.
            """,
        subcommands: [
            DiskInfo.self, DiskCheck.self, DiskMap.self, DiskConvert.self, DiskCompare.self, DiskResize.self,
        ])
}
