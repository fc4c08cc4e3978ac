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
            wander upload site web:/srv
            As with cp -r and scp -r: what is copied goes into a destination that is a folder already, under its own name; \
            a destination that does not exist becomes the copy. To copy what is in a folder: wander upload site/. web:/srv
            A relative destination begins in the user's home.
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
        guard source != "-" else { throw StandardInput(destination: destination) }
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
        var transfer = UploadOptions()
        transfer.name = CopyName.of(source, path)
        // Into the user's home, under its name, is also where it goes the second time.
        try session.upload(path, to: place == nil && transfer.name != nil ? "." : target, transfer)
        context.output(
            "",
            json: ["machine": .string(machine.name), "source": .string(path.string), "destination": .string(target)])
    }

    /// There is one way to do that, and it is another command.
    struct StandardInput: UserFacingError {
        let destination: String?
        var summary: String { "'-' is not a file: upload does not read standard input" }
        var remedy: String? {
            let place = destination ?? "PATH"
            let colon = place.firstIndex(of: ":")
            let machine = colon.map { " \(place[..<$0])" } ?? ""
            let path = colon.map { String(place[place.index(after: $0)...]) } ?? place
            return "To write it to a file in the machine: wander ssh\(machine) -c 'cat >\(path)' <FILE"
        }
        var kind: ErrorKind { .usage }
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
        discussion: """
            wander download db:/etc/hostname
            wander download web:/var/log logs
            wander download db:/etc/hosts -
            As with cp -r and scp -r: what is copied goes into a destination that is a folder already, under its own name; \
            a destination that does not exist becomes the copy. To copy what is in a folder: wander download web:/srv/. site
            '-' prints a file on standard output.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The file or folder of the guest: PATH or MACHINE:PATH.") var source: String
    @Argument(help: "Where to, on the host. Without it: the source's name, here.", completion: .file()) var destination:
        String?
    @Option(
        name: [.short, .long], help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?

    func execute(_ context: CommandContext) throws {
        guard destination != "-" || !options.json else {
            throw ValidationError("With --json, standard output has the JSON document: name a file.")
        }
        let (machine, source) = try project.load(context).place(source, option: machine)
        if destination == "-" { return try print(source, of: machine) }
        let name = FilePath(source).lastComponent?.string ?? "download"
        let target = FileSystem.currentDirectory.pushing(FilePath(destination ?? name)).lexicallyNormalized()
        let (session, _) = try machine.openSession()
        defer { session.close() }
        context.console.report(.step("copying \(source) to \(target)"), about: machine.name)
        let folderName = CopyName.of(source, FilePath(source))
        // Into this folder, under its name, is also where it goes the second time.
        let isHere = destination == nil && folderName != nil
        try session.download(source, to: isHere ? FileSystem.currentDirectory : target, named: folderName)
        context.output(
            "",
            json: ["machine": .string(machine.name), "source": .string(source), "destination": .string(target.string)])
    }

    private func print(_ source: String, of machine: Machine) throws {
        let (session, _) = try machine.openSession()
        defer { session.close() }
        do {
            try session.read(source) { bytes throws(SSHError) in
                StandardOutput.write(Array(bytes))
                if StandardOutput.isOver { throw .interrupted }
            }
        } catch {
            // A reader that has enough ends it; whether that is an error is told when wander ends.
            guard StandardOutput.isOver else { throw error }
        }
    }
}

/// The name of a folder in a destination that exists, from what was typed.
enum CopyName {
    /// - Parameter path: The same, made whole.
    /// - Returns: nil where the contents are meant, as with cp(1): `.`, `..`, `site/.`.
    static func of(_ text: String, _ path: FilePath) -> String? {
        let last = text.split(separator: "/").last
        guard last != ".", last != "..", let name = path.lastComponent?.string, name != "~" else { return nil }
        return name
    }
}
