import SSH

/// The script that a guest runs in place of its first program, to turn a copy of a machine's disk into the disk of a
/// box.
///
/// It needs only a POSIX shell and the usual small programs, busybox's or others. No service is started and there is no
/// network, so only the script changes the copy.
struct PreparationScript: Hashable {
    /// Whom the box's users log in as.
    var user: String
    /// The machine's own public key, in Base64, which goes out; nil if it has none.
    var ownKey: String?
    var keepsIdentity: Bool
    var cleans: Bool
    /// Whether the box's machines get their key and their network from cloud-init: then none is left for them.
    var forCloudInit = false
    /// Only say what would be removed.
    var lists = false
    /// SHA-256 of the kernel that the box brings, in hexadecimal digits.
    var kernelDigest: String?

    /// Where things are on the disk by which the guest gets the script and gives its answers, in bytes.
    enum Exchange {
        static let size: UInt64 = 704 << 20
        static let report: Int64 = 1 << 20
        static let reportLimit = 1 << 20
        static let kernel: Int64 = 2 << 20
        static let kernelLimit: UInt64 = 128 << 20
        static let initrd: Int64 = 130 << 20
        static let initrdLimit: UInt64 = 512 << 20
    }

    /// What the script is at, as it says on the console, in this order.
    enum Stage: String, CaseIterable {
        case identity = "resetting keys, identity and history"
        case cleaning = "removing caches and logs"
        case trimming = "giving back what files no longer use"
        case kernels = "looking for a newer kernel"

        /// The line on the console.
        var line: String { "wander: \(rawValue)" }
    }

    private func begin(_ stage: Stage) -> String { lists ? "" : "echo '\(stage.line)'\n" }

    var text: String {
        func word(_ flag: Bool) -> String { flag ? "yes" : "" }
        let known = WellKnownKeys.all.map(\.publicKey)
        let lines =
            forCloudInit ? "" : known.map { "\($0.algorithm) \($0.base64) vagrant insecure public key\n" }.joined()
        let settings =
            [
                ("user", user), ("own_key", ownKey ?? ""), ("well_known", lines),
                ("well_known_keys", known.map(\.base64).joined(separator: " ")), ("keep", word(keepsIdentity)),
                ("clean", word(cleans)), ("list", word(lists)), ("kernel_digest", kernelDigest ?? ""),
                ("cloud", word(forCloudInit)),
                ("share_pattern", MountTable.pattern), ("share_comment", MountTable.comment),
            ] + PrivatePlaces.settings
        return "exec </dev/null >/dev/console 2>&1\n{\n" + Self.assignments(settings)
            + [
                Self.begin, Self.shares, Self.tools, Self.swap, PrivatePlaces.script, Self.cloudInit, Self.renewal,
                keepsIdentity ? "" : begin(.identity), Self.identity, cleans ? begin(.cleaning) : "", Self.cleaning,
                begin(.trimming), Self.trimming, kernelDigest == nil ? "" : begin(.kernels), Self.kernels, Self.end,
            ].joined() + "}\n"
    }

    /// Sets variables of a shell.
    static func assignments(_ settings: [(String, String)]) -> String {
        settings.map { "\($0.0)=\(ShellQuoting.quote($0.1))\n" }.joined()
    }

    private static let begin = BuiltInScript.text(PackageResources.prepare_begin_sh)
    static let shares = BuiltInScript.text(PackageResources.prepare_shares_sh)
    static let tools = BuiltInScript.text(PackageResources.prepare_tools_sh)
    static let swap = BuiltInScript.text(PackageResources.prepare_swap_sh)
    static let cloudInit = BuiltInScript.text(PackageResources.prepare_cloud_init_sh)
    static let renewal = BuiltInScript.text(PackageResources.prepare_renewal_sh)
    private static let identity = BuiltInScript.text(PackageResources.prepare_identity_sh)
    private static let cleaning = BuiltInScript.text(PackageResources.prepare_cleaning_sh)
    private static let trimming = BuiltInScript.text(PackageResources.prepare_trimming_sh)
    static let kernels = BuiltInScript.text(PackageResources.prepare_kernels_sh)
    private static let end = BuiltInScript.text(PackageResources.prepare_end_sh)
}
