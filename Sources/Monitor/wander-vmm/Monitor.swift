import JSON
import LinuxSystem
import MonitorControl
import Reporting
import SystemPackage
import VMM
import Virtio

/// Runs one machine: waits for what the guest, the control socket and signals want, and acts on it.
///
/// One thread; the machine's processors and devices have their own.
final class Monitor {
    private enum Token {
        static let signal: UInt64 = 1
        static let machine: UInt64 = 2
        static let serial: UInt64 = 3
        static let listener: UInt64 = 4
        static let terminal: UInt64 = 5
        /// Connections count from here.
        static let firstConnection: UInt64 = 16
    }
    /// What is no whole line yet is collected for so long before it is written, in milliseconds: one write, not one a
    /// byte.
    private static let outputDelay: Int32 = 5
    private static let connectionLimit = 16
    /// How long to leave connections waiting when no descriptor is left for them, in milliseconds.
    private static let listenerRest: Int64 = 200
    /// More crashes than this, each within ``crashWindow``, and the guest is given up.
    private static let crashLimit = 3
    private static let crashWindow: Int64 = 30_000

    private let configuration: MonitorConfiguration
    private let assembly: MachineAssembly
    private let machine: Machine
    private let signals: Shared<SignalDescriptor>
    private let poller: Poller
    private let console: BoundedLog?
    /// Standard output, if it shows the console.
    private let output: SharedDescriptor?
    private let listener: SharedDescriptor?
    /// Until when connections are left waiting that cannot be taken.
    private var restEnd: MonotonicClock?
    private var connections: [UInt64: ControlConnection] = [:]
    private var nextToken = Token.firstConnection
    private var outputPending = false
    /// nil for a machine without firmware.
    private var loader: LoaderWatch?
    private var crashes: [MonotonicClock] = []
    /// What the guest did at the moment when it was paused; it comes about when it goes on.
    private var heldEvent: MachineEvent?
    private var end: MonitorEnd?
    private let started = MonotonicClock.now

    init(_ configuration: MonitorConfiguration, connector: SocketConnector?) throws {
        self.configuration = configuration
        // Before any thread: they inherit which signals are blocked.
        signals = Shared(try SignalDescriptor())
        assembly = try MachineAssembly(configuration, connector: connector)
        machine = try Machine(assembly.specification)
        console = try configuration.consoleLog.map { try BoundedLog($0, limit: BoundedLog.consoleLimit) }
        output = configuration.showsConsole ? SharedDescriptor(OwnedDescriptor(owning: 1)) : nil
        listener = try configuration.controlSocket.map { SharedDescriptor(try UnixSocket.listen(at: $0)) }
        try listener?.value.setNonBlocking()
        poller = try Poller()
        try poller.add(signals.value.rawDescriptor, .readable, token: Token.signal)
        try poller.add(machine.eventDescriptor, .readable, token: Token.machine)
        try poller.add(machine.serial.outputReady.descriptor.rawValue, .readable, token: Token.serial)
        if let terminal = assembly.terminal {
            try poller.add(terminal.rawDescriptor, .readable, token: Token.terminal)
        }
        if let listener { try poller.add(listener.rawValue, .readable, token: Token.listener) }
    }

    func start() throws {
        watchLoader()
        try machine.start()
    }

    private func watchLoader() { if case .firmware = configuration.start { loader = LoaderWatch() } }

    /// Returns when the machine has ended and everything it wrote is on the disk.
    func run() -> MonitorEnd {
        while end == nil {
            let waiting = connections.values.contains { $0.hasInput }
            var delay: Int32 = outputPending ? Self.outputDelay : waiting ? 20 : -1
            if let rest = restEnd {
                let left = Int32(clamping: max(0, rest.milliseconds(since: .now)))
                delay = delay < 0 ? left : min(delay, left)
            }
            guard let ready = try? poller.wait(milliseconds: delay) else { break }
            endListenerRest()
            if ready.isEmpty { deliverOutput() }
            for item in ready { handle(item) }
            if waiting { for (token, connection) in connections { deliverInput(of: connection, token) } }
        }
        machine.stop()
        deliverOutput()
        let failure = assembly.close()
        if let path = configuration.controlSocket { try? FileSystem.remove(path) }
        if let failure, end?.reason == .powerOff || end?.reason == .stopped {
            return MonitorEnd(reason: .failure, detail: failure)
        }
        return end ?? MonitorEnd(reason: .failure, detail: "waiting for events failed")
    }

    private func handle(_ item: Poller.Readiness) {
        switch item.token {
        case Token.signal:
            signals.value.take()
            end = end ?? MonitorEnd(reason: .stopped, detail: "a signal asked for it")
        case Token.machine: if end == nil, let event = machine.takeEvent() { handle(event) }
        case Token.serial:
            machine.serial.outputReady.take()
            if machine.serial.hasLine { deliverOutput() } else { outputPending = true }
        case Token.terminal: if let bytes = assembly.terminal?.receive() { send(bytes, to: .terminal) }
        case Token.listener: accept()
        default: serve(item)
        }
    }

    private func handle(_ event: MachineEvent) {
        switch event {
        case .reset where machine.isPaused, .tripleFault where machine.isPaused: heldEvent = event
        case .powerOff: end = MonitorEnd(reason: .powerOff)
        case .reset: reset()
        case .tripleFault:
            let now = MonotonicClock.now
            crashes = crashes.filter { now.milliseconds(since: $0) < Self.crashWindow } + [now]
            guard crashes.count < Self.crashLimit else {
                end = MonitorEnd(
                    reason: .guestFailure, detail: MachineError.resetLoop(count: crashes.count).summary)
                return
            }
            reset()
        case .failure(let what): end = MonitorEnd(reason: .guestFailure, detail: what)
        }
    }

    private func reset() {
        heldEvent = nil
        watchLoader()
        do { try machine.reset() } catch { end = MonitorEnd(reason: .failure, detail: error.inWords) }
    }

    // MARK: - Console

    private func deliverOutput() {
        outputPending = false
        let bytes = machine.serial.takeOutput()
        guard !bytes.isEmpty else { return }
        console?.write(bytes)
        try? output?.value.writeAll(bytes)
        send(bytes, to: .serial)
        switch loader?.read(bytes) {
        case .pressEnter: _ = machine.serial.receive([0x0d])
        case .giveUp(let reason): end = end ?? MonitorEnd(reason: .guestFailure, detail: reason)
        case nil: break
        }
    }

    /// Shows `bytes` to every peer that is attached to `line`.
    private func send(_ bytes: [UInt8], to line: ControlConnection.Line) {
        for (token, connection) in connections where connection.line == line {
            if !connection.send(bytes) { drop(token) }
        }
    }

    private func deliver(_ line: ControlConnection.Line, _ bytes: ArraySlice<UInt8>) -> Int {
        switch line {
        case .serial:
            loader?.leaveAlone()
            return machine.serial.receive(bytes)
        case .terminal: return assembly.terminal?.send(bytes) ?? bytes.count
        }
    }

    // MARK: - Control

    private func accept() {
        guard let listener else { return }
        let taken: OwnedDescriptor?
        do throws(SystemError) { taken = try UnixSocket.accept(listener.value) } catch {
            // The connection stays, and would be reported again and again.
            guard (try? poller.modify(listener.rawValue, [], token: Token.listener)) != nil else { return }
            restEnd = MonotonicClock.now.advanced(byMilliseconds: Self.listenerRest)
            return
        }
        guard let accepted = taken else { return }
        // Whoever comes too late finds the connection closed.
        guard connections.count < Self.connectionLimit, let connection = try? ControlConnection(accepted) else {
            return
        }
        let token = nextToken
        nextToken += 1
        guard (try? poller.add(connection.rawDescriptor, .readable, token: token)) != nil else { return }
        connections[token] = connection
    }

    private func endListenerRest() {
        guard let listener, let rest = restEnd, rest <= .now else { return }
        restEnd = nil
        try? poller.modify(listener.rawValue, .readable, token: Token.listener)
    }

    private func drop(_ token: UInt64) {
        guard let connection = connections.removeValue(forKey: token) else { return }
        poller.remove(connection.rawDescriptor)
    }

    private func serve(_ item: Poller.Readiness) {
        let token = item.token
        guard let connection = connections[token] else { return }
        // Nobody waits for the guest to read what a peer has typed that is gone.
        if connection.isFull, item.interest.contains(.hangUp) { return drop(token) }
        guard let lines = connection.receive() else { return drop(token) }
        for line in lines {
            let reply = answer(line, connection)
            guard connection.send(Array((reply.compact + "\n").utf8)) else { return drop(token) }
            if reply["console"]?.boolValue == true { connection.line = .serial }
            if reply["terminal"]?.boolValue == true {
                connection.line = .terminal
                if let history = assembly.terminal?.history, !history.isEmpty { _ = connection.send(history) }
            }
        }
        deliverInput(of: connection, token)
    }

    private func deliverInput(of connection: ControlConnection, _ token: UInt64) {
        connection.deliverInput(deliver)
        guard connection.isFull != connection.isHeldUp else { return }
        // Otherwise what waits in the socket would be reported again and again.
        let interest: Poller.Interest = connection.isFull ? [] : .readable
        guard (try? poller.modify(connection.rawDescriptor, interest, token: token)) != nil else { return drop(token) }
        connection.isHeldUp = connection.isFull
    }

    private func answer(_ line: [UInt8], _ connection: ControlConnection) -> JSONValue {
        guard let json = try? JSONParser.parse(line, limit: ControlConnection.lineLimit),
            let request = MonitorRequest(json: json)
        else { return ["ok": false, "error": "unknown request"] }
        do {
            switch request {
            case .state: return state
            case .powerButton: machine.pressPowerButton()
            case .stop: end = MonitorEnd(reason: .stopped)
            case .pause: try machine.pause()
            case .resume:
                machine.resume()
                if let event = heldEvent { handle(event) }
            case .reset: reset()
            case .statistics:
                // What the guest answers is in the next reply: nobody waits for a guest here.
                machine.refreshDeviceStatistics()
                return statistics
            case .console: return ["ok": true, "console": true]
            case .terminal:
                guard assembly.terminal != nil else { return ["ok": false, "error": "the machine has no terminal"] }
                return ["ok": true, "terminal": true]
            case .resizeTerminal:
                guard let columns = json["columns"]?.integerValue.flatMap({ UInt16(exactly: $0) }),
                    let rows = json["rows"]?.integerValue.flatMap({ UInt16(exactly: $0) })
                else { return ["ok": false, "error": "columns and rows are numbers from 0 to 65535"] }
                assembly.resizeTerminal(columns: columns, rows: rows)
            }
        } catch { return ["ok": false, "error": .string(error.inWords)] }
        return ["ok": true]
    }

    private var state: JSONValue {
        [
            "ok": true, "schema": 1, "name": .string(configuration.name),
            "state": .string((machine.isPaused ? MonitorState.paused : .running).rawValue),
            "memory": .size(configuration.memory), "processors": .integer(Int64(configuration.processors)),
            "uptimeMilliseconds": .integer(MonotonicClock.now.milliseconds(since: started)),
            "resets": .integer(Int64(machine.resets)),
        ]
    }

    private var statistics: JSONValue {
        let counts = machine.statistics
        return [
            "ok": true, "schema": 1, "exits": .size(counts.exits), "portAccesses": .size(counts.portAccesses),
            "memoryAccesses": .size(counts.memoryAccesses), "unknownAccesses": .size(counts.unknownAccesses),
            "resets": .integer(Int64(counts.resets)),
            "devices": .array(machine.deviceStatistics.map(json)),
        ]
    }

    private func json(_ device: DeviceStatistics) -> JSONValue {
        [
            "name": .string(device.name), "kind": .string("\(device.kind)"), "stopped": .bool(device.isStopped),
            "faults": .array(device.faults.map { .string($0) }),
            "counters": .object(device.counters.map { JSONMember($0.name, .size($0.value)) }),
        ]
    }
}
