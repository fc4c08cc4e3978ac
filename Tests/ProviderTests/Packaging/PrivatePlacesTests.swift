import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// What goes out of a box's disk: each row of the table, as the guest's shell understands it.
@Suite struct PrivatePlacesTests {
    let folder: TemporaryFolder
    let home: FilePath
    init() throws {
        folder = try TemporaryFolder()
        home = folder.path.pushing("home/a user")
        try FileSystem.makeDirectory(home)
    }

    /// A file that a row means, with something in it.
    private func example(of row: PrivatePlaces.Row) throws -> FilePath {
        let text = row.pattern.replacing("*", with: "x")
        let name = text.hasSuffix("/") ? text + "deep er/some *file" : text
        let below = row.scope == .home ? home : folder.path
        return try file(below.pushing(FilePath(String(name.drop { $0 == "/" }))))
    }

    private func file(_ path: FilePath, _ text: String = "tr0ub4dor") throws -> FilePath {
        try FileSystem.makeDirectory(path.removingLastComponent())
        try AtomicFile.write(text, to: path)
        return path
    }

    /// Runs the script's part on the folder, and returns what it reported.
    private func run(_ shell: [String] = ["sh"], list: Bool = false) throws -> [String] {
        let settings = PrivatePlaces.settings.map { "\($0.0)='\($0.1)'\n" }.joined()
        let script = """
            list=\(list ? "yes" : "") user=x
            \(settings)
            \(PreparationScript.tools)
            \(PrivatePlaces.script)
            homes=$1$nl
            wipe_homes
            wipe_system "$2"
            remove_wiped
            printf '%s' "$report"
            """
        let result = try ChildProcess.run(shell + ["-c", script, "sh", home.string, folder.path.string])
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        #expect(result.error.isEmpty, "\(String(decoding: result.error, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("a place of the table is wiped, told by its name, and nothing else is touched", arguments: PrivatePlaces.rows)
    func row(row: PrivatePlaces.Row) throws {
        let found = try example(of: row)
        let kept = try file(home.appending("notes"))
        #expect(try run(list: true) == ["\(row.kind.rawValue) \(found)"])
        #expect(try FileSystem.exists(found))
        #expect(try run() == ["\(row.kind.rawValue) \(found)"])
        #expect(try !FileSystem.exists(found))
        #expect(String(decoding: try FileSystem.read(kept, limit: 100), as: UTF8.self) == "tr0ub4dor")
    }

    @Test("the whole table goes in every shell that a guest may have", arguments: ["dash", "bash", "busybox sh"])
    func shells(shell: String) throws {
        let words = shell.split(separator: " ").map(String.init)
        guard findExecutable(words[0]) != nil else {
            #expect(words[0] != "bash")
            return
        }
        let places = try Set(PrivatePlaces.rows.map { try example(of: $0) })
        let said = try run(words)
        #expect(
            Set(said.map { $0.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" })
                == Set(places.map(\.string)))
        for place in places { #expect(try !FileSystem.exists(place), "\(place)") }
    }

    @Test("private keys are found by what is in them, in folders below .ssh too")
    func keys() throws {
        let keys = [
            try file(home.pushing(".ssh/work"), "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"),
            try file(home.pushing(".ssh/clients/big one/id"), "-----BEGIN RSA PRIVATE KEY-----\nx\n"),
        ]
        let kept = try file(home.pushing(".ssh/known_hosts"), "host ssh-ed25519 AAAA\n")
        #expect(Set(try run()) == Set(keys.map { "secret \($0)" }))
        #expect(try FileSystem.exists(kept))
        for key in keys { #expect(try !FileSystem.exists(key)) }
    }

    @Test("what a link leads to is left, and told")
    func links() throws {
        let target = try file(home.appending("elsewhere"))
        #expect(try ChildProcess.run(["ln", "-s", target.string, home.appending(".netrc").string]).outcome.isSuccess)
        let warning = "warning \(home)/.netrc is a link, and what it leads to was left in the box: \(target)"
        #expect(try run() == [warning])
        #expect(String(decoding: try FileSystem.read(target, limit: 100), as: UTF8.self) == "tr0ub4dor")
    }

    @Test("what a reader of boxes found in them is no longer there")
    func reported() throws {
        let homes = [
            ".config/gcloud/credentials.db", ".azure/msal_token_cache.json", ".aws/sso/cache/0a.json",
            ".aws/cli/cache/0a.json", ".npmrc", ".pypirc", ".my.cnf", ".cargo/credentials", ".cargo/credentials.toml",
            ".gem/credentials", ".m2/settings.xml", ".config/containers/auth.json", ".config/rclone/rclone.conf",
            ".gnupg/private-keys-v1.d/0A.key", ".irb_history", ".pry_history", ".local/share/pry/pry_history",
            ".php_history", ".mongodb/mongosh/mongosh_repl_history", ".local/state/python_history",
            ".local/state/bash/history",
        ]
        let others = [
            "etc/dropbear/initramfs/dropbear_ed25519_host_key", "etc/dropbear-initramfs/dropbear_rsa_host_key",
            "etc/tinyssh/sshkeydir/.ed25519.sk", "etc/wireguard/wg0.conf",
            "etc/NetworkManager/system-connections/home.nmconnection", "var/lib/tailscale/tailscaled.state",
            "boot/loader/random-seed", "boot/efi/loader/random-seed", "efi/loader/random-seed",
        ]
        let places =
            try homes.map { try file(home.pushing(FilePath($0))) }
            + others.map { try file(folder.path.pushing(FilePath($0))) }
        let said = try run()
        for place in places {
            #expect(try !FileSystem.exists(place), "\(place)")
            #expect(said.contains { $0.hasSuffix(" \(place)") }, "\(place)")
        }
    }

    @Test("the private key that Debian's programs share by default is left, and told")
    func sharedKey() throws {
        let key = try file(folder.path.pushing("etc/ssl/private/ssl-cert-snakeoil.key"))
        let said = try run()
        #expect(said.count == 1 && said.first?.hasPrefix("warning \(key) is left: ") == true, "\(said)")
        #expect(try FileSystem.exists(key))
    }

    enum Renewal: CaseIterable, Sendable { case works, fails, isMissing, isNotNeeded, isOnlyListed }

    @Test(
        "an initial RAM disk whose keys go out is made again and handed out, though the kernel is the box's own",
        arguments: Renewal.allCases)
    func initialRAMDisk(renewal: Renewal) throws {
        if renewal != .isNotNeeded {
            _ = try file(folder.path.pushing("etc/dropbear/initramfs/dropbear_ed25519_host_key"))
        }
        let (programs, boot, modules) = (folder("programs"), folder("boot"), folder("modules"))
        try FileSystem.makeDirectory(programs)
        _ = try file(modules.pushing("6.1/modules.dep"))
        _ = try file(boot.appending("vmlinuz-6.1"), "kernel")
        _ = try file(boot.appending("initrd.img-6.1"), "old")
        let exchange = try file(folder("exchange"), "")
        if renewal != .isMissing {
            let end = renewal == .fails ? "exit 1" : "printf new >\(boot)/initrd.img-6.1"
            let program = "#!/bin/sh\necho \"$*\" >\(folder("called"))\n\(end)\n"
            try AtomicFile.write(program, to: programs.appending("update-initramfs"), permissions: 0o755)
        }
        let kernels = PreparationScript.kernels
            .replacing("/boot/", with: "\(boot)/").replacing("ls /boot ", with: "ls \(boot) ")
            .replacing("/lib/modules/", with: "\(modules)/")
        // The test's program alone is found, never this host's own.
        let script = """
            list=\(renewal == .isOnlyListed ? "yes" : "") user=x exchange=$1
            \(PrivatePlaces.settings.map { "\($0.0)='\($0.1)'\n" }.joined())
            \(PreparationScript.tools)
            \(PrivatePlaces.script)
            \(PreparationScript.renewal)
            wipe_system "$2"
            remove_wiped
            path=$PATH
            PATH=$3
            renew_initramfs
            PATH=$path
            kernel_digest=$(printf kernel | sha256sum | cut -d' ' -f1)
            \(kernels)
            printf '%s' "$report"
            """
        let result = try ChildProcess.run(
            ["sh", "-c", script, "sh", exchange.string, folder.path.string, programs.string])
        #expect(result.error.isEmpty, "\(String(decoding: result.error, as: UTF8.self))")
        let said = String(decoding: result.output, as: UTF8.self)
        #expect(said.contains("a provisioner can make some") == (renewal != .isNotNeeded), "\(said)")
        let called = try FileSystem.readIfThere(folder("called")).map { String(decoding: $0, as: UTF8.self) }
        #expect(called == ([.works, .fails].contains(renewal) ? "-u -k all\n" : nil))
        #expect(said.contains("could not be made again") == [.fails, .isMissing].contains(renewal), "\(said)")
        #expect(said.contains("kernel 6.1 6 3 ") == (renewal == .works), "\(said)")
        guard renewal == .works else { return }
        var bytes = [UInt8](repeating: 0, count: 3)
        let file = try OwnedDescriptor.open(exchange, .readOnly)
        let count = try bytes.withUnsafeMutableBytes { buffer in try file.read(into: buffer, at: 130 << 20) }
        #expect(count == 3 && bytes == Array("new".utf8))
    }
}
