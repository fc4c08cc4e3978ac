import BoxFormat
import Digest
import JSON
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// What starts a guest without its boot loader, which is the way to choose its first program.
struct DirectBoot: Hashable {
    var kernel: FilePath
    var initrd: FilePath?
    var commandLine: String?
    /// The kernel's digest, in hexadecimal digits.
    var kernelDigest: String?
    /// As the guest calls it; nil for a box's own.
    var version: String?

    /// What the box brings; nil if it leaves starting to its disk's boot loader.
    init?(of box: Box) {
        guard let kernel = box.kernel else { return nil }
        self.kernel = kernel
        initrd = box.initrd
        commandLine = box.commandLine
        kernelDigest = box.files.first { box.directory.pushing(FilePath($0.path)) == kernel }?.digest.hexadecimal
    }

    private static let recordName = "boot.json"

    /// What a guest has handed out into `folder`, if it has.
    init?(handedOutTo folder: FilePath) {
        guard let bytes = try? FileSystem.read(folder.appending(Self.recordName), limit: 1 << 16),
            let record = try? JSONParser.parse(bytes), record["schema"] == 1,
            let digest = record["kernel_sha256"]?.stringValue, let line = record["command_line"]?.stringValue
        else { return nil }
        kernel = folder.appending(BoxDescription.kernelName)
        initrd = folder.appending(BoxDescription.initrdName)
        commandLine = line
        kernelDigest = digest
        version = record["version"]?.stringValue
    }

    /// The word of a kernel's command line, empty in a box's, by which its guest takes a key before its SSH server
    /// starts.
    static let keyWord = "wander.key="

    /// Whether the guest takes the machine's key from the kernel's command line.
    var takesKey: Bool { words.contains { $0 == Self.keyWord } }

    /// The kernel's command line, with a console.
    /// - Parameter key: What the guest is to take; nil to leave it as it is.
    func commandLine(handingOver key: SSHPublicKey? = nil) -> String {
        let line = commandLine ?? "console=ttyS0 root=/dev/vda1"
        let complete = line.contains("console=") ? line : line + " console=ttyS0"
        guard let key, takesKey else { return complete }
        return complete.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word == Self.keyWord ? Self.keyWord + key.base64 : String(word)
        }.joined(separator: " ")
    }

    private var words: [Substring] { (commandLine ?? "").split(separator: " ") }

    /// Written last: without it, nothing has been handed out.
    static func save(_ header: GuestKernelHeader, digest: SHA256Digest, in folder: FilePath) throws {
        let record: JSONValue = [
            "schema": 1, "version": .string(header.version), "command_line": .string(header.commandLine),
            "kernel_sha256": .string(digest.hexadecimal),
        ]
        try AtomicFile.write(record.pretty, to: folder.appending(recordName), permissions: 0o600)
    }
}

/// What a guest says of the kernel that it runs, before it sends it.
struct GuestKernelHeader: Hashable {
    var version: String
    /// In bytes.
    var kernelSize: UInt64
    var initrdSize: UInt64
    /// What a boot loader gave the kernel, without what is the boot loader's own or would start another first program.
    var commandLine: String

    /// The size of the header itself.
    var byteCount: UInt64

    static let limit = 8192

    /// Reads `VERSION SIZE SIZE` and, on a second line, the command line; what follows is not the header's. The guest
    /// may write anything.
    init?(_ bytes: [UInt8]) {
        let pieces = bytes.prefix(Self.limit).split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3 else { return nil }
        byteCount = UInt64(pieces[0].count + pieces[1].count + 2)
        let lines = pieces.map { GuestText.lines($0) }
        let fields = lines[0].split(separator: " ").map(String.init)
        guard fields.count == 3, let kernel = UInt64(fields[1]), let initrd = UInt64(fields[2]) else { return nil }
        let limits = PreparationScript.Exchange.self
        guard kernel > 0, kernel <= limits.kernelLimit, initrd > 0, initrd <= limits.initrdLimit else { return nil }
        version = fields[0]
        kernelSize = kernel
        initrdSize = initrd
        let words = lines[1].split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init).prefix { $0 != "--" }
        commandLine = words.filter { word in
            !["BOOT_IMAGE=", "initrd=", "init=", "rdinit="].contains { word.hasPrefix($0) }
        }.map { $0.hasPrefix(DirectBoot.keyWord) ? DirectBoot.keyWord : $0 }.joined(separator: " ")
        // Linux/x86 boot protocol: a kernel reads 2047 characters.
        guard commandLine.utf8.count < 1800 else { return nil }
    }
}
