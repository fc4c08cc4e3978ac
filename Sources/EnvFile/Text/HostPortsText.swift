import JSON
import NetworkAddress

extension ScalarType {
    /// Ports of the host's loopback interface: written as guest ports of a forward are, or `all`.
    static let hostPorts = ScalarType(
        expected: "a port of this host such as 5432, a range such as '8000-8010', or 'all'",
        schema: [
            "anyOf": [
                ["type": "integer", "minimum": 1, "maximum": 65_535],
                SchemaFragment.pattern("[0-9]+(-[0-9]+)?(/(tcp|udp))?|all"),
            ]
        ]
    ) { text in
        if let ports = HostPorts(text) { return .value(.hostPorts(ports)) }
        if text.contains(":") {
            return .wrong(hint: "The machine reaches the same port of the host; 'ports' is for the other direction.")
        }
        // What is wrong with it is wrong with a guest port, too.
        if case .problem(let message, let hint) = ScalarType.port.parse(text) { return .problem(message, hint: hint) }
        return .wrong()
    }
}
