internal import Digest
import DiskImage
internal import JSON
import Reporting

/// What a box says about itself in `metadata.json`: Vagrant's libvirt keys, and wander's own in the object `wander`.
struct BoxMetadata {
    /// Larger ones are refused before they are read, in bytes.
    static let sizeLimit = 1 << 20
    static let fileName = "metadata.json"

    struct Disk: Hashable {
        var path: String
        /// nil: by the image's own header.
        var format: DiskFormat?
    }

    var name: BoxName?
    var version: BoxVersion?
    var architecture: Architecture?
    /// At least one.
    var disks: [Disk]
    var kernel: String?
    var initrd: String?
    var commandLine: String?
    var user: String?
    /// Whether cloud-init in the box takes the user, the key and the rest from a seed disk.
    var cloudInit = false
    /// The firmware that the box says it needs; nil leaves that to what is on its disk.
    var firmware: BoxFirmware?
    /// The least memory in which the box starts, in bytes.
    var smallestMemory: UInt64?
    /// By file name.
    var digests: [(file: String, digest: SHA256Digest)]
    var provenance: JSONValue?
    /// What has been done in the box already: one record a provisioning step, as the machine that was packaged had
    /// them.
    var provisioning: JSONValue
    /// The parent of a thin box.
    var parent: BoxParent?

    /// - Throws: ``BoxError``
    init(parsing bytes: [UInt8]) throws(BoxError) {
        do {
            let root = try JSONObjectReader(JSONParser.parse(bytes, limit: Self.sizeLimit), path: Self.fileName)
            let provider = try root.string("provider")
            guard ["libvirt", "qemu", "wander"].contains(provider) else { throw BoxError.wrongProvider(provider) }
            let wander = try root.object("wander")
            if let schema = try wander?.integer("schema"), schema != 1 {
                throw BoxError.invalidMetadata("'wander' has the schema \(schema); this version of wander knows 1")
            }
            name = try wander?.optionalString("name").map { text in try BoxName(text) }
            version = try wander?.optionalString("version").map { text in
                guard let version = BoxVersion(text) else { throw BoxError.invalidVersion(text) }
                return version
            }
            architecture =
                try (wander?.optionalString("architecture") ?? root.optionalString("architecture")).map { text in
                    try Architecture(text)
                }
            kernel = try wander?.optionalString("kernel").map { text in try Self.fileName(text) }
            initrd = try wander?.optionalString("initrd").map { text in try Self.fileName(text) }
            commandLine = try wander?.optionalString("command_line")
            user = try wander?.optionalString("user")
            cloudInit = try wander?.bool("cloud_init", default: false) ?? false
            firmware = try wander?.optionalString("firmware").map { text in
                guard let firmware = BoxFirmware(rawValue: text) else {
                    throw BoxError.invalidMetadata("'firmware' is neither bios nor uefi")
                }
                return firmware
            }
            smallestMemory = try wander?.optionalInteger("smallest_memory").map { UInt64(clamping: $0) }
            provenance = wander?.value["provenance"]
            parent = try wander?.object("parent").map { try BoxParent($0) }
            provisioning = .array(try wander?.array("provisioning") ?? [])
            digests = try Self.digests(wander?.object("digests"))
            disks = try Self.disks(root)
            try checkWanderValues()
        } catch let error as BoxError {
            throw error
        } catch let error as any UserFacingError {
            throw .invalidMetadata(error.summary)
        } catch { throw .invalidMetadata("\(error)") }
    }

    /// A path inside the box.
    private static func fileName(_ text: String) throws -> String { try EntryName(Array(text.utf8)).path }

    private static func digests(_ object: JSONObjectReader?) throws -> [(file: String, digest: SHA256Digest)] {
        try (object?.value.objectValue ?? []).map { member in
            guard let text = member.value.stringValue, let digest = SHA256Digest(text) else {
                throw BoxError.invalidMetadata(
                    "the digest of '\(member.name.utf8.shown)' is not 'sha256:' and 64 digits")
            }
            return (try fileName(member.name), digest)
        }
    }

    /// One disk `box.img`, or those of Vagrant's multi-disk boxes in their order.
    private static func disks(_ root: JSONObjectReader) throws -> [Disk] {
        let stated = try root.optionalString("format")
        let format = try stated.map { text in
            guard let format = DiskFormat(rawValue: text) else {
                throw BoxError.invalidDisk("box.img", .unknownFormat(text))
            }
            return format
        }
        let list = try root.array("disks")
        guard list.count <= Box.diskLimit else {
            throw BoxError.invalidMetadata("it names more than \(Box.diskLimit) disks")
        }
        guard !list.isEmpty else {
            let name = try root.object("wander")?.optionalString("disk") ?? "box.img"
            return [Disk(path: try fileName(name), format: format)]
        }
        let disks = try list.map { item in
            Disk(
                path: try fileName(try JSONObjectReader(item, path: "metadata.json: disks").string("path")),
                format: format)
        }
        guard Set(disks.map(\.path)).count == disks.count else {
            throw BoxError.invalidMetadata("it names a disk twice")
        }
        return disks
    }

    /// What ends up on a kernel's command line or in an SSH session has no control characters and bounded length.
    private func checkWanderValues() throws(BoxError) {
        for (value, limit) in [(commandLine, 2047), (user, 32)] {
            guard let value else { continue }
            guard value.utf8.count <= limit, value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
                throw .invalidMetadata("'wander' has a value that is too long or not printable ASCII")
            }
        }
        if let user, !ImageFacts.isUser(user) { throw .invalidMetadata("'\(user.utf8.shown)' is no user name") }
    }
}
