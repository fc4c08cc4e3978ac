import NetworkAddress

// Services on the host's loopback interface, which `host.internal` leads to. They trust whoever reaches them, so a
// machine reaches those alone that the Wanderfile names.
extension Network {
    /// Whether a machine may reach a port of the host. A refusal is logged once, with what would change it.
    func mayReachHost(_ port: UInt16, _ transport: Transport, from machine: Station) -> Bool {
        if machine.hostPorts.contains(where: { $0.contains(port, transport) }) { return true }
        let wanted = HostPorts.range(port...port, transport)
        if machine.refusedHostPorts.count < Station.refusalLimit, machine.refusedHostPorts.insert(wanted).inserted {
            let advice =
                machine.internet
                ? "'host_ports: [\(wanted)]' in the Wanderfile opens it"
                : "machines of a network with 'internet: false' reach no port of the host"
            log.write("\(machine.name): refused port \(wanted) of the host; \(advice)")
        }
        return false
    }
}
