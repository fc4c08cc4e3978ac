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
}
