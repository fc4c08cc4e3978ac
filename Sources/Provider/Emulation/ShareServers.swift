import LinuxSystem
import SystemPackage

/// The wander-share processes of a machine: each serves one folder of the host to QEMU's guest, and ends when QEMU's end of
/// their connection closes.
final class ShareServers {
    /// QEMU's ends, in the order of the shares. Closed with the value.
    private(set) var connections: [CInt] = []

    /// Starts the processes.
    /// - Parameter program: Where wander-share is.
    init(_ plan: BootPlan, program: FilePath) throws {
        guard plan.shares.isEmpty || !FileSystem.isAbsent(program) else {
            throw ProviderError.monitorMissing("wander-share")
        }
        for share in plan.shares { connections.append(try Self.start(share, plan, program: program).release()) }
    }

    deinit { for connection in connections { OwnedDescriptor(owning: connection).close() } }

    private static func start(
        _ share: MachineShare, _ plan: BootPlan, program: FilePath
    ) throws -> OwnedDescriptor {
        let pair = try UnixSocket.pair()
        let log = try OwnedDescriptor.openLog(plan.folder.monitorLog)
        var options = ChildProcess.Options()
        options.newSession = true
        options.directory = plan.folder.path
        options.output = .descriptor(log.rawValue)
        options.error = .descriptor(log.rawValue)
        options.extraDescriptors = [pair.read.rawValue]
        let arguments = [
            program.string, "--tag", share.tag, "--folder", share.folder.string, "--socket-descriptor", "3",
        ]
        _ = try ChildProcess.start(arguments + (share.isReadOnly ? ["--read-only"] : []), options)
        return pair.keepWrite()
    }
}
