import Glibc
import LinuxSystem
import Reporting
import SystemPackage
import VhostUser
import Virtio

private let usageText = """
    usage: wander-share --tag TAG --folder PATH [--read-only] --socket-descriptor NUMBER

    Serves one folder to one virtual machine until its monitor closes the connection. Started by `wander up`.

    """

/// Serves the folder that the arguments name, and ends the process.
func runShareProgram() -> Never {
    InheritedState.makeSane()
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "--help" || arguments.first == "-h" {
        write(usageText, to: 1)
        exit(0)
    }
    let share: ShareArguments
    do throws(ArgumentError) { share = try ShareArguments(Array(arguments)) } catch {
        write("wander-share: \(error.summary)\n\(usageText)", to: 2)
        exit(ErrorKind.usage.exitStatus)
    }
    let name = "wander-share: \(share.tag) (\(share.folder))"
    do {
        try serve(share) { write("\(name): \($0)\n", to: 2) }
        exit(0)
    } catch {
        let facing = error as? any UserFacingError
        write("\(name): \(facing?.summary ?? "\(error)")\n", to: 2)
        if let remedy = facing?.remedy { write(remedy + "\n", to: 2) }
        exit((facing?.kind ?? .failure).exitStatus)
    }
}

private func serve(_ share: ShareArguments, report: @escaping @Sendable (String) -> Void) throws {
    ProcessMemory.useOneHeap()
    Signals.ignoreWriteSignals()
    OpenFileLimit.raise()
    let socket = OwnedDescriptor(owning: share.socketDescriptor)
    try socket.setInheritable(false)
    let device = try FileSystemDevice(
        folder: share.folder, tag: share.tag, isReadOnly: share.isReadOnly, queueCount: ShareArguments.queueCount)
    let backEnd = try BackEnd(device, socket: socket, report: report)
    if let unlimited = try Sandbox.enter(share) { report(unlimited) }
    try backEnd.start()
    ProcessMemory.dropStartUpPages()
    try backEnd.run()
}

private func write(_ text: String, to descriptor: CInt) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
