import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// What of cloud-init's goes out of a box's disk, in folders of the test's own.
@Suite struct CloudInitResetTests {
    static let shells = ["dash", "bash --posix", "busybox sh"]
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in [
            "var/lib/cloud/instances/i 1/user-data.txt", "var/lib/cloud/instances/i 1/sem/config",
            "var/lib/cloud/data/x",
            "var/lib/cloud/seed/nocloud/meta-data", "var/lib/cloud/sem/once", "var/lib/cloud/scripts/per-boot/image",
            "var/log/cloud-init.log", "var/log/cloud-init-output.log", "var/log/other.log",
        ] { _ = try folder.file(name, Array("tr0ub4dor".utf8)) }
        #expect(symlink("instances/i 1", folder("var/lib/cloud/instance").string) == 0)
        _ = try folder.file("etc/netplan/50-cloud-init.yaml", Array("# generated from the datasource\n".utf8))
        _ = try folder.file("etc/systemd/network/10-cloud-init-own.network", Array("[Match]\n".utf8))
    }

    private func run(_ shell: String, cloud: Bool, list: Bool = false) throws -> [String] {
        let script = """
            list=\(list ? "yes" : "") cloud=\(cloud ? "yes" : "") user=x
            \(PreparationScript.tools)
            \(PreparationScript.cloudInit)
            reset_cloud_init "$1"
            remove_wiped
            printf '%s' "$report"
            """
        let words = shell.split(separator: " ").map(String.init)
        let result = try ChildProcess.run(words + ["-c", script, "sh", folder.path.string])
        #expect(result.outcome.isSuccess && result.error.isEmpty, "\(String(decoding: result.error, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func files() throws -> Set<String> {
        let found = try ChildProcess.run(["find", folder.path.string, "-not", "-type", "d", "-printf", "%P\n"])
        return Set(String(decoding: found.output, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    private static let image: Set = ["var/lib/cloud/scripts/per-boot/image", "var/log/other.log"]
    private static let network = "etc/netplan/50-cloud-init.yaml"
    private static let own = "etc/systemd/network/10-cloud-init-own.network"

    @Test("the instance goes, with its network, and what is the image's own stays", arguments: shells)
    func cloud(_ shell: String) throws {
        #expect(
            try run(shell, cloud: true) == [
                "trace cloud-init's state in \(folder("var/lib/cloud"))", "trace \(folder(Self.network))",
            ])
        #expect(try files() == Self.image.union([Self.own]))
    }

    @Test("a box without a seed keeps its network", arguments: shells)
    func other(_ shell: String) throws {
        #expect(try run(shell, cloud: false) == ["trace cloud-init's state in \(folder("var/lib/cloud"))"])
        #expect(try files() == Self.image.union([Self.own, Self.network]))
    }

    @Test("looking changes nothing", arguments: shells)
    func list(_ shell: String) throws {
        let before = try files()
        #expect(try run(shell, cloud: true, list: true).count == 2)
        #expect(try files() == before)
    }
}
