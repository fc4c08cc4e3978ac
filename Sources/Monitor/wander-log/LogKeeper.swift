import LinuxSystem

/// Copies the data of several pipes, each into its own log. It closes a pipe that nobody writes to any longer.
final class LogKeeper {
    private final class Input {
        let descriptor: OwnedDescriptor
        let log: BoundedLog
        init(_ descriptor: consuming OwnedDescriptor, _ log: BoundedLog) {
            self.descriptor = descriptor
            self.log = log
        }
    }
    private var inputs: [UInt64: Input] = [:]
    private let poller: Poller

    init() throws(SystemError) { poller = try Poller() }

    func add(_ descriptor: consuming OwnedDescriptor, to log: BoundedLog) throws(SystemError) {
        let token = UInt64(inputs.count)
        try poller.add(descriptor.rawValue, .readable, token: token)
        inputs[token] = Input(descriptor, log)
    }

    /// Returns when all pipes are closed.
    func run() throws(SystemError) {
        while !inputs.isEmpty {
            for item in try poller.wait() {
                guard let input = inputs[item.token] else { continue }
                let bytes = try input.descriptor.read(upTo: 1 << 16)
                guard bytes.isEmpty else {
                    input.log.write(bytes)
                    continue
                }
                poller.remove(input.descriptor.rawValue)
                inputs[item.token] = nil
            }
        }
    }
}
