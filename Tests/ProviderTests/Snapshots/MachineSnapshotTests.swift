import JSON
import Testing

@testable import Provider

@Suite struct MachineSnapshotTests {
    private func snapshot(_ name: String) -> MachineSnapshot {
        MachineSnapshot(name, of: MachineRecordTests.record(), layers: ["0a", "1b"], created: 2000, isPushed: true)
    }

    @Test("a record with snapshots reads back as it was written, and says that earlier versions cannot read it")
    func roundTrip() throws {
        var record = MachineRecordTests.record()
        #expect(record.json["schema"] == 1)
        record.saved(snapshot("before-upgrade"), freezes: true)
        record.saved(snapshot("push_2000"), freezes: false)
        record.restored(snapshot("before-upgrade"))
        #expect(record.layers == ["0a", "1b"] && record.needsLayer && record.snapshots.count == 2)
        #expect(record.json["schema"] == 2)
        #expect(try MachineRecord(try JSONParser.parse(record.json.pretty), path: "record.json") == record)
    }

    @Test("what belongs to the disk is kept with it")
    func contents() {
        let record = MachineRecordTests.record()
        let saved = snapshot("x")
        #expect(saved.provisioning == record.provisioning)
        #expect(saved.hasOwnKey && saved.hasShareLines && saved.hostKey == record.hostKey)
        // Told of a proxy once, and not any longer: the disk that comes back was told.
        var later = record
        later.adapted(nil)
        later.restored(saved)
        #expect(later.surroundings == "sha")
    }

    @Test("names", arguments: ["a", "9", "before-upgrade", "v1.2_3", String(repeating: "x", count: 64)])
    func goodNames(name: String) throws { try MachineSnapshot.check(name) }

    @Test(
        "what is no name",
        arguments: ["", ".", "-x", "..", "a/b", "a b", "ä", "a\n", "\u{0}", String(repeating: "x", count: 65)])
    func badNames(name: String) {
        #expect(throws: SnapshotError.badName(name)) { try MachineSnapshot.check(name) }
    }

    @Test(
        "layers are joined where nothing tells them apart",
        arguments: [
            ([[]], nil), ([["a"]], nil), ([["a", "b"]], "ab"), ([["a", "b"], ["b"]], nil),
            // Two stand on c; only one on d.
            ([["a", "c", "d"], ["b", "c", "d"]], "cd"), ([["a", "c"], ["b", "c"]], nil),
            ([["a", "b", "c"], ["b", "c"]], "bc"), ([["a", "b", "c"], ["a", "b", "c"], ["c"]], "ab"),
            ([[], ["a", "b"]], "ab"),
        ] as [([[String]], String?)])
    func mergeable(chains: [[String]], expected: String?) {
        #expect(LayerMerge.mergeable(chains).map { $0.upper + $0.lower } == expected)
    }
}
