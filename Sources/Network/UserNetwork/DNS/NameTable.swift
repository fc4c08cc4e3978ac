import NetworkAddress
import NetworkControl

/// The names that the network itself knows: its machines, their aliases, and the host.
struct NameTable {
    /// In seconds. Short, since a machine may be replaced at any time.
    static let timeToLive: UInt32 = 5

    private let domain: DNSName?
    private let subnet: IPv4Subnet
    private var addresses: [DNSName: IPv4Address] = [:]
    private var names: [IPv4Address: DNSName] = [:]

    /// - Parameter environment: Makes the domain `environment.internal`.
    init(environment: String, subnet: IPv4Subnet) {
        domain = DNSName("\(environment).internal")
        self.subnet = subnet
        insert("host.internal", subnet.gateway)
    }

    /// Adds names of a machine; the first one is what its address leads back to.
    mutating func insert(machine names: [String], address: IPv4Address, domain: String) {
        for name in names {
            insert(name, address)
            if !name.contains(".") { insert("\(name).\(domain)", address) }
        }
        if let first = names.first, let name = DNSName("\(first).\(domain)") { self.names[address] = name }
    }

    private mutating func insert(_ text: String, _ address: IPv4Address) {
        // Who was first keeps the name: a machine cannot take that of the host.
        guard let name = DNSName(text), addresses[name] == nil else { return }
        addresses[name] = address
        if names[address] == nil { names[address] = name }
    }

    /// The answer, if the name is one of the network's own; nil sends the question to the host's resolvers.
    func answer(to question: DNSQuestion) -> [UInt8]? {
        if let address = addresses[question.name] {
            guard question.type == DNSQuestion.address || question.type == DNSQuestion.any else {
                return question.answer(.noError)
            }
            let data = (0..<4).map { UInt8(truncatingIfNeeded: address.rawValue >> (24 - 8 * $0)) }
            return question.answer(.noError, type: DNSQuestion.address, data: data)
        }
        if let address = Self.reverse(question.name), subnet.contains(address) {
            guard let name = names[address] else { return question.answer(.nameError) }
            return question.answer(.noError, type: DNSQuestion.pointer, data: name.wireFormat)
        }
        if let domain, question.name.hasSuffix(domain) {
            return question.answer(question.name == domain ? .noError : .nameError)
        }
        return nil
    }

    /// The address that a name under `in-addr.arpa` stands for.
    private static func reverse(_ name: DNSName) -> IPv4Address? {
        guard name.labels.count == 6, let suffix = DNSName("in-addr.arpa"), name.hasSuffix(suffix) else { return nil }
        let parts = name.labels[..<4].reversed().map { String(decoding: $0, as: UTF8.self) }
        return IPv4Address(parts.joined(separator: "."))
    }
}
