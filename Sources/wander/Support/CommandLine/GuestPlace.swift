import Provider
import Reporting

/// A place in a machine as `upload` and `download` take it: `PATH`, or `NAME:PATH` as with scp(1).
struct GuestPlace: Equatable {
    /// nil stands for what `--machine` says, or the primary one.
    var machine: String?
    var path: String

    /// - Parameters:
    ///   - option: What `--machine` says.
    ///   - machines: The names of the project's machines.
    init(_ text: String, option: String?, machines: [String]) throws(Ambiguity) {
        (machine, path) = (option, text)
        // As for scp(1): a colon after a slash is a part of a path.
        let name = text.prefix { $0 != ":" && $0 != "/" }
        guard !name.isEmpty, name.endIndex < text.endIndex, text[name.endIndex] == ":", name.first != "~" else {
            return
        }
        guard machines.contains(String(name)) else {
            throw Ambiguity(
                text: text, reason: "there is no machine '\(name)'",
                advice:
                    "For a file of that name in the user's home: './\(text)'. Machines: \(machines.joined(separator: ", "))"
            )
        }
        if let option, option != name {
            throw Ambiguity(
                text: text, reason: "it names the machine '\(name)', and --machine names '\(option)'",
                advice: "Say '\(text)' without --machine, or './\(text)' for a file of that name in '\(option)'.")
        }
        machine = String(name)
        let rest = text[text.index(after: name.endIndex)...]
        path = rest.isEmpty ? "." : String(rest)
    }

    struct Ambiguity: UserFacingError, Equatable {
        var text: String
        var reason: String
        var advice: String
        var summary: String { "'\(text)' is not clear: \(reason)" }
        var remedy: String? { advice }
        var kind: ErrorKind { .usage }
    }
}

extension Project {
    /// The machine and the path in it that a word of the command line means.
    func place(_ text: String, option: String?) throws -> (machine: Machine, path: String) {
        let place = try GuestPlace(text, option: option, machines: try machines.map(\.name))
        return (try machine(named: place.machine), place.path)
    }
}
