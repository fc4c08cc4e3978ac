import NetworkAddress
import NetworkControl

/// Answers DHCP (RFC 2131) for one machine, whose address is already known: every request gets the same one.
struct DHCPServer {
    var gateway: IPv4Address
    var subnet: IPv4Subnet
    var address: IPv4Address
    var mac: MACAddress
    var hostname: String
    /// The environment's own, then those in which the host looks for names.
    var domains: [String]
    /// In bytes; told only to clients that ask.
    var mtu: Int

    /// In seconds. Long, since the answer never changes and a renewal wakes the guest.
    static let leaseTime: UInt32 = 86_400

    private enum Message: UInt8 {
        case discover = 1
        case offer, request, decline, acknowledge, refuse, release, inform
    }

    /// What the client asks, as far as it matters.
    private struct Options {
        var message: Message?
        var requested: IPv4Address?
        var server: IPv4Address?
        var parameters: [UInt8] = []
    }

    struct Reply: Equatable {
        var payload: [UInt8]
        /// Whether the client can take a packet that is addressed to its new address.
        var broadcast: Bool
        /// Whether the client has the address now.
        var grants: Bool
        /// Whether the client must not use the address that it asks for.
        var refuses: Bool
    }

    /// The answer to a client's message, which is the payload of a UDP datagram to port 67; nil if it deserves none.
    func reply(to message: [UInt8]) -> Reply? {
        let bytes = unsafe message.span.bytes
        // BOOTREQUEST, Ethernet, the magic cookie; then options (RFC 2131, section 2).
        guard bytes.uint8(0) == 1, bytes.uint8(1) == 1, bytes.uint8(2) == 6, bytes.mac(28) == mac,
            bytes.uint32(236) == 0x6382_5363, let client = bytes.address(12), let flags = bytes.uint16(10)
        else { return nil }
        let options = Self.options(bytes)
        switch options.message {
        case .discover: return answer(.offer, to: message, options, flags: flags)
        case .request:
            // With a server named: it is this server's offer, or another's. Without: the client checks what it has.
            if let server = options.server, server != gateway { return nil }
            let wanted = options.requested ?? client
            return answer(wanted == address ? .acknowledge : .refuse, to: message, options, flags: flags)
        case .inform: return answer(.acknowledge, to: message, options, flags: flags, inform: true)
        default: return nil
        }
    }

    private static func options(_ bytes: RawSpan) -> Options {
        var options = Options()
        var position = 240
        while let code = bytes.uint8(position), code != 255 {
            position += 1
            if code == 0 { continue }
            guard let length = bytes.uint8(position), bytes.byteCount - position > Int(length) else { break }
            let start = position + 1
            switch (code, length) {
            case (50, 4): options.requested = bytes.address(start)
            case (53, 1): options.message = bytes.uint8(start).flatMap { Message(rawValue: $0) }
            case (54, 4): options.server = bytes.address(start)
            case (55, _): options.parameters = bytes.copy(from: start, count: Int(length))
            default: break
            }
            position = start + Int(length)
        }
        return options
    }

    private func answer(
        _ kind: Message, to message: [UInt8], _ options: Options, flags: UInt16, inform: Bool = false
    ) -> Reply {
        let refused = kind == .refuse
        var writer = FrameWriter(capacity: 400)
        writer.append([2, 1, 6, 0])
        writer.append(Array(message[4..<8]))  // The transaction.
        writer.append(UInt16(0))
        writer.append(flags)
        writer.append(inform ? Array(message[12..<16]) : [0, 0, 0, 0])
        writer.append(refused || inform ? IPv4Address.unspecified : address)
        writer.append(refused ? IPv4Address.unspecified : gateway)
        writer.append(Array(message[24..<44]))  // The relay, and the client's hardware address.
        writer.append([UInt8](repeating: 0, count: 192))
        writer.append(UInt32(0x6382_5363))
        func option(_ code: UInt8, _ value: [UInt8]) {
            guard value.count <= 255 else { return }
            writer.append(code)
            writer.append(UInt8(value.count))
            writer.append(value)
        }
        func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        option(53, [kind.rawValue])
        option(54, number(gateway.rawValue))
        if !refused {
            if !inform {
                option(51, number(Self.leaseTime))
                option(58, number(Self.leaseTime / 2))
                option(59, number(Self.leaseTime / 8 * 7))
            }
            option(1, number(subnet.mask.rawValue))
            option(3, number(gateway.rawValue))
            option(6, number(gateway.rawValue))
            option(28, number(subnet.broadcast.rawValue))
            option(12, Array(hostname.utf8))
            option(15, Array((domains.first ?? "").utf8))
            if options.parameters.contains(26) { option(26, [UInt8(mtu >> 8), UInt8(mtu & 0xff)]) }
            if options.parameters.contains(119) { option(119, searchList) }
        }
        writer.append(UInt8(255))
        // BOOTP clients expect at least 300 bytes (RFC 1542, section 2.1).
        writer.append([UInt8](repeating: 0, count: max(0, 300 - writer.bytes.count)))
        return Reply(
            payload: writer.bytes, broadcast: flags & 0x8000 != 0 || refused, grants: kind == .acknowledge,
            refuses: refused)
    }

    /// The domains that fit an option (RFC 3397), without compression.
    private var searchList: [UInt8] {
        var list: [UInt8] = []
        for name in domains.compactMap({ DNSName($0) }) where list.count + name.wireFormat.count <= 255 {
            list += name.wireFormat
        }
        return list
    }
}
