public import Digest
public import DiskImage
public import JSON

/// The contents of `metadata.json` in a new box. It has the keys that Vagrant's libvirt provider reads as well.
public struct BoxDescription: Sendable {
    public static let fileName = BoxMetadata.fileName
    /// The name of the disk image in a box with one disk, in Vagrant as here.
    public static let diskName = "box.img"
    /// The name of another disk's image, counted from 1.
    public static func diskName(_ index: Int) -> String { "disk-\(index).img" }
    public static let kernelName = "vmlinuz"
    public static let initrdName = "initrd.img"
    /// The name of the key in a box that logs into its machines, in Vagrant as here.
    public static let privateKeyName = "vagrant_private_key"
    /// The name of a Wanderfile that the box brings along. Vagrant's name differs only in the first letter.
    public static let wanderfileName = "include/_Wanderfile"

    public var name: BoxName?
    public var version: BoxVersion?
    public var architecture: Architecture
    /// The disk's size, in bytes.
    public var virtualSize: UInt64
    public var format = DiskFormat.qcow2
    /// The image files of the disks after the first.
    public var otherDisks: [String] = []
    public var hasKernel = false
    public var hasInitrd = false
    public var commandLine: String?
    public var user: String?
    /// Whether the machine takes a seed disk, as ``Box/cloudInit`` says.
    public var cloudInit = false
    public var firmware: BoxFirmware?
    /// In bytes.
    public var smallestMemory: UInt64?
    /// Records of the provisioning steps that have been done in the box.
    public var provisioning: [JSONValue] = []
    public var provenance: JSONValue?
    public var digests: [(file: String, digest: SHA256Digest)] = []

    /// The parent of a thin box, which has only what differs from it.
    public var parent: BoxParent?

    public init(architecture: Architecture, virtualSize: UInt64) {
        self.architecture = architecture
        self.virtualSize = virtualSize
    }

    /// What is known about an image that was added without a description.
    public init(of box: Box) {
        self.init(architecture: box.architecture, virtualSize: box.disk.virtualSize)
        name = box.name
        version = box.version
        format = box.disk.format
        user = box.user
        cloudInit = box.cloudInit
        firmware = box.firmware
        smallestMemory = box.smallestMemory
        provenance = ["image": ["source": .string(box.source), "digest": .string(box.digest.description)]]
        if let digest = box.digest(of: box.disk) { digests = [(Self.diskName, digest)] }
    }

    public var json: JSONValue {
        var own: [JSONMember] = [JSONMember("schema", 1)]
        func add(_ name: String, _ value: String?) {
            if let value { own.append(JSONMember(name, .string(value))) }
        }
        add("name", name?.description)
        add("version", version?.description)
        add("architecture", architecture.description)
        add("kernel", hasKernel ? Self.kernelName : nil)
        add("initrd", hasInitrd ? Self.initrdName : nil)
        add("command_line", commandLine)
        add("user", user)
        if cloudInit { own.append(JSONMember("cloud_init", true)) }
        add("firmware", firmware?.rawValue)
        if let smallestMemory { own.append(JSONMember("smallest_memory", .size(smallestMemory))) }
        if !digests.isEmpty {
            own.append(
                JSONMember(
                    "digests", .object(digests.map { JSONMember($0.file, .string($0.digest.description)) })))
        }
        if let parent { own.append(JSONMember("parent", parent.json)) }
        if !provisioning.isEmpty { own.append(JSONMember("provisioning", .array(provisioning))) }
        if let provenance { own.append(JSONMember("provenance", provenance)) }
        // Whole GiB, rounded up: that is what vagrant-libvirt reads.
        let gibibytes = (virtualSize &+ (1 << 30) &- 1) >> 30
        var members: [JSONMember] = [
            JSONMember("provider", "libvirt"), JSONMember("format", .string(format.rawValue)),
            JSONMember("virtual_size", .size(gibibytes)),
            JSONMember("architecture", .string(architecture.description)),
        ]
        if !otherDisks.isEmpty {
            let disks = [Self.diskName] + otherDisks
            members.append(JSONMember("disks", .array(disks.map { ["path": .string($0)] })))
        }
        return .object(members + [JSONMember("wander", .object(own))])
    }
}
