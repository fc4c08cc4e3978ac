import ArgumentParser
import BoxFormat
import DiskImage
import JSON
import LinuxSystem
import Reporting
import SystemPackage

struct BoxAdd: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Put a box into the store.",
        discussion: """
            By a name that a catalogue has, from a file, or from a URL of a box or of a catalogue:

              wander box add debian/13
              wander box add ./team.box
              wander box add --name team/base https://example.org/base.box
              wander box add --name mine --user me --cloud-init disk.qcow2
              wander box add debian/13 debian-13-genericcloud-amd64.qcow2

            A file may be a box, or a disk image: qcow2 or raw, also packed with xz, zstd, gzip or bzip2, alone in a tar archive, \
            VMDK or VDI. What it is, is told by its content. A catalogue's image that you have as a file gets what the \
            catalogue knows of it, as in the last line.

            'wander help box search' says where names are looked up. wander's own boxes are in no catalogue: 'wander box build' \
            makes them.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "A name, a file or a URL; or a name and then a file or URL.", completion: .file()) var box: [String]
    @Option(help: "What to call the box.") var name: BoxName?
    @Option(
        name: .customLong("box-version"),
        help: "The version to take from a catalogue ('>= 1.2, < 2'), or to give a box that has none ('1.2').")
    var version: VersionRequirement?
    @Option(help: "The checksum that the box must have; 'ALGORITHM:DIGITS' is understood.") var checksum: String?
    @Option(name: .customLong("checksum-type"), help: "md5, sha1, sha256, sha384 or sha512; without it, by the length.")
    var checksumType: String?
    @Option(name: [.customShort("a"), .long], help: "Exactly this architecture, such as amd64.") var architecture:
        Architecture?
    @Option(help: "The format of a plain disk image without magic number: raw or qcow2.") var format: DiskFormat?
    @Option(help: "For a disk image: the user to log in as.") var user: String?
    @Flag(name: .customLong("cloud-init"), help: "For a disk image: cloud-init in it makes the user.")
    var cloudInit = false
    @Flag(name: [.customShort("f"), .long], help: "Replace the box if it is there.") var force = false
    @Flag(name: [.customShort("c"), .long], help: "Start the download over; keep nothing of an interrupted one.")
    var clean = false
    @OptionGroup var download: DownloadOptions

    func validate() throws {
        guard (1...2).contains(box.count) else {
            throw ValidationError("Give a name, a file or a URL; or a name and one of these.")
        }
        if let user, !ImageFacts.isUser(user) { throw ValidationError("'\(user)' is no user name.") }
    }

    func execute(_ context: CommandContext) throws {
        let installer = BoxInstaller(
            store: try BoxStore.standard(), catalogues: try CatalogueTemplate.configured(), images: .current(),
            downloader: Downloader(download.settings), sink: context.console, cancellation: context.cancellation)
        let request = try request()
        if clean, let location = request.location { try installer.forgetDownload(of: location) }
        context.console.report(.step("Adding the box \(request.name?.description ?? box[box.count - 1])"))
        let added = try installer.fetch(request, whenPresent: force ? .replace : .fail)
        let uses = try installer.store.uses(of: added.identity)
        context.output(
            "Added \(added.identity), \(ByteCount(added.sizeOnDisk)) on the disk.",
            json: ["box": added.document(uses: uses)])
    }

    /// Whether somebody who types this means a file, though there is none.
    private static func looksLikeFile(_ text: String) -> Bool {
        let path = FilePath(text)
        let endings = ["box", "qcow2", "img", "raw", "vmdk", "vdi", "xz", "zst", "gz", "tar"]
        return path.isAbsolute || text.hasPrefix("./") || text.hasPrefix("../")
            || endings.contains(path.extension ?? "")
    }

    func request() throws -> BoxRequest {
        let expected = try checksum.flatMap { text in try ExpectedChecksum.read(text, algorithm: checksumType) }
        let last = box[box.count - 1]
        let isPlace = try box.count == 2 || last.contains("://") || FileSystem.exists(FilePath(last))
        // A name was said already, or this is none: it was to be a file.
        if !isPlace, name != nil || Self.looksLikeFile(last) {
            throw BoxSourceError.noSuchFile(FileSystem.currentDirectory.pushing(FilePath(last)))
        }
        var givenName = name
        if givenName == nil, box.count == 2 || !isPlace { givenName = try BoxName(box[0]) }
        let requirement = version ?? .any
        guard isPlace else {
            guard let givenName else { throw BoxError.invalidName(box[0]) }
            return BoxRequest(givenName, requirement, architecture: architecture, checksum: expected)
        }
        let location = try BoxLocation(last, relativeTo: FileSystem.currentDirectory)
        var request = BoxRequest(at: location, architecture: architecture, checksum: expected)
        request.name = givenName
        request.requirement = requirement
        request.assignedVersion = requirement.exactVersion
        request.diskFormat = format
        if user != nil || cloudInit {
            var facts = ImageFacts()
            facts.user = user
            facts.cloudInit = cloudInit
            request.facts = facts
        }
        return request
    }
}

/// Options of the commands that download.
struct DownloadOptions: ParsableArguments {
    @Flag(help: "Take any certificate of the server.") var insecure = false
    @Option(help: "A file of certificate authorities.", completion: .file()) var cacert: String?
    @Option(help: "A folder of certificate authorities.", completion: .directory) var capath: String?
    @Option(help: "The certificate to show to the server.", completion: .file()) var cert: String?
    @Flag(name: .customLong("location-trusted"), help: "Send credentials also where the server redirects to.")
    var locationTrusted = false

    var settings: Downloader.Options {
        var options = Downloader.Options()
        options.insecure = insecure
        options.certificateAuthorities = cacert.map { FilePath($0) }
        options.certificateAuthoritiesFolder = capath.map { FilePath($0) }
        options.clientCertificate = cert.map { FilePath($0) }
        options.trustRedirects = locationTrusted
        return options
    }
}
