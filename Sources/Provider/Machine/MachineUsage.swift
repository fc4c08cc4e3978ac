public import JSON
import LinuxSystem
import SystemPackage

/// The data that a running machine has moved and the memory that it takes, measured when asked. What is not known is
/// nil or not listed.
public struct MachineUsage: Equatable, Sendable {
    /// Bytes since the machine's process started.
    public struct Disk: Equatable, Sendable {
        public var name: String
        public var readBytes: UInt64
        public var writtenBytes: UInt64
    }
    public struct Network: Equatable, Sendable {
        public var name: String
        /// Bytes that the guest received.
        public var receivedBytes: UInt64
        public var sentBytes: UInt64
    }
    /// In bytes.
    public struct Memory: Equatable, Sendable {
        /// The host memory that the machine's process takes now, the guest's included.
        public var resident: UInt64?
        /// The guest's memory by its own account, and how much of it its programs could still get.
        public var guestTotal: UInt64?
        public var guestAvailable: UInt64?
        /// What the guest gave back to the host since the start; the same page may count several times.
        public var givenBack: UInt64?
    }

    public var disks: [Disk] = []
    public var networks: [Network] = []
    public var memory = Memory()
    /// Devices that do nothing until the guest resets them, because its driver broke their rules.
    public var stoppedDevices: [String] = []

    public init() {}

    public var json: JSONValue {
        [
            "disks": .array(
                disks.map {
                    [
                        "name": .string($0.name), "readBytes": .size($0.readBytes),
                        "writtenBytes": .size($0.writtenBytes),
                    ]
                }),
            "networks": .array(
                networks.map {
                    [
                        "name": .string($0.name), "receivedBytes": .size($0.receivedBytes),
                        "sentBytes": .size($0.sentBytes),
                    ]
                }),
            "memory": [
                "residentBytes": Self.json(memory.resident), "guestTotalBytes": Self.json(memory.guestTotal),
                "guestAvailableBytes": Self.json(memory.guestAvailable),
                "givenBackBytes": Self.json(memory.givenBack),
            ],
            "stoppedDevices": .strings(stoppedDevices),
        ]
    }

    private static func json(_ count: UInt64?) -> JSONValue { count.map { .size($0) } ?? .null }
}

extension MachineUsage {
    /// Reads a monitor's reply to ``MonitorRequest/statistics``.
    /// - Parameter reportAgeLimit: What the guest said about its memory longer ago than this is left out, in
    ///   milliseconds.
    init(monitorStatistics reply: JSONValue, reportAgeLimit: UInt64 = 2_000) {
        for device in reply["devices"]?.arrayValue ?? [] {
            guard let name = device["name"]?.stringValue, let counters = device["counters"] else { continue }
            func count(_ name: String) -> UInt64? { counters[name]?.integerValue.flatMap { UInt64(exactly: $0) } }
            if device["stopped"]?.boolValue == true { stoppedDevices.append(name) }
            switch device["kind"]?.stringValue {
            case "block":
                guard let read = count("readBytes"), let written = count("writtenBytes") else { continue }
                disks.append(Disk(name: name, readBytes: read, writtenBytes: written))
            case "network":
                guard let received = count("receivedBytes"), let sent = count("sentBytes") else { continue }
                networks.append(Network(name: name, receivedBytes: received, sentBytes: sent))
            case "balloon":
                memory.givenBack = count("discardedBytes")
                guard let age = count("reportAgeMilliseconds"), age <= reportAgeLimit else { continue }
                memory.guestTotal = count("guestTotalBytes")
                memory.guestAvailable = count("guestAvailableBytes")
            default: break
            }
        }
    }

    /// Reads QEMU's reply to `query-blockstats`: its disks in their order. It counts nothing else.
    init(blockStatistics reply: JSONValue) {
        for entry in reply.arrayValue ?? [] {
            guard let read = entry["stats"]?["rd_bytes"]?.integerValue.flatMap({ UInt64(exactly: $0) }),
                let written = entry["stats"]?["wr_bytes"]?.integerValue.flatMap({ UInt64(exactly: $0) })
            else { continue }
            disks.append(Disk(name: "disk\(disks.count)", readBytes: read, writtenBytes: written))
        }
    }
}

extension MachineRecord.ProcessIdentity {
    /// How much of the host's memory the process has now, in bytes (proc(5), `statm`); nil if it is gone.
    var residentBytes: UInt64? {
        guard isAlive,
            let bytes = try? FileSystem.read(FilePath("/proc/\(identifier)/statm"), limit: 4096)
        else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return nil }
        return pages.multipliedReportingOverflow(by: 4096).partialValue
    }
}

extension Machine {
    /// What a running machine uses; nil if it does not run or does not answer within two seconds.
    public func usage() -> MachineUsage? {
        guard let record = try? runningRecord(), let control = try? provider(record.provider).control(folder),
            var usage = try? control.usage
        else { return nil }
        usage.memory.resident = record.process?.residentBytes
        return usage
    }
}
