public import BoxFormat
public import Digest
public import SystemPackage

/// How `package` makes a box of a machine.
public struct PackageOptions: Sendable {
    /// The box file's absolute path. No such file may exist unless ``replace`` is set.
    public var output: FilePath
    public var replace = false
    public var compression = BoxCompression.zstd
    /// The box's name; nil: made of the environment's and the machine's.
    public var name: BoxName?
    public var version: BoxVersion?
    /// Leaves keys, machine-id, history and secrets in the box, and adds the machine's own private key.
    public var keepsIdentity = false
    /// Removes caches, logs and temporary files from the box.
    public var cleans = false
    /// Leaves a running machine running, and packs its disk as it is while its file systems are frozen.
    public var isLive = false
    /// Holds only what differs from the box that the machine was made from.
    public var isThin = false
    /// Packs the box although its disk holds values that sensitive steps get.
    public var allowsSecrets = false
    /// Files for `include/` in the box: as written on the command line, and absolute.
    public var includes: [(word: String, path: FilePath)] = []
    /// A file `info.json` that catalogues show.
    public var info: FilePath?
    /// A Wanderfile that `init` of the box starts from.
    public var wanderfile: FilePath?

    public init(output: FilePath) { self.output = output }
}

/// What `package` has made.
public struct PackageOutcome: Sendable {
    public var machine: String
    public var output: FilePath
    /// The archive's size, in bytes.
    public var size: UInt64
    public var digest: SHA256Digest
    public var name: BoxName
    public var version: BoxVersion?
    /// The size of the box's disk: as the guest sees it, and as it is stored, in bytes.
    public var virtualSize: UInt64
    public var diskSize: UInt64
    /// Whether the machine was running and had to be stopped.
    public var stopped: Bool
    public var preparation: PreparationReport
    /// The box that a thin box needs.
    public var parent: BoxParent?
    /// Names of the provisioning steps that will not run again.
    public var provisioned: [String]
}
