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
        discussion: "Of a folder, its contents go to the destination. A relative destination begins in the user's home."
    )
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The file or folder of the host.", completion: .file()) var source: String
    @Argument(help: "Where to, in the guest. Without it: the source's name, in the user's home.") var destination:
        String?
    @Option(
        name: [.short, .long], help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?

    func execute(_ context: CommandContext) throws {
        let machine = try project.load(context).machine(named: machine)
        let path = FileSystem.currentDirectory.pushing(FilePath(source)).lexicallyNormalized()
        guard !FileSystem.isAbsent(path) else { throw NoSuchFile(path: path) }
        let (session, _) = try machine.openSession()
        defer { session.close() }
        let target = destination ?? path.lastComponent?.string ?? "."
        context.console.report(.step("copying \(source) to \(target)"), about: machine.name)
        try session.upload(path, to: target)
        context.output(
            "",
            json: ["machine": .string(machine.name), "source": .string(path.string), "destination": .string(target)])
    }

    struct NoSuchFile: UserFacingError {
        let path: FilePath
        var summary: String { "there is no \(path)" }
        var kind: ErrorKind { .notFound }
    }
}

struct Download: WanderCommand {
    static let configuration = CommandConfiguration(abstract: "Copy a file or folder out of a machine.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The file or folder of the guest.") var source: String
    @Argument(help: "Where to, on the host. Without it: the source's name, here.", completion: .file()) var destination:
        String?
    @Option(
        name: [.short, .long], help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?

    func execute(_ context: CommandContext) throws {
        let machine = try project.load(context).machine(named: machine)
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
