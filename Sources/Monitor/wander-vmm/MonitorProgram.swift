import Boot
import Glibc
import JSON
import LinuxSystem
import MonitorControl
import Reporting
import SystemPackage
import VMM

private let usageText = """
    usage: wander-vmm --configuration FILE
           wander-vmm --configuration-descriptor NUMBER

    Runs one virtual machine, described by JSON, until it ends. Started by `wander up`.

    """

/// Runs the machine that the arguments name, and ends the process with a status that says how the machine ended.
func runMonitorProgram() -> Never {
    InheritedState.makeSane()
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "--help" || arguments.first == "-h" {
        write(usageText, to: 1)
        exit(0)
    }
    ProcessMemory.useOneHeap()
    let configuration: MonitorConfiguration
    do { configuration = try readConfiguration(Array(arguments)) } catch {
        report(error)
        exit(kind(of: error).exitStatus)
    }
    let status = StatusChannel(configuration.statusDescriptor)
    let end: MonitorEnd
    do {
        // These are processes of their own, and copies of this one: before it has threads, or anything to copy.
        let networks = configuration.networks.map(\.socket)
        let connector = networks.isEmpty ? nil : try SocketConnector(to: networks)
        if case .kernel(let kernel) = configuration.start, let folder = kernel.cache {
            try fill(KernelCache(folder: folder), for: kernel.path)
        }
        let monitor = try Monitor(configuration, connector: connector)
        if let unlimited = try configuration.confine() { write("wander-vmm: \(unlimited)\n", to: 2) }
        try monitor.start()
        ProcessMemory.dropStartUpPages()
        status.send(.started)
        end = monitor.run()
    } catch {
        report(error)
        status.send(MonitorStatus(error))
        end = MonitorEnd(reason: .failure, detail: error.inWords)
        record(end, configuration)
        exit(kind(of: error).exitStatus)
    }
    record(end, configuration)
    exit(end.exitStatus)
}

/// How long a kernel may take to be unpacked, in milliseconds. Whoever starts the monitor waits for twice as long.
private let unpackingLimit: Int64 = 60_000

/// Unpacks the kernel in a process of its own. A cache that cannot be filled only costs time, except for a kernel whose
/// unpacking does not end.
private func fill(_ cache: KernelCache, for kernel: FilePath) throws(SystemError) {
    var failure: SystemError?
    cache.fill(for: kernel) { (kernel, folder, work) throws(SystemError) in
        let copy = try ForkedProcess.start(keeping: []) {
            do throws(SystemError) {
                _ = try Confinement.confineProcess(readable: [kernel], writable: [folder])
            } catch { return 1 }
            return work() ? 0 : 1
        }
        do throws(SystemError) {
            return try ForkedProcess.wait(for: copy, milliseconds: unpackingLimit, to: "unpack the kernel")
        } catch {
            if error.errno == .timedOut { failure = SystemError(error.operation, kernel, error.errno) }
            throw error
        }
    }
    if let failure { throw failure }
}

private func readConfiguration(_ arguments: [String]) throws -> MonitorConfiguration {
    guard arguments.count == 2 else { throw ProgramError.wrongArguments }
    let bytes: [UInt8]
    switch arguments[0] {
    case "--configuration": bytes = try FileSystem.read(FilePath(arguments[1]), limit: MonitorConfiguration.sizeLimit)
    case "--configuration-descriptor":
        guard let number = CInt(arguments[1]), number >= 0 else { throw ProgramError.wrongArguments }
        bytes = try OwnedDescriptor(owning: number).readAll(limit: MonitorConfiguration.sizeLimit)
    default: throw ProgramError.wrongArguments
    }
    return try MonitorConfiguration(json: JSONParser.parse(bytes, limit: MonitorConfiguration.sizeLimit))
}

private enum ProgramError: UserFacingError {
    case wrongArguments
    var summary: String { "wander-vmm needs a configuration" }
    var detail: String? { usageText }
    var kind: ErrorKind { .usage }
}

private func record(_ end: MonitorEnd, _ configuration: MonitorConfiguration) {
    guard let path = configuration.endRecord else { return }
    try? AtomicFile.write(end.json.pretty, to: path, permissions: 0o600)
}

/// The channel on which the process that started the monitor waits for the guest to run. It is closed after one line.
final class StatusChannel {
    private let descriptor: CInt?

    init(_ descriptor: CInt?) { self.descriptor = descriptor }

    func send(_ status: MonitorStatus) {
        guard let descriptor else { return }
        let owned = OwnedDescriptor(owning: descriptor)
        try? owned.writeAll(status.json.compact + "\n")
        owned.close()
    }
}

extension MonitorStatus {
    init(_ error: any Error) {
        let facing = error as? any UserFacingError
        self = .failed(
            summary: error.inWords, detail: facing?.detail, remedy: facing?.remedy, kind: kind(of: error))
    }
}

func kind(of error: any Error) -> ErrorKind { (error as? any UserFacingError)?.kind ?? .failure }

private func report(_ error: any Error) {
    var text = "wander-vmm: \(error.inWords)\n"
    if let detail = (error as? any UserFacingError)?.detail { text += detail + "\n" }
    if let remedy = (error as? any UserFacingError)?.remedy { text += remedy + "\n" }
    write(text, to: 2)
}

private func write(_ text: String, to descriptor: CInt) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
