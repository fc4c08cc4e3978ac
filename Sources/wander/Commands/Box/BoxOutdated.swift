import ArgumentParser
import BoxFormat
import Digest
import JSON
import Provider
import Reporting
import SystemPackage

struct BoxOutdated: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "outdated", abstract: "List boxes that have a newer version in their catalogue.",
        discussion: "Looks at the project's boxes, or with --global at all that are in the store. Changes nothing.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Flag(help: "Every box in the store.") var global = false
    @OptionGroup var download: DownloadOptions

    private struct Finding {
        var name: String
        var current: BoxVersion?
        var newest: BoxVersion?
        /// Whether the newest is another box than the one that there is.
        var isOutdated = false
        var problem: (any UserFacingError)?

        var line: String {
            if let problem { return "\(name): \(problem.summary)" }
            guard let newest else { return "\(name): no catalogue" }
            guard let current else { return "\(name): not there yet; the newest version is \(newest)" }
            guard isOutdated else { return "\(name): \(current) is the newest" }
            return newest == current
                ? "\(name): \(current) was published again, as another box: see 'wander box update'"
                : "\(name): \(current) is there, \(newest) is available"
        }
        var json: JSONValue {
            [
                "name": .string(name), "current": .optional(current?.description),
                "newest": .optional(newest?.description),
                "outdated": .bool(current != nil && isOutdated),
                "problem": .optional(problem?.summary),
            ]
        }
    }

    func execute(_ context: CommandContext) throws {
        let findings = global ? try globalFindings(context) : try projectFindings(context)
        context.output(
            findings.isEmpty ? "No boxes." : findings.map(\.line).joined(separator: "\n"),
            json: ["boxes": .array(findings.map(\.json))])
    }

    private func projectFindings(_ context: CommandContext) throws -> [Finding] {
        let project = try project.load(context)
        var installer = try project.installer()
        installer.downloader = Downloader(download.settings)
        let lock = try LockFile.read(project.lockFile)
        return try BoxUpdate.requests(of: project, only: nil).map { request in
            let entry = lock.entry(for: request)
            return look(request, current: entry.map { ($0.box.version, $0.digest) }, installer)
        }
    }

    private func globalFindings(_ context: CommandContext) throws -> [Finding] {
        let store = try BoxStore.standard()
        let images = ImageCatalogues.current()
        let known = try images.images()
        let installer = BoxInstaller(
            store: store, catalogues: [], images: images, downloader: Downloader(download.settings),
            sink: context.console,
            cancellation: context.cancellation)
        var newest: [BoxName: Box] = [:]
        for box in try store.list().boxes where box.version >= newest[box.name]?.version ?? box.version {
            newest[box.name] = box
        }
        return newest.values.sorted { $0.name < $1.name }.map { box in
            if known.contains(where: { $0.image.name == box.name && $0.origin.shown == box.catalogue }) {
                return look(BoxRequest(box.name), current: (box.version, box.digest), installer)
            }
            guard let catalogue = box.catalogue, let location = try? BoxLocation(catalogue) else {
                return Finding(name: box.name.description, current: box.version)
            }
            return look(BoxRequest(box.name, location: location), current: (box.version, box.digest), installer)
        }
    }

    /// A catalogue that fails is reported, and the others are still asked.
    private func look(
        _ request: BoxRequest, current: (version: BoxVersion, digest: SHA256Digest?)?, _ installer: BoxInstaller
    ) -> Finding {
        let name = request.name?.description ?? request.reference ?? request.location?.shown ?? ""
        var finding = Finding(name: name, current: current?.version)
        do {
            let newest = try installer.newestListed(request, current: current)
            (finding.newest, finding.isOutdated) = (newest.version, newest.isNews)
        } catch let error as any UserFacingError {
            finding.problem = error
        } catch {}
        return finding
    }
}
