import ArgumentParser
import JSON
import NetworkAddress
import NetworkControl
import Provider
import Reporting

struct NetStatus: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the network's machines, traffic and forwards.",
        discussion: """
            Frames that a machine sent and that went no further are counted by their reason, such as 'spoofed-address' for a \
            guest that uses an address other than its own.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        guard let status = try project.askNetwork({ try $0.status() }) else {
            let log = NetworkConfiguration.logFile(in: project.layout.network)
            let reason = project.hasRunningMachines ? "see \(log)" : "no machine is up"
            return context.output("The network does not run: \(reason).", json: ["running": false])
        }
        context.output(Self.text(status), json: Self.document(status))
    }

    private static func document(_ status: NetworkStatus) -> JSONValue {
        let members = (status.json.objectValue ?? []).filter { !["ok", "schema"].contains($0.name) }
        return .object([JSONMember("running", true)] + members)
    }

    private static func text(_ status: NetworkStatus) -> String {
        var machines = TextTable(["MACHINE", "ADDRESS", "STATE", "SENT", "RECEIVED", "NOT PASSED ON"])
        for (machine, json) in zip(status.machines, status.json["machines"]?.arrayValue ?? []) {
            let state = machine.connected ? machine.leased ? "up" : "connected, no DHCP yet" : "not connected"
            let drops = (json["dropped"]?.objectValue ?? []).map { "\($0.value.integerValue ?? 0) \($0.name)" }
            machines.add([
                machine.name, machine.address.description, state, bytes(json["bytesFrom"]), bytes(json["bytesTo"]),
                drops.joined(separator: ", "),
            ])
        }
        var forwards = TextTable(["HOST", "", "GUEST", "STATE"])
        for forward in status.forwards {
            let port = forward.forward
            let state = forward.failure ?? "\(forward.connections) connections, guest's port: \(forward.guestPort)"
            forwards.add([
                "\(port.bind):\(port.hostPort)/\(port.transport.rawValue)", "->", "\(port.machine):\(port.guestPort)",
                state,
            ])
        }
        let header = "\(status.name): \(status.subnet), gateway and host.internal \(status.subnet.gateway)"
        return [header, machines.rendered, status.forwards.isEmpty ? nil : forwards.rendered]
            .compactMap { $0 }.joined(separator: "\n\n")
    }

    private static func bytes(_ value: JSONValue?) -> String {
        ByteCount(UInt64(clamping: value?.integerValue ?? 0)).description
    }
}
