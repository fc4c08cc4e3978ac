import ArgumentParser
import BoxFormat
import Digest
import EnvFile
import JSON
import Provider
import Reporting
import SystemPackage

struct BoxUpdate: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Move the project's boxes on to their newest versions.",
        discussion: """
            Gets the newest version that the Wanderfile accepts, and writes it into Wanderfile.lock. Machines that exist keep \
            the box that they were made from; the next 'wander destroy && wander up' uses the new one.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Option(help: "Only this box.") var box: BoxName?
    @OptionGroup var download: DownloadOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        var installer = try project.installer()
        installer.downloader = Downloader(download.settings)
        let requests = try Self.requests(of: project, only: box)
        if let box, requests.isEmpty {
            throw BoxError.notFound("'\(box)' in \(project.environment.file)", installed: [])
        }
        var lines: [String] = []
        var documents: [JSONValue] = []
        for request in requests {
            // One after the other: what is done stays done if the next one fails.
            let (box, from) = try project.changeLockFile { try installer.update(request, lock: &$0) }
            let old = from?.box.version
            let isSame = from?.box == box.identity && from?.digest == box.digest
            lines.append(
                isSame
                    ? "\(box.name): \(box.version) is the newest"
                    : "\(box.name): \(old.map { "\($0)" } ?? "none") -> \(box.version)")
            documents.append(
                [
                    "name": .string(box.name.description), "from": .optional(old?.description),
                    "to": .string(box.version.description), "changed": .bool(!isSame),
                    "sha256": .string(box.digest.hexadecimal),
                ])
        }
        context.output(lines.joined(separator: "\n"), json: ["boxes": .array(documents)])
    }

    /// What the project's machines ask for, each once, in the order of the Wanderfile.
    static func requests(of project: Project, only name: BoxName?) throws -> [BoxRequest] {
        var seen: Set<BoxRequest> = []
        return try project.environment.machines.map { try project.boxRequest($0.box) }
            .filter { name == nil || $0.name == name }.filter { seen.insert($0).inserted }
    }
}
