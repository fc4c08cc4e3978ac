import ArgumentParser
import JSON
import LinuxSystem
import Provider
import Reporting
import SSH
import SystemPackage

struct Upload: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a file or folder into a machine.",
        discussion: """
            wander upload site.conf db:/tmp/
            Of a folder, its contents go to the destination. A relative destination begins in the user's home.
            """
    )
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The file or folder of the host.", completion: .file()) var source: String
    @Argument(help: "PATH or MACHINE:PATH in the guest. Without it: the source's name, in the user's home.")
    var destination: String?
    @Option(
        name: [.short, .long], help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?

    func execute(_ context: CommandContext) throws {
        let loaded = try project.load(context)
        let path = FileSystem.currentDirectory.pushing(FilePath(source)).lexicallyNormalized()
        let names = try loaded.machines.map(\.name)
        guard !FileSystem.isAbsent(path) else {
            let isInMachine = (try? GuestPlace(source, option: nil, machines: names))?.machine != nil
            throw NoSuchFile(path: path, download: isInMachine ? source : nil)
        }
        let place = try destination.map { try loaded.place($0, option: self.machine) }
        let machine = try place?.machine ?? loaded.machine(named: self.machine)
        let (session, _) = try machine.openSession()
        defer { session.close() }
        let target = place?.path ?? path.lastComponent?.string ?? "."
        context.console.report(.step("copying \(source) to \(target)"), about: machine.name)
        try session.upload(path, to: target)
        context.output(
            "",
            json: ["machine": .string(machine.name), "source": .string(path.string), "destination": .string(target)])
    }

    struct NoSuchFile: UserFacingError {
        let path: FilePath
        /// What was named is in a machine.
        let download: String?
        var summary: String { "there is no \(path)" }
        var remedy: String? { download.map { "To copy it out of the machine: wander download \($0)" } }
        var kind: ErrorKind { .notFound }
    }
}

struct Download: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a file or folder out of a machine.",
        discussion: "wander download db:/etc/hostname")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The file or folder of the guest: PATH or MACHINE:PATH.") var source: String
    @Argument(help: "Where to, on the host. Without it: the source's name, here.", completion: .file()) var destination:
        String?
    @Option(
        name: [.short, .long], help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?

    func execute(_ context: CommandContext) throws {
        let (machine, source) = try project.load(context).place(source, option: machine)
        let name = FilePath(source).lastComponent?.string ?? "download"
        let target = FileSystem.currentDirectory.pushing(FilePath(destination ?? name)).lexicallyNormalized()
        let (session, _) = try machine.openSession()
        defer { session.close() }
        context.console.report(.step("copying \(source) to \(target)"), about: machine.name)
        try session.download(source, to: target)
        context.output(
            "",
            json: ["machine": .string(machine.name), "source": .string(source), "destination": .string(target.string)])
    }
}
