import JSON

/// A machine's disk at an instant, with a name and what wander knew of the machine then.
public struct MachineSnapshot: Sendable, Hashable {
    public var name: String
    /// Seconds since 1970.
    public var created: Int64
    /// Whether `push` made it: such snapshots are a stack, which `pop` takes from.
    public var isPushed: Bool
    /// The frozen layers that make up the disk over the box, the uppermost first: see ``MachineFolder/layer(_:)``.
    public var layers: [String]
    /// What of the record belongs to the disk: another disk has seen other steps, and may know another key.
    var provisioning: JSONValue
    var hasOwnKey: Bool
    var hostKey: String?
    var hasShareLines: Bool
    /// What its guest was told of its surroundings.
    var surroundings: String?

    init(_ name: String, of record: MachineRecord, layers: [String], created: Int64, isPushed: Bool) {
        self.name = name
        self.layers = layers
        self.created = created
        self.isPushed = isPushed
        provisioning = record.provisioning
        hasOwnKey = record.hasOwnKey
        hostKey = record.hostKey
        hasShareLines = record.hasShareLines
        surroundings = record.surroundings
    }

    var json: JSONValue {
        [
            "name": .string(name), "created": .integer(created), "pushed": .bool(isPushed),
            "layers": .strings(layers), "provisioning": provisioning, "ownKey": .bool(hasOwnKey),
            "hostKey": .optional(hostKey), "shareLines": .bool(hasShareLines),
            "surroundings": .optional(surroundings),
        ]
    }

    init(_ value: JSONValue, path: String) throws {
        let reader = try JSONObjectReader(value, path: path)
        name = try reader.string("name")
        created = try reader.integer("created")
        isPushed = try reader.bool("pushed", default: false)
        layers = try Self.layerNames(reader, "layers", path: path)
        provisioning = value["provisioning"] ?? .array([])
        hasOwnKey = try reader.bool("ownKey", default: false)
        hostKey = try reader.optionalString("hostKey")
        hasShareLines = try reader.bool("shareLines", default: false)
        surroundings = try reader.optionalString("surroundings")
    }

    /// Names of layers: nothing that leads out of their folder.
    static func layerNames(_ reader: JSONObjectReader, _ member: String, path: String) throws -> [String] {
        try reader.array(member).map { value in
            guard let name = value.stringValue, !name.isEmpty,
                name.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || 97...122 ~= $0 })
            else { throw JSONError.wrongType("\(path): \(member)", expected: "names of layers") }
            return name
        }
    }

    /// - Throws: ``SnapshotError/badName(_:)``
    static func check(_ name: String) throws(SnapshotError) {
        let first = name.unicodeScalars.first.map {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))
        }
        let others = name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0))
        }
        guard first == true, others, name.utf8.count <= 64 else { throw .badName(name) }
    }
}
