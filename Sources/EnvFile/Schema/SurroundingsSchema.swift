import JSON

/// What machines need of the network that they are in, and of whoever runs them.
extension ObjectType {
    static let proxy = ObjectType(
        "'proxy'",
        keys: [
            KeyDefinition(
                "url", .scalar(.proxyOrHost), note: "none",
                "The proxy for both; 'host' takes what this host's own variables say",
                details: "With 'host' and no such variable there is no proxy. One that listens on this host's loopback "
                    + "interface is reached as 'host.internal'.",
                example: "http://proxy.example.test:3128"),
            KeyDefinition(
                "http", .scalar(.proxy), note: "that of 'url'", "The proxy for http",
                example: "http://proxy.example.test:3128"),
            KeyDefinition(
                "https", .scalar(.proxy), note: "that of 'url'", "The proxy for https",
                example: "http://proxy.example.test:3128"),
            KeyDefinition(
                "no_proxy", .list(.scalar(.proxyException), limit: 100), note: "none",
                "What is reached without a proxy, beside the machine itself and the machines of its network",
                example: "[.example.test, 10.0.0.0/8]"),
        ])

    static let secret = ObjectType(
        "a secret",
        keys: [
            KeyDefinition(
                "env", .scalar(.variableName), "A variable of wander's own environment", example: "API_TOKEN"),
            KeyDefinition("file", .scalar(.hostPath), "A file of the host", example: "~/.config/shop/token"),
            KeyDefinition(
                "run", .scalar(.body), "A command of the host that prints it, run in the project's folder",
                example: "pass show shop/token"),
        ], exactlyOne: ["env", "file", "run"], likelyKey: "env")
}

extension ScalarType {
    static let proxy = matching("a proxy's URL such as http://proxy.example.test:3128", #"https?://[!-~]+"#) { text in
        text.contains("://") && ProxyURL(text) != nil
    }

    static let proxyOrHost = matching(
        "'host', or a proxy's URL such as http://proxy.example.test:3128", #"host|https?://[!-~]+"#
    ) { text in text == "host" || (text.contains("://") && ProxyURL(text) != nil) }

    static let proxyException = matching(
        "a host name, a domain such as .example.test, or an address", #"[A-Za-z0-9.:*_/\[\]-]+"#
    ) { isProxyException($0) }

    static func isProxyException(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy { isAlphanumeric($0) || ".:*_/[]-".utf8.contains($0) }
    }

    static let variableName = matching(MapNames.variables.expected, "[A-Za-z_][A-Za-z0-9_]*") { isVariableName($0) }
}
