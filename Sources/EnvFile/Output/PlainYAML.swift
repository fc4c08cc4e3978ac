public import JSON

/// YAML for other programs.
public enum PlainYAML {
    /// A document, the members of each object in their order. Texts that some reader could take for something else are
    /// quoted, and nothing is escaped for a Wanderfile.
    public static func text(_ document: JSONValue) -> String {
        var writer = ConfigurationText(origin: nil)
        writer.write(document)
        return writer.text
    }
}
