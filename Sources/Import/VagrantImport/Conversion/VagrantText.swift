import RubyReader
import YAML

/// Texts with variables of the environment, as a Wanderfile has them.
enum VagrantText {
    /// For a key in which `${NAME}` is filled in: other dollar signs are doubled.
    static func filled(_ text: String) -> String {
        let text = withoutZeros(text)
        guard RubyPlaceholder.isIn(text) else { return YAMLText.escapingVariables(text) }
        // The marks have no dollar sign, so that doubling those of the text leaves them alone.
        return RubyPlaceholder.resolved(YAMLText.escapingVariables(text)) { name, fallback in
            variable(name, fallback)
        }
    }

    /// Without zero bytes, which no Wanderfile may have.
    static func withoutZeros(_ text: String) -> String {
        text.utf8.contains(0) ? String(decoding: text.utf8.filter { $0 != 0 }, as: UTF8.self) : text
    }

    static func variable(_ name: String, _ fallback: String?) -> String {
        // Without a default, a variable that is not set would make the whole file invalid.
        guard let fallback else { return "${\(name):-}" }
        // A default with a brace would end too early.
        return fallback.contains("}") || fallback.contains("\n") ? fallback : "${\(name):-\(fallback)}"
    }

    /// For a script, in which nothing is filled in: variables of the shell, which the step's environment gives.
    static func script(_ text: String) -> (text: String, environment: [(name: String, value: String)]) {
        var environment: [(name: String, value: String)] = []
        let script = RubyPlaceholder.resolved(withoutZeros(text)) { name, fallback in
            if !environment.contains(where: { $0.name == name }) {
                environment.append((name, variable(name, fallback)))
            }
            return "${\(name)}"
        }
        return (script, environment)
    }
}
