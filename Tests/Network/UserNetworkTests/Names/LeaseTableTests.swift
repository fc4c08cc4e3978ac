import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// The file of addresses, when it is not as it should be.
@Suite struct LeaseTableTests {
    private let test: TestNetwork
    private var file: FilePath { test.network.configuration.leaseFile }

    init() throws { test = try TestNetwork(persistent: true) }

    private func machine(_ name: String, _ number: Int) throws -> MachineAttachment {
        var machine = try test.attachment(name, number)
        machine.address = nil
        return machine
    }

    private func table() -> LeaseTable { LeaseTable(file: file, subnet: test.network.configuration.subnet) }

    private func write(_ addresses: String, schema: Int = 1) throws {
        try AtomicFile.write("{\"schema\": \(schema), \"addresses\": {\(addresses)}}", to: file)
    }

    /// A link to itself is there and cannot be read, by nobody.
    private func makeUnreadable() throws {
        try FileSystem.remove(file)
        #expect(symlink(file.string, file.string) == 0)
    }

    private var log: [Substring] {
        get throws {
            let bytes = try FileSystem.read(NetworkConfiguration.logFile(in: test.folder))
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                .filter { $0.contains(file.string) }
        }
    }

    @Test("a file that cannot be read is left alone; machines get addresses, and the log says it once")
    func unreadable() throws {
        try makeUnreadable()
        var table = self.table()
        let first = try table.address(for: try machine("web", 1), taken: [])
        #expect(try table.address(for: try machine("web", 1), taken: []) == first)
        #expect(try table.address(for: try machine("db", 2), taken: [first]) != first)
        #expect(try FileSystem.status(file, followLinks: false)?.kind == .symbolicLink)
        #expect(table.takeNotes().count == 1)
        _ = try table.address(for: try machine("cache", 3), taken: [first])
        #expect(table.takeNotes().isEmpty)
    }

    @Test("what it says counts as soon as it can be read, but for what was given meanwhile") func readLater() throws {
        try makeUnreadable()
        var table = self.table()
        let given = try table.address(for: try machine("web", 1), taken: [])
        try FileSystem.remove(file)
        try write("\"web\": \"10.77.0.90\", \"db\": \"10.77.0.91\", \"cache\": \"\(given)\"")
        #expect(try table.address(for: try machine("db", 2), taken: [given]).description == "10.77.0.91")
        #expect(try table.address(for: try machine("web", 1), taken: []) == given)
        #expect(try table.address(for: try machine("cache", 3), taken: [given]) != given)
        var again = self.table()
        #expect(try again.address(for: try machine("web", 1), taken: []) == given)
        #expect(try again.address(for: try machine("db", 2), taken: []).description == "10.77.0.91")
    }

    @Test("a file of another version is left alone, a damaged one replaced; both are said") func unusable() throws {
        try write("\"web\": \"10.77.0.90\"", schema: 2)
        let before = try FileSystem.read(file)
        var table = self.table()
        _ = try table.address(for: try machine("web", 1), taken: [])
        #expect(try FileSystem.read(file) == before)
        #expect(table.takeNotes().count == 1)
        try AtomicFile.write("{\"schema\": 1, \"addr", to: file)
        table = self.table()
        let address = try table.address(for: try machine("web", 1), taken: [])
        #expect(table.takeNotes().count == 1)
        table = self.table()
        #expect(table.takeNotes().isEmpty)
        #expect(try table.address(for: try machine("web", 1), taken: []) == address)
    }

    @Test("the network's log names the file and the reason, and the network goes on") func logged() throws {
        try makeUnreadable()
        let other = try Network(
            test.network.configuration, resolvers: ResolverConfiguration(servers: []), persistent: true)
        defer { other.close() }
        for number in 1...3 { _ = try other.add(try machine("m\(number)", number)) }
        #expect(try log.count == 1)
        #expect(try log[0].contains("cannot read"))
    }
}
