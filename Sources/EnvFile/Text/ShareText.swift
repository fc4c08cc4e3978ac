/// A share as a Wanderfile writes it on one line: `.:/project`, `~/data:/srv/data:ro`.
struct ShareText: Hashable, Sendable {
    var host: String
    var guest: String
    var mode: SharedFolder.Mode

    enum Failure: Error, Equatable {
        case syntax
        /// More colons than the short form has places.
        case colons
        case noHost
        case mode(String)
        case guest(SharePath.Failure)
    }

    init(parsing text: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { throw .syntax }
        guard parts.count <= 3 else { throw .colons }
        mode = .readWrite
        if parts.count == 3 {
            guard let known = SharedFolder.Mode(rawValue: parts[2]) else {
                throw parts[2].hasPrefix("/") ? .colons : .mode(parts[2])
            }
            mode = known
        }
        host = parts[0]
        guard !host.isEmpty else { throw .noHost }
        do throws(SharePath.Failure) {
            guest = try SharePath.normalized(parts[1])
        } catch {
            throw .guest(error)
        }
    }

    /// What identifies the share in a list of which nothing has been filled in yet.
    static func identity(_ text: String) -> String? {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if let last = parts.last, SharedFolder.Mode(rawValue: String(last)) != nil { parts.removeLast() }
        return parts.count < 2 ? nil : parts.last.map { SharePath.identity(String($0)) }
    }
}

extension ScalarType {
    static let share = ScalarType(
        expected: "a share such as '.:/project'", schema: SchemaFragment.pattern("[^:]+:/[^:]+(:(ro|rw))?")
    ) { text in
        do throws(ShareText.Failure) {
            return .value(.share(try ShareText(parsing: text)))
        } catch {
            return switch error {
            case .syntax: .wrong(hint: "Forms: 'host:guest', 'host:guest:ro', '{ host: ..., guest: ... }'.")
            case .colons:
                .problem(
                    "has more than one ':' between two paths",
                    hint: "A path with ':' in it takes the long form: '{ host: ..., guest: ... }'.")
            case .noHost:
                .problem("names no folder of the host", hint: "'.:/project' shares the folder of this Wanderfile.")
            case .mode(let name):
                .problem(
                    "has the mode '\(name.prefix(64))'; there are rw and ro",
                    hint: Suggestion.didYouMean(name, in: ["rw", "ro"])
                        ?? "Leave it out to let the machine write, or write 'ro'.")
            case .guest(let failure): .problem(failure.message, hint: failure.hint)
            }
        }
    }
}
