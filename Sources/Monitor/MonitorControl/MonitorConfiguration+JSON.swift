import DiskImage
public import JSON
import NetworkAddress
internal import SystemPackage

extension MonitorConfiguration {
    /// The text that ``init(json:)`` reads.
    public var json: JSONValue {
        var members: [JSONMember] = [
            JSONMember("schema", 1), JSONMember("name", .string(name)), JSONMember("memory", .size(memory)),
            JSONMember("processors", .integer(Int64(processors))), JSONMember("start", start.json),
        ]
        members.append(
            JSONMember(
                "disks",
                .array(
                    disks.map { disk in
                        [
                            "path": .string(disk.image.path.string), "format": .string(disk.image.format.rawValue),
                            "readOnly": .bool(disk.isReadOnly), "serial": .string(disk.serial),
                            "backing": .array(
                                disk.backing.map {
                                    ["path": .string($0.path.string), "format": .string($0.format.rawValue)]
                                }),
                        ]
                    })))
        members.append(
            JSONMember(
                "networks",
                .array(
                    networks.map {
                        [
                            "socket": .string($0.socket.string), "mac": .string($0.address.description),
                            "mtu": .integer(Int64($0.mtu)),
                        ]
                    })))
        members.append(
            JSONMember(
                "shares",
                .array(
                    shares.map {
                        [
                            "tag": .string($0.tag), "path": .string($0.path.string),
                            "readOnly": .bool($0.isReadOnly),
                        ]
                    })))
        members += [
            JSONMember("consoleLog", .optional(consoleLog?.string)), JSONMember("showsConsole", .bool(showsConsole)),
            JSONMember("controlSocket", .optional(controlSocket?.string)),
            JSONMember("endRecord", .optional(endRecord?.string)),
            JSONMember("lockDescriptor", lockDescriptor.map { .integer(Int64($0)) } ?? .null),
            JSONMember("statusDescriptor", statusDescriptor.map { .integer(Int64($0)) } ?? .null),
            JSONMember("entropy", .bool(hasEntropy)), JSONMember("balloon", .bool(hasBalloon)),
            JSONMember("terminal", .bool(hasTerminal)),
        ]
        return .object(members)
    }

    /// Reads and checks a configuration. It refuses unknown members: a monitor must not ignore its instructions.
    public init(json: JSONValue) throws(ConfigurationError) {
        do { self = try Self.decode(json) } catch let error as JSONError { throw .malformed(error.summary) } catch let
            error
            as ConfigurationError
        { throw error } catch { throw .malformed("\(error)") }
    }

    private static let members: Set<String> = [
        "schema", "name", "memory", "processors", "start", "disks", "networks", "consoleLog", "showsConsole",
        "controlSocket",
        "endRecord", "lockDescriptor", "statusDescriptor", "entropy", "balloon",
        "terminal", "shares",
    ]

    private static func decode(_ json: JSONValue) throws -> MonitorConfiguration {
        let reader = try JSONObjectReader(json, path: "configuration")
        let schema = try reader.integer("schema")
        guard schema == 1 else { throw ConfigurationError.unknownSchema(schema) }
        for member in json.objectValue ?? [] where !members.contains(member.name) {
            throw ConfigurationError.unknownMember(member.name)
        }
        let memory = try reader.integer("memory")
        guard memory >= 16 << 20, memory <= 1 << 40, memory % (1 << 20) == 0 else {
            throw ConfigurationError.outOfRange("memory", "a multiple of 1 MiB from 16 MiB to 1 TiB")
        }
        let processors = try reader.integer("processors")
        guard (1...254).contains(processors) else { throw ConfigurationError.outOfRange("processors", "1 to 254") }
        var result = MonitorConfiguration(
            name: try reader.string("name"), memory: UInt64(memory), processors: Int(processors),
            start: try Start(json["start"] ?? .null))
        result.disks = try reader.array("disks").map(disk)
        result.networks = try reader.array("networks").map(network)
        guard result.disks.count <= diskLimit, result.networks.count <= 8 else {
            throw ConfigurationError.outOfRange("disks and networks", "at most \(diskLimit) and 8")
        }
        result.shares = try reader.array("shares").map(share)
        guard result.shares.count <= 16, Set(result.shares.map(\.tag)).count == result.shares.count else {
            throw ConfigurationError.outOfRange("shares", "at most 16, each with a tag of its own")
        }
        result.consoleLog = try path(reader, "consoleLog")
        result.showsConsole = try reader.bool("showsConsole", default: false)
        result.controlSocket = try path(reader, "controlSocket")
        result.endRecord = try path(reader, "endRecord")
        result.lockDescriptor = try descriptor(reader, "lockDescriptor")
        result.statusDescriptor = try descriptor(reader, "statusDescriptor")
        result.hasEntropy = try reader.bool("entropy", default: true)
        result.hasBalloon = try reader.bool("balloon", default: true)
        result.hasTerminal = try reader.bool("terminal", default: true)
        return result
    }

    private static func path(_ reader: JSONObjectReader, _ member: String) throws -> FilePath? {
        try reader.optionalString(member).map { FilePath($0) }
    }

    private static func descriptor(_ reader: JSONObjectReader, _ member: String) throws -> CInt? {
        guard let number = try reader.optionalInteger(member) else { return nil }
        guard (0...65_535).contains(number) else {
            throw ConfigurationError.outOfRange(member, "a descriptor's number")
        }
        return CInt(number)
    }

    private static func image(_ reader: JSONObjectReader) throws -> Image {
        let name = try reader.string("format")
        guard let format = DiskFormat(rawValue: name) else {
            throw ConfigurationError.outOfRange("\(reader.path): format", "raw or qcow2")
        }
        return Image(path: FilePath(try reader.string("path")), format: format)
    }

    private static func disk(_ json: JSONValue) throws -> Disk {
        let reader = try JSONObjectReader(json, path: "disk")
        let serial = try reader.optionalString("serial") ?? ""
        guard serial.utf8.count <= 20 else { throw ConfigurationError.outOfRange("disk: serial", "at most 20 bytes") }
        let backing = try reader.array("backing")
        guard backing.count <= 64 else { throw ConfigurationError.outOfRange("disk: backing", "at most 64 images") }
        return Disk(
            image: try image(reader),
            backing: try backing.map { try image(try JSONObjectReader($0, path: "backing image")) },
            isReadOnly: try reader.bool("readOnly", default: false), serial: serial)
    }

    private static func share(_ json: JSONValue) throws -> Share {
        let reader = try JSONObjectReader(json, path: "share")
        let tag = try reader.string("tag")
        guard (1...36).contains(tag.utf8.count), !tag.utf8.contains(0) else {
            throw ConfigurationError.outOfRange("share: tag", "1 to 36 bytes, none of them zero")
        }
        let folder = try reader.string("path")
        guard !folder.isEmpty, !folder.utf8.contains(0) else {
            throw ConfigurationError.outOfRange("share: path", "a folder's path")
        }
        return Share(tag: tag, path: FilePath(folder), isReadOnly: try reader.bool("readOnly", default: false))
    }

    private static func network(_ json: JSONValue) throws -> Network {
        let reader = try JSONObjectReader(json, path: "network")
        guard let address = MACAddress(try reader.string("mac")), !address.isMulticast else {
            throw ConfigurationError.outOfRange("network: mac", "the address of one station, such as 52:54:00:12:34:56")
        }
        let mtu = try reader.optionalInteger("mtu") ?? 1500
        guard (68...65_535).contains(mtu) else { throw ConfigurationError.outOfRange("network: mtu", "68 to 65535") }
        return Network(socket: FilePath(try reader.string("socket")), address: address, mtu: UInt16(mtu))
    }
}
