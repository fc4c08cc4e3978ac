import LinuxSystem
import SystemPackage

/// The wander-share processes of a machine: each serves one folder of the host to QEMU's guest, and ends when QEMU's
/// end of their connection closes.
final class ShareServers {
    /// QEMU's ends, in the order of the shares. Closed with the value.
    private(set) var connections: [CInt] = []

    /// Starts the processes.
    /// - Parameters:
    ///   - program: Where wander-share is.
    ///   - log: What the processes print.
    init(_ plan: LaunchPlan, program: FilePath, log: CInt) throws {
        for share in plan.shares {
            connections.append(try Self.start(share, plan, program: program, log: log).release())
        }
    }

    /// Throws if a machine with shares lacks what serves them.
    static func check(_ plan: LaunchPlan, program: FilePath) throws {
        guard plan.shares.isEmpty || !FileSystem.isAbsent(program) else {
            throw ProviderError.monitorMissing("wander-share")
        }
    }

    deinit { for connection in connections { OwnedDescriptor(owning: connection).close() } }

    private static func start(
        _ share: MachineShare, _ plan: LaunchPlan, program: FilePath, log: CInt
    ) throws -> OwnedDescriptor {
        let pair = try UnixSocket.pair()
        let options = ChildProcess.Options.service(
            log: log, in: plan.folder.path, descriptors: [pair.read.rawValue])
        let arguments = [
            program.string, "--tag", share.tag, "--folder", share.folder.string, "--socket-descriptor", "3",
        ]
        _ = try ChildProcess.start(arguments + (share.isReadOnly ? ["--read-only"] : []), options)
        return pair.keepWrite()
    }
}
