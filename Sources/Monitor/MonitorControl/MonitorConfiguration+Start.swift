import JSON
import SystemPackage

extension MonitorConfiguration.Start {
    var json: JSONValue {
        switch self {
        case .kernel(let kernel):
            [
                "kernel": .string(kernel.path.string), "initrd": .optional(kernel.initialRAMDisk?.string),
                "commandLine": .string(kernel.commandLine), "cache": .optional(kernel.cache?.string),
            ]
        case .firmware(let path): ["firmware": .string(path.string)]
        }
    }

    init(_ json: JSONValue) throws {
        let reader = try JSONObjectReader(json, path: "start")
        if let firmware = try reader.optionalString("firmware") {
            try Self.check(json, members: ["firmware"])
            self = .firmware(FilePath(firmware))
        } else {
            try Self.check(json, members: ["kernel", "initrd", "commandLine", "cache"])
            let kernel = MonitorConfiguration.Kernel(
                FilePath(try reader.string("kernel")),
                initialRAMDisk: try reader.optionalString("initrd").map { FilePath($0) },
                commandLine: try reader.string("commandLine"),
                cache: try reader.optionalString("cache").map { FilePath($0) })
            guard !kernel.commandLine.utf8.contains(0) else {
                throw ConfigurationError.outOfRange("start: commandLine", "text without a zero byte")
            }
            self = .kernel(kernel)
        }
    }

    private static func check(_ json: JSONValue, members: Set<String>) throws {
        for member in json.objectValue ?? [] where !members.contains(member.name) {
            throw ConfigurationError.unknownMember("start: \(member.name)")
        }
    }
}
