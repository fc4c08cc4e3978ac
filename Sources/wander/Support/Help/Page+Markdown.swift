/// A page for a browser.
extension Page {
    /// - Parameter origin: Where a person edits what the page says.
    func markdown(title: String, origin: String) -> String {
        let parts = ["<!-- \(origin) -->", "# \(title)"] + blocks.map(Self.text)
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func text(_ block: Block) -> String {
        switch block {
        case .heading(let text): "## \(inline(text))"
        case .subheading(let text): "### \(inline(text))"
        case .paragraph(let text): inline(text)
        case .bullets(let items): items.map { "* \(inline($0))" }.joined(separator: "\n")
        case .verbatim(let text, let language): "```\(language ?? "")\n\(text)\n```"
        case .entries(let entries, let columns):
            ([
                "| |\(columns.map { " \($0) |" }.joined()) meaning |",
                "|---|" + columns.map { _ in "---|" }.joined() + "---|",
            ]
                + entries.map { row($0, columns.count) }).joined(separator: "\n")
        }
    }

    private static func row(_ entry: Entry, _ columns: Int) -> String {
        let facts = (0..<columns).map { $0 < entry.facts.count ? entry.facts[$0] : "" }
        let cells = ["`\(entry.name)`"] + (facts + [entry.meaning]).map(inline)
        return "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
    }

    /// Text between single quotes as code. An apostrophe is in a word or at its end: no quote opens there.
    private static func inline(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "'") {
            let inner = rest[rest.index(after: open)...]
            let isOpening = open == rest.startIndex || " (\n".contains(rest[rest.index(before: open)])
            let close = inner.indices.first { index in
                inner[index] == "'" && !(inner[inner.index(after: index)...].first ?? " ").isLetter
            }
            guard isOpening, let close else {
                result += rest[...open]
                rest = inner
                continue
            }
            result += rest[..<open] + "`\(inner[..<close])`"
            rest = inner[inner.index(after: close)...]
        }
        return result + rest
    }
}
