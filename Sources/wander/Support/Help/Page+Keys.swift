import EnvFile

/// Keys of the Wanderfile on a page.
extension Page {
    /// The keys of one map, below what it describes.
    static func keys(_ section: KeyReference.Section) -> [Block] {
        let isMachine = section.path == machinePath
        let columns = isMachine ? ["takes", "default", "a change needs"] : ["takes", "default"]
        let forms = [section.shortForm, section.choice].compactMap(\.self)
        return [heading(section)] + (forms.isEmpty ? [] : [.paragraph(forms.joined(separator: " "))]) + [
            .entries(section.rows.map { entry($0, hasChange: isMachine) }, columns: columns)
        ]
    }

    private static let machinePath = "machines.NAME"

    private static func heading(_ section: KeyReference.Section) -> Block {
        if section.path.isEmpty { return .heading("Keys at the top of the file") }
        if section.path == machinePath { return .heading("Keys of a machine") }
        let path =
            section.path.hasPrefix(machinePath + ".")
            ? String(section.path.dropFirst(machinePath.count + 1)) : section.path
        return .subheading(section.title.hasPrefix("'") ? "'\(path)'" : "'\(path)': \(section.title)")
    }

    private static func entry(_ row: KeyReference.Row, hasChange: Bool) -> Entry {
        let standard = row.isRequired ? ["required"] : [row.standard.map { "'\($0)'" }, row.note].compactMap(\.self)
        let meaning = "\(row.summary). \(row.details.map { $0 + " " } ?? "")For example '\(row.name): \(row.example)'."
        return Entry(
            name: row.name, meaning: meaning,
            facts: [row.type, standard.joined(separator: "; ")] + (hasChange ? [row.takesEffect?.words ?? ""] : []))
    }
}

extension TakesEffect {
    fileprivate var words: String {
        switch self {
        case .atUse: "next use"
        case .atRestart: "restart"
        case .withNewMachine: "new machine"
        }
    }
}
