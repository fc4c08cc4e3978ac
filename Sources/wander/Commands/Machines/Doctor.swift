import ArgumentParser
import BoxFormat
import JSON
import Provider
import Reporting

struct Doctor: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check this host and suggest fixes.",
        discussion: "Exits with 5 if this host can run no machine.")
    @OptionGroup var options: GlobalOptions

    func execute(_ context: CommandContext) throws {
        let findings = HostExamination.findings(programs: ProgramFolder.path, store: try BoxStore.standard().root)
        let isAble = !findings.contains { $0.verdict == .bad }
        var lines: [String] = []
        for finding in findings {
            let mark: (String, Console.Tone) =
                switch finding.verdict {
                case .good: ("ok  ", .green)
                case .warning: ("note", .yellow)
                case .bad: ("FAIL", .red)
                }
            lines.append("\(context.console.paintResult(mark.0, mark.1))  \(finding.subject): \(finding.words)")
            if let remedy = finding.remedy { lines.append("      -> \(remedy)") }
        }
        context.output(
            lines.joined(separator: "\n"), json: ["able": .bool(isAble), "findings": .array(findings.map(\.json))])
        if !isAble { throw ExitCode(ErrorKind.hostNotAble.exitStatus) }
    }
}
