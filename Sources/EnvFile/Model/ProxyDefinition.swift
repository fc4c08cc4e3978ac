/// By which web proxies a machine reaches the world.
public struct ProxyDefinition: Hashable, Sendable {
    public var http: ProxyURL?
    public var https: ProxyURL?
    /// What is reached without one: host names, domains such as `.example.test`, addresses.
    public var exceptions: [String]

    /// What is to be hidden in any output.
    public var secrets: [String] {
        [http, https].compactMap { $0?.credentials }.flatMap { credentials in
            [credentials] + (credentials.firstIndex(of: ":").map { [String(credentials[$0...].dropFirst())] } ?? [])
        }
    }
}
