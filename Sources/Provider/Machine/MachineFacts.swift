import EnvFile
public import JSON
import LinuxSystem
import NetworkAddress
public import NetworkControl

/// What a machine is made of and where to reach it: as it was started or, while it does not run, as it will be started.
public struct MachineFacts: Sendable {
    public var processors: Int?
    /// In bytes.
    public var memory: UInt64?
    public var hostName: String?
    /// The address in the environment's network; known while the network runs.
    public var address: String?
    public var forwards: [MachineRecord.Forward] = []
    /// How its guest was started, as ``MachineRecord/start`` has it.
    public var start: String?
    /// How long its process has run, in seconds.
    public var uptime: Int64?

    public var members: [JSONMember] {
        [
            JSONMember("cpus", processors.map { .integer(Int64($0)) } ?? .null),
            JSONMember("memoryBytes", memory.map { .size($0) } ?? .null), JSONMember("hostname", .optional(hostName)),
            JSONMember("address", .optional(address)),
            JSONMember("uptimeSeconds", uptime.map { .integer($0) } ?? .null),
            JSONMember("forwards", .array(forwards.map(\.publicJSON))),
        ]
    }
}

extension MachineRecord.Forward {
    /// The form for programs.
    public var publicJSON: JSONValue {
        [
            "name": .optional(name), "protocol": .string(transport.rawValue), "bind": .string(bind),
            "host": .integer(Int64(hostPort)), "guest": .integer(Int64(guestPort)),
        ]
    }

    /// The forward as a Wanderfile writes it: `8080:80`, with everything that differs from the defaults.
    public var text: String {
        (bind == "127.0.0.1" ? "" : "\(bind):") + "\(hostPort):\(guestPort)" + (transport == .udp ? "/udp" : "")
    }
}

extension Machine {
    /// - Parameter network: What the environment's network reports, if it runs.
    public func facts(_ report: MachineReport, network: NetworkStatus?) -> MachineFacts {
        var facts = MachineFacts()
        let isAlive = [.running, .paused, .starting].contains(report.state)
        let started = isAlive ? report.record?.definition : nil
        facts.processors = started?["cpus"]?.integerValue.flatMap { Int(exactly: $0) } ?? definition?.cpus
        facts.memory = started?["memory"]?.stringValue.flatMap { UInt64(sizeText: $0) } ?? definition?.memory
        facts.hostName = started?["hostname"]?.stringValue ?? definition?.hostname
        guard isAlive, let record = report.record else { return facts }
        facts.address = network?.machine(name)?.address.description
        facts.forwards = record.forwards
        facts.start = record.start
        facts.uptime = record.process?.uptime
        return facts
    }
}

extension MachineRecord.ProcessIdentity {
    /// How long the process has run, in seconds; nil if it is gone.
    var uptime: Int64? {
        // proc(5): in ticks since the host was started, of which all of Linux's ABI on x86 has 100 a second.
        guard isAlive, let ticks = Int64(started) else { return nil }
        return max(0, secondsSinceBoot() - ticks / 100)
    }
}

extension Project {
    /// What the environment's network reports; nil if it does not run, or does not answer.
    public func networkStatus() -> NetworkStatus? {
        guard (try? network.isRunning) == true else { return nil }
        return try? network.status()
    }
}
