import BoxFormat
public import JSON
import NetworkAddress

extension MachineRecord {
    static let schema: Int64 = 3

    /// What a reader must know: one that does not know of layers would start the machine from half its disk, and one
    /// that does not know of several disks would leave some out.
    private var neededSchema: Int64 {
        if diskCount > 1 { return 3 }
        return layers.isEmpty && snapshots.isEmpty && !needsLayer ? 1 : 2
    }

    public var json: JSONValue {
        [
            "schema": .integer(neededSchema),
            "identifier": .string(identifier),
            "name": .string(name),
            "provider": .string(provider.rawValue),
            "stage": .string(stage.rawValue),
            "created": .integer(created),
            "changed": .integer(changed),
            "box": [
                "name": .string(box.name), "version": .string(box.version), "architecture": .string(box.architecture),
                "digest": .optional(box.digest), "disk": .optional(box.disk),
            ],
            "hardwareAddress": .string(hardwareAddress.description),
            "user": .string(user),
            "disks": .integer(Int64(diskCount)),
            "seed": .optional(seed?.rawValue),
            "initialized": .bool(isInitialized),
            "surroundings": .optional(surroundings),
            "definition": definition ?? .null,
            "start": .optional(start),
            "process": process.map { ["identifier": .integer(Int64($0.identifier)), "started": .string($0.started)] }
                ?? .null,
            "ready": .bool(isReady),
            "ownKey": .bool(hasOwnKey),
            "hostKey": .optional(hostKey),
            "forwards": .array(forwards.map(\.json)),
            "internet": internet.map { .bool($0) } ?? .null,
            "subnet": .optional(subnet),
            "shares": .array(shares.map(\.json)),
            "sharesMounted": .bool(hasMountedShares),
            "shareLines": .bool(hasShareLines),
            "provisioning": provisioning,
            "layers": .strings(layers),
            "needsLayer": .bool(needsLayer),
            "snapshots": .array(snapshots.map(\.json)),
        ]
    }

    /// - Throws: ``JSONError``, or ``ProviderError/newerState(schema:)`` for a record that a later wander wrote.
    public init(_ value: JSONValue, path: String) throws {
        let reader = try JSONObjectReader(value, path: path)
        let schema = try reader.integer("schema")
        guard schema <= Self.schema else { throw ProviderError.newerState(path: path, schema: schema) }
        guard let box = try reader.object("box") else { throw JSONError.missing("\(path): box") }
        func choice<Choice: RawRepresentable<String>>(_ member: String) throws -> Choice {
            let text = try reader.string(member)
            guard let choice = Choice(rawValue: text) else {
                throw JSONError.wrongType("\(path): \(member)", expected: "a known word, not '\(text)'")
            }
            return choice
        }
        guard let address = MACAddress(try reader.string("hardwareAddress")) else {
            throw JSONError.wrongType("\(path): hardwareAddress", expected: "an Ethernet address")
        }
        let diskCount = reader.has("disks") ? try reader.integer("disks") : 1
        guard (1...Int64(Box.diskLimit)).contains(diskCount) else {
            throw JSONError.wrongType("\(path): disks", expected: "a count of disks")
        }
        var process: ProcessIdentity?
        if let running = try reader.object("process") {
            guard let identifier = Int32(exactly: try running.integer("identifier")), identifier > 1 else {
                throw JSONError.wrongType("\(path): process: identifier", expected: "a process number")
            }
            process = ProcessIdentity(identifier: identifier, started: try running.string("started"))
        }
        self.init(
            identifier: try reader.string("identifier"), name: try reader.string("name"),
            provider: try choice("provider"), stage: try choice("stage"), created: try reader.integer("created"),
            changed: try reader.integer("changed"),
            box: OriginBox(
                name: try box.string("name"), version: try box.string("version"),
                architecture: try box.string("architecture"), digest: try box.optionalString("digest"),
                disk: try box.optionalString("disk")),
            hardwareAddress: address, user: try reader.string("user"), diskCount: Int(diskCount),
            seed: reader.has("seed") ? try choice("seed") : nil,
            surroundings: try reader.optionalString("surroundings"),
            isInitialized: try reader.bool("initialized", default: false),
            definition: value["definition"].flatMap { $0.isNull ? Optional.none : $0 },
            start: try reader.optionalString("start"), process: process,
            isReady: try reader.bool("ready", default: false), hasOwnKey: try reader.bool("ownKey", default: false),
            hostKey: try reader.optionalString("hostKey"),
            forwards: try reader.array("forwards").map { try Forward($0, path: "\(path): forwards") },
            internet: reader.has("internet") ? try reader.bool("internet", default: true) : nil,
            subnet: try reader.optionalString("subnet"),
            shares: try reader.array("shares").map { try MachineShare($0, path: "\(path): shares") },
            hasMountedShares: try reader.bool("sharesMounted", default: false),
            hasShareLines: try reader.bool("shareLines", default: false),
            provisioning: value["provisioning"] ?? .array([]),
            layers: try MachineSnapshot.layerNames(reader, "layers", path: path),
            needsLayer: try reader.bool("needsLayer", default: false),
            snapshots: try reader.array("snapshots").map { try MachineSnapshot($0, path: "\(path): snapshots") })
    }
}

extension MachineRecord.Forward {
    var json: JSONValue {
        [
            "name": .optional(name), "transport": .string(transport.rawValue), "bind": .string(bind),
            "host": .integer(Int64(hostPort)), "guest": .integer(Int64(guestPort)),
        ]
    }

    init(_ value: JSONValue, path: String) throws {
        let reader = try JSONObjectReader(value, path: path)
        func port(_ member: String) throws -> UInt16 {
            guard let port = UInt16(exactly: try reader.integer(member)) else {
                throw JSONError.wrongType("\(path): \(member)", expected: "a port number")
            }
            return port
        }
        guard let transport = Transport(rawValue: try reader.string("transport")) else {
            throw JSONError.wrongType("\(path): transport", expected: "\"tcp\" or \"udp\"")
        }
        self.init(
            name: try reader.optionalString("name"), transport: transport,
            bind: try reader.string("bind"), hostPort: try port("host"), guestPort: try port("guest"))
    }
}
