import Glibc
import JSON
import LinuxSystem
import NetworkControl
import Reporting
import SystemPackage
import UserNetwork

/// The process that serves one environment's network. It is started by `wander` and not meant for people.
@main enum WanderNet {
    static func main() {
        InheritedState.makeSane()
        exit(NetworkService.run(Array(CommandLine.arguments.dropFirst())))
    }
}

enum NetworkService {
    /// - Returns: The exit status.
    static func run(_ arguments: [String]) -> CInt {
        guard arguments.count == 2, ["--configuration", "--configuration-descriptor"].contains(arguments[0]) else {
            complain("usage: wander-net --configuration FILE | --configuration-descriptor NUMBER")
            return 64
        }
        var status: OwnedDescriptor?
        do {
            let text =
                arguments[0] == "--configuration"
                ? try FileSystem.read(FilePath(arguments[1]), limit: 16 << 20)
                : try OwnedDescriptor(owning: CInt(arguments[1]) ?? -1).readAll(limit: 16 << 20)
            let configuration = try NetworkConfiguration(json: try JSONParser.parse(text))
            status = configuration.statusDescriptor.map { OwnedDescriptor(owning: $0) }
            // Held for as long as the process lives, and by nothing that it might start.
            let lock = configuration.lockDescriptor.map { OwnedDescriptor(owning: $0) }
            try? lock?.setInheritable(false)
            Signals.ignoreWriteSignals()
            try FileSystem.makeDirectory(configuration.run, permissions: 0o700)
            let network = try Network(configuration)
            try network.listenForControl()
            try network.stopOnSignals()
            let memory = ResidentMemory()
            network.whenQuiet = { memory.release() }
            if let missing = try Sandbox.enter(configuration) { complain(missing) }
            network.bindsSockets = false
            memory.release()
            let failed = network.failedMachines.map { machine -> JSONValue in
                ["machine": .string(machine.name), "error": NetworkError.json(of: machine.error)]
            }
            try? status?.writeAll((["started": true, "failed": .array(failed)] as JSONValue).compact + "\n")
            status = nil
            network.run()
            network.close()
            _ = consume lock
            return 0
        } catch {
            try? status?.writeAll((["error": NetworkError.json(of: error)] as JSONValue).compact + "\n")
            complain(error.inWords)
            return 1
        }
    }

    private static func complain(_ message: String) {
        let line = Array("wander-net: \(message)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }
}
