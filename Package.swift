// swift-tools-version: 6.2
import PackageDescription

// The groups below are the folders of Sources, in the order in which they build on each other: ARCHITECTURE.md has the
// picture, and script/check-arrows the arrows between groups that may be.

// What Swift cannot import by itself: C headers, and the system's C libraries.
let cModules: [Target] = [
    .target(name: "CKVM", path: "Sources/C/CKVM"),
    .target(name: "CLinux", path: "Sources/C/CLinux"),
    systemLibrary("CLZ4"), systemLibrary("CLZMA"), systemLibrary("CLibArchive"), systemLibrary("CLibCrypto"),
    systemLibrary("CLibSSH2"), systemLibrary("CLibSlirp"), systemLibrary("CLibYAML"), systemLibrary("CZlib"),
    systemLibrary("CZstd"),
]

// Ground: each of these may be used by every target above it.
let ground: [Target] = [
    library("Reporting", in: "Ground"),
    library("JSON", in: "Ground", uses: ["Reporting"]),
    // Addresses, ports and frames, which the Wanderfile, the network and its devices speak of alike.
    library("NetworkAddress", in: "Ground", uses: ["Reporting"], .memory),
    library("LinuxSystem", in: "Ground", uses: ["CLinux", "NetworkAddress", "Reporting", "SystemPackage"], .memory),
    // What people write: Wanderfiles, catalogues of images.
    library(
        "YAML", in: "Ground", uses: ["CLibYAML", "JSON", "Reporting"], links: [.linkedLibrary(":libyaml.a")]),
    library(
        "Digest", in: "Ground", uses: ["CLibCrypto", "Reporting"], .memory, links: [.linkedLibrary(":libcrypto.a")]),
]

// Disk: images as files. The libraries are static: wander-vmm is one file.
let disk: [Target] = [
    library(
        "DiskImage", in: "Disk", uses: ["CLinux", "CZlib", "CZstd", "LinuxSystem", "Reporting", "SystemPackage"],
        .memory, links: [.linkedLibrary(":libz.a"), .linkedLibrary(":libzstd.a")]),
    // Headers of tar archives, as values: boxes and transfers write and read them.
    library("Tar", in: "Disk"),
]

// Devices: the guest's side of a machine. None of these knows KVM, so they serve QEMU's guests as well.
let devices: [Target] = [
    library("GuestMemory", in: "Devices", uses: ["CLinux", "LinuxSystem", "Reporting", "SystemPackage"], .memory),
    library("PCI", in: "Devices", .memory),
    // A folder of the host, served to a guest. Knows no device.
    library("FUSE", in: "Devices", uses: ["CLinux", "LinuxSystem", "SystemPackage"], .memory),
    library(
        "Virtio", in: "Devices",
        uses: [
            "CLinux", "DiskImage", "FUSE", "GuestMemory", "LinuxSystem", "NetworkAddress", "PCI", "SystemPackage",
        ], .memory),
    // Devices for a monitor in another process, and the process that serves QEMU a folder.
    library(
        "VhostUser", in: "Devices",
        uses: ["CLinux", "GuestMemory", "LinuxSystem", "Reporting", "Virtio", "SystemPackage"], .memory),
    program(
        "wander-share", in: "Devices",
        uses: ["CLinux", "LinuxSystem", "Reporting", "VhostUser", "Virtio", "SystemPackage"]),
]

// Monitor: the machine itself, the process that runs one, and how to talk to it.
let monitor: [Target] = [
    library(
        "MonitorControl", in: "Monitor",
        uses: ["DiskImage", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", "SystemPackage"]),
    library("KVM", in: "Monitor", uses: ["CKVM", "CLinux", "LinuxSystem", "Reporting", "SystemPackage"], .memory),
    // How a guest starts: kernels, firmware tables, start state. As data, so that it needs no machine.
    library(
        "Boot", in: "Monitor",
        uses: ["CLZ4", "CLZMA", "CLinux", "CZlib", "CZstd", "LinuxSystem", "Reporting", "SystemPackage"], .memory,
        links: [
            .linkedLibrary(":liblz4.a"), .linkedLibrary(":liblzma.a"), .linkedLibrary(":libz.a"),
            .linkedLibrary(":libzstd.a"),
        ]),
    library(
        "VMM", in: "Monitor",
        uses: [
            "Boot", "CLinux", "GuestMemory", "KVM", "LinuxSystem", "PCI", "Reporting", "Virtio", "SystemPackage",
        ], .memory),
    program(
        "wander-vmm", in: "Monitor",
        uses: [
            "Boot", "DiskImage", "JSON", "LinuxSystem", "MonitorControl", "Reporting", "VMM", "Virtio",
            "SystemPackage",
        ]),
    // What QEMU and its guest print, written down within bounds.
    program("wander-log", in: "Monitor", uses: ["CLinux", "LinuxSystem", "SystemPackage"]),
]

// Network: an environment's LAN, its process, and how to talk to it. libslirp is only dynamic; it logs with glib.
let network: [Target] = [
    library(
        "NetworkControl", in: "Network",
        uses: ["JSON", "LinuxSystem", "NetworkAddress", "Reporting", "SystemPackage"]),
    library(
        "UserNetwork", in: "Network",
        uses: [
            "CLibSlirp", "CLinux", "JSON", "LinuxSystem", "NetworkAddress", "NetworkControl", "Reporting",
            "SystemPackage",
        ], .memory, links: [.linkedLibrary(":libglib-2.0.so.0")]),
    program(
        "wander-net", in: "Network",
        uses: ["CLinux", "JSON", "LinuxSystem", "NetworkControl", "Reporting", "UserNetwork", "SystemPackage"],
        .memory),
]

// Guest: what wander does inside a machine. libssh2 and its libcrypto are static.
let guest: [Target] = [
    library(
        "SSH", in: "Guest",
        uses: ["CLibSSH2", "CLinux", "Digest", "LinuxSystem", "Reporting", "Tar", "SystemPackage"],
        embedding: ["GuestScripts"],
        links: [.linkedLibrary(":libssh2.a"), .linkedLibrary(":libcrypto.a"), .linkedLibrary(":libz.a")]),
    library(
        "Provisioning", in: "Guest",
        uses: ["Digest", "JSON", "LinuxSystem", "Reporting", "SSH", "SystemPackage"], embedding: ["GuestScripts"]),
    // What an image's cloud-init is told, and what it answers.
    library(
        "CloudInit", in: "Guest", uses: ["JSON", "NetworkAddress", "Reporting", "SSH"], embedding: ["GuestScripts"]),
]

// Import: other tools' files as Wanderfiles.
let imports: [Target] = [
    // The Ruby that people write in settings, read and never run.
    library("RubyReader", in: "Import", uses: ["JSON"]),
    library(
        "VagrantImport", in: "Import",
        uses: [
            "EnvFile", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", "RubyReader", "YAML", "SystemPackage",
        ]),
]

// The command line and what it stands on, by the names of their folders.
let product: [Target] = [
    // Boxes. libarchive's formats are named in the code, so what it needs for others is not linked.
    library(
        "BoxFormat",
        uses: [
            "CLibArchive", "CLinux", "CZlib", "CZstd", "Digest", "DiskImage", "JSON", "LinuxSystem", "Reporting",
            "Tar", "YAML", "SystemPackage",
        ], .memory, embedding: ["Data"],
        links: [
            // As flags, not as linked libraries: of those SwiftPM keeps only the first place of each, which may
            // come before libarchive, and the linker looks into an archive only once.
            .unsafeFlags([
                "-Xlinker", "--start-group", "-l:libarchive.a", "-l:libzstd.a", "-l:liblzma.a", "-l:libbz2.a",
                "-l:libz.a",
                "-Xlinker", "--end-group",
            ])
        ]),
    // The Wanderfile: layers, schema, definitions.
    library(
        "EnvFile", uses: ["Digest", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", "YAML", "SystemPackage"]),
    // The life of machines.
    library(
        "Provider",
        uses: [
            "BoxFormat", "CLinux", "CloudInit", "Digest", "DiskImage", "EnvFile", "JSON", "KVM", "LinuxSystem",
            "MonitorControl", "NetworkAddress", "NetworkControl", "Provisioning", "Reporting", "SSH", "SystemPackage",
        ], embedding: ["GuestScripts"]),
    program(
        "wander",
        uses: [
            "BoxFormat", "Digest", "DiskImage", "EnvFile", "JSON", "LinuxSystem", "NetworkAddress", "NetworkControl",
            "Provider", "Reporting", "SSH", "VagrantImport", "ArgumentParser", "SystemPackage",
        ]),
]

// Benchmarks are run by the scripts beside them.
let benchmarks: [Target] = [
    .target(name: "CAllocationCount", path: "Benchmarks/CAllocationCount"),
    .target(name: "CQueuePeer", path: "Benchmarks/CQueuePeer"),
    benchmark(
        "disk-benchmark", at: "DiskBenchmark", uses: ["CAllocationCount", "DiskImage", "LinuxSystem", "SystemPackage"]),
    benchmark("network-benchmark", at: "NetworkBenchmark", uses: ["LinuxSystem", "SystemPackage"]),
    benchmark(
        "queue-benchmark", at: "QueueBenchmark",
        uses: ["CAllocationCount", "CQueuePeer", "DiskImage", "GuestMemory", "LinuxSystem", "PCI", "Virtio"]),
]

// Tests are grouped as the targets are.
let testSupport: [Target] = [
    // What the tests of several targets need: folders of their own, numbers from a seed, guests of a few instructions.
    support("TestSupport", uses: ["CLinux", "LinuxSystem", "SystemPackage"]),
    // Real SSH servers, and what stands for a machine before one.
    support("SSHTestServer", uses: ["LinuxSystem", "SSH", "TestSupport", "SystemPackage"]),
]
let groundTests: [Target] = [
    tests("ReportingTests", in: "Ground", uses: ["Reporting"]),
    tests("JSONTests", in: "Ground", uses: ["JSON"]),
    tests(
        "LinuxSystemTests", in: "Ground",
        uses: ["CLinux", "LinuxSystem", "Reporting", "TestSupport", "SystemPackage"]),
    tests("NetworkAddressTests", in: "Ground", uses: ["NetworkAddress"]),
    tests("DigestTests", in: "Ground", uses: ["Digest", "Reporting"]),
]
let diskTests: [Target] = [
    tests("DiskImageTests", in: "Disk", uses: ["DiskImage", "LinuxSystem", "JSON", "TestSupport", "SystemPackage"]),
    tests("TarTests", in: "Disk", uses: ["LinuxSystem", "Tar", "TestSupport", "SystemPackage"]),
]
let deviceTests: [Target] = [
    tests("GuestMemoryTests", in: "Devices", uses: ["GuestMemory", "LinuxSystem"]),
    tests("PCITests", in: "Devices", uses: ["PCI"]),
    tests("FUSETests", in: "Devices", uses: ["CLinux", "FUSE", "LinuxSystem", "TestSupport", "SystemPackage"]),
    tests(
        "VirtioTests", in: "Devices",
        uses: [
            "DiskImage", "GuestMemory", "LinuxSystem", "NetworkAddress", "PCI", "Virtio", "TestSupport",
            "SystemPackage",
        ]),
    tests(
        "VhostUserTests", in: "Devices",
        uses: [
            "CLinux", "GuestMemory", "LinuxSystem", "TestSupport", "VhostUser", "Virtio", "wander-share",
            "SystemPackage",
        ]),
]
let monitorTests: [Target] = [
    tests(
        "MonitorControlTests", in: "Monitor",
        uses: ["DiskImage", "MonitorControl", "JSON", "NetworkAddress", "Reporting", "SystemPackage"]),
    tests("KVMTests", in: "Monitor", uses: ["KVM", "LinuxSystem", "SystemPackage"]),
    tests("BootTests", in: "Monitor", uses: ["Boot", "LinuxSystem", "TestSupport", "SystemPackage"]),
    tests(
        "VMMTests", in: "Monitor",
        uses: [
            "Boot", "CLinux", "DiskImage", "GuestMemory", "KVM", "LinuxSystem", "NetworkAddress", "PCI", "VMM",
            "Virtio",
            "TestSupport", "SystemPackage",
        ]),
    tests(
        "WanderVMMTests", in: "Monitor",
        uses: [
            "DiskImage", "JSON", "KVM", "LinuxSystem", "MonitorControl", "NetworkAddress", "wander-vmm",
            "TestSupport", "SystemPackage",
        ]),
    tests("WanderLogTests", in: "Monitor", uses: ["LinuxSystem", "TestSupport", "wander-log", "SystemPackage"]),
]
let networkTests: [Target] = [
    tests(
        "NetworkControlTests", in: "Network",
        uses: ["NetworkAddress", "NetworkControl", "JSON", "Reporting", "SystemPackage"]),
    tests(
        "UserNetworkTests", in: "Network",
        uses: [
            "UserNetwork", "wander-net", "JSON", "LinuxSystem", "NetworkAddress", "NetworkControl", "Reporting",
            "TestSupport", "SystemPackage",
        ]),
]
let guestTests: [Target] = [
    tests(
        "SSHTests", in: "Guest",
        uses: ["SSH", "SSHTestServer", "CLinux", "LinuxSystem", "Reporting", "TestSupport", "SystemPackage"]),
    tests(
        "ProvisioningTests", in: "Guest",
        uses: [
            "Provisioning", "JSON", "LinuxSystem", "Reporting", "SSH", "SSHTestServer", "TestSupport",
            "SystemPackage",
        ]),
    tests(
        "CloudInitTests", in: "Guest",
        uses: ["CloudInit", "JSON", "LinuxSystem", "NetworkAddress", "SSH", "TestSupport", "SystemPackage"]),
]
let importTests: [Target] = [
    tests("RubyReaderTests", in: "Import", uses: ["JSON", "RubyReader", "TestSupport"]),
    tests(
        "VagrantImportTests", in: "Import",
        uses: [
            "EnvFile", "JSON", "LinuxSystem", "Reporting", "RubyReader", "TestSupport", "VagrantImport",
            "SystemPackage",
        ], excluding: ["Fixtures"]),
]
let productTests: [Target] = [
    tests(
        "BoxFormatTests",
        uses: [
            "BoxFormat", "Digest", "DiskImage", "JSON", "LinuxSystem", "Reporting", "TestSupport", "SystemPackage",
        ]),
    tests(
        "EnvFileTests",
        uses: [
            "Digest", "EnvFile", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", "TestSupport", "YAML",
            "SystemPackage",
        ], excluding: ["Fixtures"]),
    tests(
        "ProviderTests",
        uses: [
            "BoxFormat", "CloudInit", "Digest", "DiskImage", "EnvFile", "JSON", "LinuxSystem", "MonitorControl",
            "NetworkAddress", "NetworkControl", "Provider", "Provisioning", "Reporting", "SSH", "SSHTestServer",
            "TestSupport",
            "SystemPackage",
        ]),
    tests(
        "WanderTests",
        uses: [
            "BoxFormat", "wander", "EnvFile", "JSON", "LinuxSystem", "NetworkAddress", "Provider", "Reporting", "SSH",
            "SSHTestServer", "TestSupport", "ArgumentParser", "SystemPackage",
        ]),
]

let package = Package(
    name: "wander",
    products: [
        // One product an executable; `make` chooses how each is linked.
        .executable(name: "wander", targets: ["wander"]),
        .executable(name: "wander-log", targets: ["wander-log"]),
        .executable(name: "wander-net", targets: ["wander-net"]),
        .executable(name: "wander-share", targets: ["wander-share"]),
        .executable(name: "wander-vmm", targets: ["wander-vmm"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: cModules + ground + disk + devices + monitor + network + guest + imports + product + benchmarks
        + testSupport
        + groundTests + diskTests + deviceTests + monitorTests + networkTests + guestTests + importTests + productTests
)

/// How strictly a target is checked.
enum Strictness {
    case common
    /// For targets that hold pointers into memory that others write to: every such expression is marked `unsafe`.
    case memory

    /// A warning is an error; a public import must be written as one.
    var settings: [SwiftSetting] {
        let common: [SwiftSetting] = [
            .swiftLanguageMode(.v6),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
        return self == .memory ? common + [.strictMemorySafety()] : common
    }
}

func systemLibrary(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/\(name)") }

func library(
    _ name: String, in group: String = "", uses: [String] = [], _ strictness: Strictness = .common,
    embedding: [String] = [], links: [LinkerSetting] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies(uses), path: folder("Sources", group, name),
        exclude: ["Overview.md"], resources: embedding.map { .embedInCode($0) },
        swiftSettings: strictness.settings, linkerSettings: links)
}

func program(
    _ name: String, in group: String = "", uses: [String], _ strictness: Strictness = .common
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies(uses), path: folder("Sources", group, name),
        exclude: ["Overview.md"], swiftSettings: strictness.settings)
}

func benchmark(_ name: String, at place: String, uses: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies(uses), path: "Benchmarks/\(place)",
        swiftSettings: Strictness.common.settings)
}

func tests(_ name: String, in group: String = "", uses: [String], excluding: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies(uses), path: folder("Tests", group, name), exclude: excluding,
        swiftSettings: Strictness.common.settings)
}

func support(_ name: String, uses: [String]) -> Target {
    .target(
        name: name, dependencies: dependencies(uses), path: "Tests/Support/\(name)",
        swiftSettings: Strictness.common.settings)
}

func folder(_ parts: String...) -> String { parts.filter { !$0.isEmpty }.joined(separator: "/") }

func dependencies(_ names: [String]) -> [Target.Dependency] {
    names.map { name in
        switch name {
        case "ArgumentParser": .product(name: name, package: "swift-argument-parser")
        case "SystemPackage": .product(name: name, package: "swift-system")
        default: .target(name: name)
        }
    }
}
