import NetworkAddress
import Reporting
import YAML

/// Makes what a machine needs of its surroundings from its values: proxies, certificates, secrets.
struct SurroundingsBuilder {
    let context: BuildContext
    /// wander's own environment.
    let host: [String: String]

    private var problems: Problems { context.problems }

    /// The machine's proxies, and the ports of the host's loopback interface at which it has to reach them.
    func proxy(_ record: Record) -> (ProxyDefinition?, ports: [HostPorts]) {
        guard let value = record["proxy"], let given = value.record else { return (nil, []) }
        let isHost = given.text("url") == "host"
        let both = isHost ? nil : given.text("url").flatMap { ProxyURL($0) }
        var proxy = ProxyDefinition(
            http: given.text("http").flatMap { ProxyURL($0) } ?? both,
            https: given.text("https").flatMap { ProxyURL($0) } ?? both,
            exceptions: given.list("no_proxy").compactMap(\.text))
        var ports: [HostPorts] = []
        if isHost {
            let all = hosts("all_proxy", at: value.mark)
            proxy.http = proxy.http ?? (hosts("http_proxy", at: value.mark) ?? all).map { reached($0, &ports) }
            proxy.https = proxy.https ?? (hosts("https_proxy", at: value.mark) ?? all).map { reached($0, &ports) }
            let exceptions = variable("no_proxy")?.split { ", \t\n".contains($0) }.map(String.init) ?? []
            proxy.exceptions += exceptions.filter { ScalarType.isProxyException($0) }.prefix(100)
        } else if proxy.http == nil, proxy.https == nil, value.mark != .builtIn {
            problems.report(
                "'proxy' names no proxy", hint: "Write 'proxy: host' for this host's own, or 'proxy: URL'.",
                at: value.mark)
        }
        return (proxy.http == nil && proxy.https == nil ? nil : proxy, ports)
    }

    /// Variables of this name are written in small letters by most, and in capitals by some.
    private func variable(_ name: String) -> String? {
        [name, name.uppercased()].lazy.compactMap { host[$0] }.first { !$0.isEmpty }
    }

    private func hosts(_ name: String, at mark: Mark) -> ProxyURL? {
        guard let text = variable(name) else { return nil }
        if let url = ProxyURL(text) { return url }
        problems.report(
            "this host's '\(name)' is no URL of an HTTP proxy, so the machine gets none from it",
            hint: "Give the machine's own: 'proxy: http://PROXY:PORT'.", at: mark, severity: .warning)
        return nil
    }

    /// A proxy on this host as the machine sees it.
    private func reached(_ url: ProxyURL, _ ports: inout [HostPorts]) -> ProxyURL {
        guard url.isLoopback else { return url }
        if let port = HostPorts("\(url.effectivePort)"), !ports.contains(port) { ports.append(port) }
        var result = url
        (result.host, result.port) = ("host.internal", url.effectivePort)
        return result
    }

    func certificates(_ record: Record) -> [HostPath] {
        record.list("ca_certificates").compactMap { value in
            value.text.map { context.hostPath($0, at: value.mark) }
        }
    }

    /// In the order of their names.
    func secrets(_ record: Record) -> [SecretDefinition] {
        record.map("secrets").compactMap { entry -> SecretDefinition? in
            guard let given = entry.value.record else { return nil }
            let source: SecretDefinition.Source? =
                if let file = given["file"], let path = file.text {
                    .file(context.hostPath(path, at: file.mark))
                } else if let command = given.text("run") {
                    .command(command)
                } else {
                    given.text("env").map { .environment($0) }
                }
            return source.map { SecretDefinition(name: entry.name, source: $0) }
        }.sorted { $0.name < $1.name }
    }
}
