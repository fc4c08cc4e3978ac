import CLibSlirp
import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl

/// One machine's way out: a libslirp instance, which turns the guest's connections into sockets of this process.
///
/// Each machine has its own, so that one guest's connections neither slow down nor crowd out another's, and that its
/// output can be held back alone. libslirp does no DHCP, DNS or ARP here.
@safe final class NATEngine {
    struct Settings {
        var subnet: IPv4Subnet
        var hostLoopback: Bool
        var ipv6: Bool
        var mtu: Int
    }

    /// Sockets a guest may have open at the same time; more of them are refused until some close.
    static let socketLimit = 512

    /// The largest IP packet of libslirp's TCP connections, in bytes: a third of the largest window, which is 65535, as
    /// it has no window scaling. It says that a window is open again only once there is room for two segments more than
    /// it has said; with larger ones a guest that has less than one left may never hear of it, and its uploads stand
    /// still.
    private static let largestPacket = 21 << 10

    private var slirp: OpaquePointer?
    private let send: (UnsafeRawBufferPointer) -> Void
    private let complain: (String) -> Void
    private var timers: [RouterTimer] = []
    /// Where this round's sockets are in the poll set; nil if the round leaves this engine out.
    private var filled = false
    private(set) var socketCount = 0
    /// Whether the guest's queue is full, so that nothing more may be taken from the host's sockets.
    var isHeldBack: () -> Bool = { false }

    /// - Parameter send: Gets every frame for the guest. Must not call back into the engine.
    init?(
        _ settings: Settings, send: @escaping (UnsafeRawBufferPointer) -> Void, complain: @escaping (String) -> Void
    ) {
        unsafe self.send = unsafe send
        self.complain = complain
        var configuration = unsafe SlirpConfig()
        unsafe configuration.version = 4
        unsafe configuration.in_enabled = true
        unsafe configuration.vnetwork.s_addr = settings.subnet.network.rawValue.bigEndian
        unsafe configuration.vnetmask.s_addr = settings.subnet.mask.rawValue.bigEndian
        unsafe configuration.vhost.s_addr = settings.subnet.gateway.rawValue.bigEndian
        // Neither is served by libslirp; it only wants addresses of the network.
        unsafe configuration.vdhcp_start.s_addr = (settings.subnet.network.rawValue &+ 2).bigEndian
        unsafe configuration.vnameserver.s_addr = settings.subnet.gateway.rawValue.bigEndian
        unsafe configuration.disable_dhcp = true
        unsafe configuration.disable_dns = true
        unsafe configuration.disable_host_loopback = !settings.hostLoopback
        unsafe configuration.in6_enabled = settings.ipv6
        unsafe configuration.vprefix_len = 64
        unsafe Self.write(IPv6Address.prefix(of: settings.subnet), host: 0, to: &configuration.vprefix_addr6)
        unsafe Self.write(IPv6Address.prefix(of: settings.subnet), host: 2, to: &configuration.vhost6)
        unsafe Self.write(IPv6Address.prefix(of: settings.subnet), host: 3, to: &configuration.vnameserver6)
        unsafe configuration.if_mtu = min(settings.mtu, Self.largestPacket)
        unsafe configuration.if_mru = min(settings.mtu, Self.largestPacket)
        let opaque = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let slirp = unsafe slirp_new(&configuration, Self.callbacks, opaque) else { return nil }
        unsafe self.slirp = slirp
        // Sets libslirp's clock, which otherwise stands at zero until it first serves its sockets: what a guest sends
        // before that would get sockets that have expired.
        unsafe slirp_pollfds_poll(slirp, 1, Self.events, nil)
    }

    deinit { close() }

    /// Ends every connection.
    func close() {
        guard let slirp = unsafe slirp else { return }
        unsafe self.slirp = nil
        unsafe slirp_cleanup(slirp)
        timers = []
    }

    private static func write(_ prefix: UInt64, host: UInt64, to address: inout in6_addr) {
        unsafe withUnsafeMutableBytes(of: &address) {
            unsafe $0.storeBytes(of: prefix.bigEndian, as: UInt64.self)
            unsafe $0.storeBytes(of: host.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// Takes a frame from the guest.
    func input(_ frame: RawSpan) {
        guard let slirp = unsafe slirp else { return }
        unsafe frame.withUnsafeBytes {
            guard let start = $0.baseAddress else { return }
            unsafe slirp_input(slirp, start.assumingMemoryBound(to: UInt8.self), CInt($0.count))
        }
    }

    /// Adds this round's sockets.
    /// - Returns: The longest wait that the engine allows, in milliseconds.
    func fill(_ set: inout PollSet, now: MonotonicClock) -> UInt32 {
        filled = false
        guard let slirp = unsafe slirp, !isHeldBack() else { return .max }
        filled = true
        var timeout = UInt32.max
        let before = set.count
        unsafe withUnsafeMutablePointer(to: &set) {
            unsafe slirp_pollfds_fill(slirp, &timeout, Self.addPoll, $0)
        }
        socketCount = set.count - before
        for timer in timers where timer.expires != .max {
            timeout = min(timeout, UInt32(clamping: max(0, timer.expires - now.nanoseconds / 1_000_000)))
        }
        return timeout
    }

    /// Serves this round's sockets.
    func process(_ set: PollSet, failed: Bool) {
        guard filled, let slirp = unsafe slirp else { return }
        var set = set
        unsafe withUnsafeMutablePointer(to: &set) {
            unsafe slirp_pollfds_poll(slirp, failed ? 1 : 0, Self.events, $0)
        }
        let milliseconds = MonotonicClock.now.nanoseconds / 1_000_000
        for timer in timers where timer.expires <= milliseconds {
            timer.expires = .max
            unsafe slirp_handle_timer(slirp, timer.identifier, timer.argument)
        }
    }

    /// libslirp's only timer: router advertisements (RFC 4861, section 6.2).
    @safe fileprivate final class RouterTimer {
        let identifier: SlirpTimerId
        let argument: UnsafeMutableRawPointer?
        /// In milliseconds of the monotonic clock.
        var expires: Int64 = .max
        init(identifier: SlirpTimerId, argument: UnsafeMutableRawPointer?) {
            self.identifier = identifier
            unsafe self.argument = argument
        }
    }
}

// What libslirp calls. Its opaque pointer is the engine, which outlives the instance that holds it.
extension NATEngine {
    private static func engine(_ opaque: UnsafeMutableRawPointer?) -> NATEngine? {
        unsafe opaque.map { unsafe Unmanaged<NATEngine>.fromOpaque($0).takeUnretainedValue() }
    }

    // SAFETY: written once, before the first instance exists, and only read from then on.
    private nonisolated(unsafe) static let callbacks: UnsafePointer<SlirpCb> = {
        let callbacks = UnsafeMutablePointer<SlirpCb>.allocate(capacity: 1)
        unsafe callbacks.initialize(to: SlirpCb())
        unsafe callbacks.pointee.send_packet = { bytes, count, opaque in
            unsafe NATEngine.engine(opaque)?.send(UnsafeRawBufferPointer(start: bytes, count: count))
            return count
        }
        unsafe callbacks.pointee.guest_error = { message, opaque in
            guard let message = unsafe message else { return }
            unsafe NATEngine.engine(opaque)?.complain(String(cString: message))
        }
        unsafe callbacks.pointee.clock_get_ns = { _ in MonotonicClock.now.nanoseconds }
        unsafe callbacks.pointee.timer_new_opaque = { identifier, argument, opaque in
            guard let engine = unsafe NATEngine.engine(opaque) else { return nil }
            let timer = unsafe RouterTimer(identifier: identifier, argument: argument)
            engine.timers.append(timer)
            return unsafe Unmanaged.passUnretained(timer).toOpaque()
        }
        unsafe callbacks.pointee.timer_free = { timer, opaque in
            guard let engine = unsafe NATEngine.engine(opaque), let timer = unsafe timer else { return }
            let freed = unsafe Unmanaged<RouterTimer>.fromOpaque(timer).takeUnretainedValue()
            engine.timers.removeAll { $0 === freed }
        }
        unsafe callbacks.pointee.timer_mod = { timer, expires, opaque in
            guard let timer = unsafe timer else { return }
            unsafe Unmanaged<RouterTimer>.fromOpaque(timer).takeUnretainedValue().expires = expires
        }
        // The poll set is made anew each round, after whatever these could announce.
        unsafe callbacks.pointee.register_poll_fd = { _, _ in }
        unsafe callbacks.pointee.unregister_poll_fd = { _, _ in }
        unsafe callbacks.pointee.notify = { _ in }
        return unsafe UnsafePointer(callbacks)
    }()

    private static let addPoll: SlirpAddPollCb = { descriptor, events, opaque in
        guard let opaque = unsafe opaque else { return -1 }
        var interest: CInt = 0
        for (theirs, ours) in pairs where events & theirs != 0 { interest |= ours }
        return unsafe CInt(opaque.assumingMemoryBound(to: PollSet.self).pointee.append(descriptor, Int16(interest)))
    }

    private static let events: SlirpGetREventsCb = { index, opaque in
        guard let opaque = unsafe opaque else { return 0 }
        let ready = CInt(unsafe opaque.assumingMemoryBound(to: PollSet.self).pointee.events(at: Int(index)))
        var events: CInt = 0
        for (theirs, ours) in pairs where ready & ours != 0 { events |= theirs }
        return events
    }

    /// libslirp's names of events and poll(2)'s.
    private static let pairs: [(CInt, CInt)] = [
        (CInt(SLIRP_POLL_IN), POLLIN), (CInt(SLIRP_POLL_OUT), POLLOUT), (CInt(SLIRP_POLL_PRI), POLLPRI),
        (CInt(SLIRP_POLL_ERR), POLLERR), (CInt(SLIRP_POLL_HUP), POLLHUP),
    ]
}
