// swift-tools-version: 6.2
import PackageDescription

// Settings that every Swift target shares. A warning is an error; a public import must be written as one.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
// For targets that hold pointers into memory that somebody else writes to: every such expression is marked `unsafe`.
let memory = common + [.strictMemorySafety()]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

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
    targets: [
        // What the kernel and C offer that Swift cannot import by itself.
        .target(name: "CLinux"),

        // The ground: each of these may be used by every target above it.
        .target(name: "Reporting", swiftSettings: common),
        .target(name: "JSON", dependencies: ["Reporting"], swiftSettings: common),
        .target(name: "LinuxSystem", dependencies: ["CLinux", "Reporting", systemPackage], swiftSettings: memory),

        // Addresses, ports and frames, which the Wanderfile, the network and its devices speak of alike.
        .target(name: "NetworkAddress", swiftSettings: common),

        // Disk images. The libraries are static: wander-vmm is one file.
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CZstd"),
        .target(
            name: "DiskImage",
            dependencies: ["CLinux", "CZlib", "CZstd", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: memory, linkerSettings: [.linkedLibrary(":libz.a"), .linkedLibrary(":libzstd.a")]),

        // Boxes. libarchive is static and its formats are named in the code, so what it needs for others is not linked.
        .systemLibrary(name: "CLibArchive"),
        .systemLibrary(name: "CLibCrypto"),
        .target(
            name: "Digest", dependencies: ["CLibCrypto"], swiftSettings: memory,
            linkerSettings: [.linkedLibrary(":libcrypto.a")]),
        .target(
            name: "BoxFormat",
            dependencies: [
                "CLibArchive", "CLinux", "CZlib", "CZstd", "Digest", "DiskImage", "JSON", "LinuxSystem", "Reporting",
                systemPackage,
            ],
            swiftSettings: memory,
            linkerSettings: [
                // As flags, not as linked libraries: of those SwiftPM keeps only the first place of each, which may
                // come before libarchive, and the linker looks into an archive only once.
                .unsafeFlags([
                    "-Xlinker", "--start-group", "-l:libarchive.a", "-l:libzstd.a", "-l:liblzma.a", "-l:libbz2.a",
                    "-l:libz.a",
                    "-Xlinker", "--end-group",
                ])
            ]),

        // The Wanderfile: layers, schema, definitions. libyaml is static.
        .systemLibrary(name: "CLibYAML"),
        .target(
            name: "EnvFile",
            dependencies: ["CLibYAML", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", systemPackage],
            swiftSettings: common, linkerSettings: [.linkedLibrary(":libyaml.a")]),

        // The life of machines.
        .target(
            name: "Provider",
            dependencies: [
                "BoxFormat", "CLinux", "Digest", "DiskImage", "EnvFile", "JSON", "KVM", "LinuxSystem",
                "MonitorControl", "NetworkAddress", "NetworkControl", "Provisioning", "Reporting", "SSH", systemPackage,
            ],
            swiftSettings: common),

        // The command line.
        .executableTarget(
            name: "wander",
            dependencies: [
                "BoxFormat", "Digest", "DiskImage", "EnvFile", "JSON", "LinuxSystem", "NetworkAddress",
                "NetworkControl",
                "Provider",
                "Reporting", "SSH", argumentParser, systemPackage,
            ],
            swiftSettings: common),

        // The guest's side of the machine. None of these knows KVM.
        .target(
            name: "GuestMemory", dependencies: ["CLinux", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: memory),
        .target(name: "PCI", swiftSettings: memory),
        // A folder of the host, served to a guest. Knows no device.
        .target(name: "FUSE", dependencies: ["CLinux", "LinuxSystem", systemPackage], swiftSettings: memory),
        .target(
            name: "Virtio",
            dependencies: [
                "CLinux", "DiskImage", "FUSE", "GuestMemory", "LinuxSystem", "NetworkAddress", "PCI", systemPackage,
            ],
            swiftSettings: memory),

        // Devices for a monitor in another process, and the process that serves QEMU a folder.
        .target(
            name: "VhostUser",
            dependencies: ["CLinux", "GuestMemory", "LinuxSystem", "Reporting", "Virtio", systemPackage],
            swiftSettings: memory),
        .executableTarget(
            name: "wander-share",
            dependencies: ["CLinux", "LinuxSystem", "Reporting", "VhostUser", "Virtio", systemPackage],
            swiftSettings: common),

        // What QEMU and its guest print, written down within bounds.
        .executableTarget(
            name: "wander-log", dependencies: ["CLinux", "LinuxSystem", systemPackage], swiftSettings: common),

        // The host's side of the machine.
        .target(name: "CKVM"),
        .target(
            name: "KVM", dependencies: ["CKVM", "CLinux", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: memory),

        // How a guest starts: kernels, firmware tables, start state. As data, so that it needs no machine.
        .systemLibrary(name: "CLZ4"),
        .systemLibrary(name: "CLZMA"),
        .target(
            name: "Boot",
            dependencies: ["CLZ4", "CLZMA", "CLinux", "CZlib", "CZstd", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: memory,
            linkerSettings: [
                .linkedLibrary(":liblz4.a"), .linkedLibrary(":liblzma.a"), .linkedLibrary(":libz.a"),
                .linkedLibrary(":libzstd.a"),
            ]),

        // The machine, and the process that runs one.
        .target(
            name: "VMM",
            dependencies: [
                "Boot", "CLinux", "GuestMemory", "KVM", "LinuxSystem", "PCI", "Reporting", "Virtio", systemPackage,
            ], swiftSettings: memory),
        .executableTarget(
            name: "wander-vmm",
            dependencies: [
                "Boot", "DiskImage", "JSON", "LinuxSystem", "MonitorControl", "Reporting", "VMM", "Virtio",
                systemPackage,
            ], swiftSettings: common),

        // What passes between a monitor and whoever started it.
        .target(
            name: "MonitorControl", dependencies: ["JSON", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: common),

        // Guests are reached by SSH; libssh2 and its libcrypto are static.
        .systemLibrary(name: "CLibSSH2"),
        .target(
            name: "SSH", dependencies: ["CLibSSH2", "CLinux", "LinuxSystem", "Reporting", systemPackage],
            swiftSettings: common,
            linkerSettings: [.linkedLibrary(":libssh2.a"), .linkedLibrary(":libcrypto.a"), .linkedLibrary(":libz.a")]),

        // The network of an environment. libslirp is only dynamic, and in a process of its own.
        .systemLibrary(name: "CLibSlirp"),
        .target(
            name: "NetworkControl",
            dependencies: ["JSON", "LinuxSystem", "NetworkAddress", "Reporting", systemPackage],
            swiftSettings: common),
        .target(
            name: "UserNetwork",
            dependencies: [
                "CLibSlirp", "CLinux", "JSON", "LinuxSystem", "NetworkAddress", "NetworkControl", "Reporting",
                systemPackage,
            ],
            // What libslirp logs with; its own dependency.
            swiftSettings: memory, linkerSettings: [.linkedLibrary(":libglib-2.0.so.0")]),
        .executableTarget(
            name: "wander-net",
            dependencies: [
                "CLinux", "JSON", "LinuxSystem", "NetworkControl", "Reporting", "UserNetwork", systemPackage,
            ],
            swiftSettings: memory),

        .target(
            name: "Provisioning", dependencies: ["Digest", "JSON", "LinuxSystem", "Reporting", "SSH", systemPackage],
            swiftSettings: common),

        // Benchmarks are run by the scripts beside them.
        .target(name: "CAllocationCount", path: "Benchmarks/CAllocationCount"),
        .executableTarget(
            name: "disk-benchmark", dependencies: ["CAllocationCount", "DiskImage", "LinuxSystem", systemPackage],
            path: "Benchmarks/DiskBenchmark", swiftSettings: common),
        .executableTarget(
            name: "network-benchmark", dependencies: ["LinuxSystem", systemPackage],
            path: "Benchmarks/NetworkBenchmark", swiftSettings: common),
        .target(name: "CQueuePeer", path: "Benchmarks/CQueuePeer"),
        .executableTarget(
            name: "queue-benchmark",
            dependencies: [
                "CAllocationCount", "CQueuePeer", "DiskImage", "GuestMemory", "LinuxSystem", "PCI", "Virtio",
            ],
            path: "Benchmarks/QueueBenchmark", swiftSettings: common),

        // Tests mirror the targets.
        .testTarget(
            name: "EnvFileTests",
            dependencies: [
                "EnvFile", "JSON", "LinuxSystem", "NetworkAddress", "Reporting", "TestSupport", systemPackage,
            ],
            exclude: ["Fixtures"], swiftSettings: common),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting"], swiftSettings: common),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: common),
        .testTarget(
            name: "LinuxSystemTests",
            dependencies: ["CLinux", "LinuxSystem", "Reporting", "TestSupport", systemPackage],
            swiftSettings: common),
        .testTarget(
            name: "WanderLogTests", dependencies: ["LinuxSystem", "TestSupport", "wander-log", systemPackage],
            swiftSettings: common),
        .testTarget(name: "DigestTests", dependencies: ["Digest"], swiftSettings: common),
        .testTarget(
            name: "BoxFormatTests",
            dependencies: [
                "BoxFormat", "Digest", "DiskImage", "JSON", "LinuxSystem", "Reporting", "TestSupport", systemPackage,
            ],
            swiftSettings: common),
        .testTarget(
            name: "GuestMemoryTests", dependencies: ["GuestMemory", "LinuxSystem"], swiftSettings: common),
        .testTarget(name: "BootTests", dependencies: ["Boot", "LinuxSystem", systemPackage], swiftSettings: common),
        .testTarget(
            name: "VMMTests",
            dependencies: [
                "Boot", "CLinux", "GuestMemory", "KVM", "LinuxSystem", "PCI", "VMM", "Virtio", "TestSupport",
                systemPackage,
            ],
            swiftSettings: common),
        .testTarget(
            name: "WanderVMMTests",
            dependencies: ["JSON", "KVM", "LinuxSystem", "MonitorControl", "wander-vmm", "TestSupport", systemPackage],
            swiftSettings: common),
        .testTarget(name: "KVMTests", dependencies: ["KVM", "LinuxSystem", systemPackage], swiftSettings: common),
        .testTarget(
            name: "MonitorControlTests", dependencies: ["MonitorControl", "JSON", "Reporting", systemPackage],
            swiftSettings: common),
        .testTarget(name: "PCITests", dependencies: ["PCI"], swiftSettings: common),
        .testTarget(
            name: "VirtioTests",
            dependencies: [
                "DiskImage", "GuestMemory", "LinuxSystem", "NetworkAddress", "PCI", "Virtio", "TestSupport",
                systemPackage,
            ],
            swiftSettings: common),
        .testTarget(
            name: "VhostUserTests",
            dependencies: [
                "CLinux", "GuestMemory", "LinuxSystem", "TestSupport", "VhostUser", "Virtio", "wander-share",
                systemPackage,
            ], swiftSettings: common),
        .testTarget(
            name: "FUSETests", dependencies: ["CLinux", "FUSE", "LinuxSystem", "TestSupport", systemPackage],
            swiftSettings: common),
        .testTarget(
            name: "DiskImageTests", dependencies: ["DiskImage", "LinuxSystem", "JSON", "TestSupport", systemPackage],
            swiftSettings: common),
        .testTarget(
            name: "ProviderTests",
            dependencies: [
                "BoxFormat", "Digest", "DiskImage", "EnvFile", "JSON", "LinuxSystem", "NetworkAddress",
                "NetworkControl", "Provider", "Provisioning", "Reporting", "SSH", "SSHTestServer", "TestSupport",
                systemPackage,
            ],
            swiftSettings: common),
        .testTarget(
            name: "WanderTests",
            dependencies: [
                "BoxFormat", "wander", "EnvFile", "JSON", "LinuxSystem", "Provider", "Reporting", "SSH",
                "SSHTestServer", "TestSupport", argumentParser, systemPackage,
            ],
            swiftSettings: common),
        // What the tests of several targets need: folders of their own, numbers from a seed, guests of a few
        // instructions.
        .target(
            name: "TestSupport", dependencies: ["CLinux", "LinuxSystem", systemPackage], path: "Tests/TestSupport",
            swiftSettings: common),
        // Real SSH servers, and what stands for a machine before one.
        .target(
            name: "SSHTestServer", dependencies: ["LinuxSystem", "SSH", "TestSupport", systemPackage],
            path: "Tests/SSHTestServer", swiftSettings: common),
        .testTarget(
            name: "SSHTests",
            dependencies: ["SSH", "SSHTestServer", "CLinux", "LinuxSystem", "Reporting", "TestSupport", systemPackage],
            swiftSettings: common),
        .testTarget(
            name: "ProvisioningTests",
            dependencies: [
                "Provisioning", "JSON", "LinuxSystem", "Reporting", "SSH", "SSHTestServer", "TestSupport",
                systemPackage,
            ],
            swiftSettings: common),
        .testTarget(name: "NetworkAddressTests", dependencies: ["NetworkAddress"], swiftSettings: common),
        .testTarget(
            name: "NetworkControlTests",
            dependencies: ["NetworkAddress", "NetworkControl", "JSON", "Reporting", systemPackage],
            swiftSettings: common),
        .testTarget(
            name: "UserNetworkTests",
            dependencies: [
                "UserNetwork", "wander-net", "JSON", "LinuxSystem", "NetworkAddress", "NetworkControl", "Reporting",
                "TestSupport", systemPackage,
            ],
            swiftSettings: common),
    ]
)
