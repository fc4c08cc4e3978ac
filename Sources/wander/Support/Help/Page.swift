/// A page of documentation: written once, printed as a manual page (`Page+Troff.swift`) or as Markdown
/// (`Page+Markdown.swift`). In sentences, code is between single quotes, as in help and errors.
struct Page {
    /// Something with a name, and what it means.
    struct Entry {
        let name: String
        let meaning: String
        /// What the page's table has beside it, in the order of its columns; empty: nothing to say.
        var facts: [String] = []
    }

    enum Block {
        case heading(String)
        case subheading(String)
        /// Sentences, in lines that are joined.
        case paragraph(String)
        case bullets([String])
        /// Lines that stay as they are.
        /// - Parameter language: For highlighting: `yaml`, `console`; nil: none.
        case verbatim(String, language: String?)
        /// - Parameter columns: What the entries' facts are.
        case entries([Entry], columns: [String])
    }

    let name: String
    /// The manual's chapter.
    let chapter: Int
    let chapterTitle: String
    /// Completes "NAME - ...".
    let summary: String
    var synopsis: String?
    var blocks: [Block]

    /// The blocks of a text as help has it. Sentences are filled; what begins with blanks or has columns, or is a
    /// command to type, stays as it is.
    static func blocks(_ text: String) -> [Block] {
        var blocks: [Block] = []
        var lines: [String] = []
        var isVerbatim = false
        func flush() {
            let text = lines.joined(separator: "\n")
            if !lines.isEmpty { blocks.append(isVerbatim ? .verbatim(text, language: nil) : .paragraph(text)) }
            lines = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isExample = line.hasPrefix(" ") || line.contains("  ") || line.hasPrefix("wander ")
            if line.isEmpty || isExample != isVerbatim { flush() }
            isVerbatim = isExample
            if !line.isEmpty { lines.append(line) }
        }
        flush()
        return blocks
    }
}
