import NetworkAddress
import Testing

@Suite struct HostPortsTests {
    @Test("ports are those of their transport and range")
    func contains() {
        let range = HostPorts.range(8000...8010, .tcp)
        #expect(range.contains(8000, .tcp) && range.contains(8010, .tcp))
        #expect(!range.contains(7999, .tcp) && !range.contains(8011, .tcp) && !range.contains(8005, .udp))
        #expect(HostPorts.all.contains(1, .udp) && HostPorts.all.contains(65535, .tcp))
    }

    @Test("they are written as in a Wanderfile")
    func described() {
        let all: [HostPorts] = [.range(5432...5432, .tcp), .range(8000...8010, .tcp), .range(53...53, .udp), .all]
        #expect(all.map(\.description) == ["5432", "8000-8010", "53/udp", "all"])
        for ports in all { #expect(HostPorts(ports.description) == ports) }
        for wrong in ["", "0", "65536", "1-", "-1", "2-1", "1-2-3", "1/", "1/icmp", "1/tcp/udp", "+1", "ALL", " 1"] {
            #expect(HostPorts(wrong) == nil, "\(wrong)")
        }
    }
}
