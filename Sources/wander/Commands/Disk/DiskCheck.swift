import ArgumentParser
import DiskImage
import JSON
import Provider
import Reporting

struct DiskCheck: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a disk's tables; exit status 0 means that it is sound.",
        discussion: """
            Looks at every table of the qcow2 image, not at those behind it. --repair makes refcounts and flags anew; it \
            leaves entries alone that point where they must not, since what they should be is not known.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var disks: DiskOptions
    @Argument(help: "A machine, one of its disks (web:vdb), or a raw or qcow2 file.") var disk: String
    @Flag(help: "Repair what can be repaired.") var repair = false

    func execute(_ context: CommandContext) throws {
        let own = repair ? try disks.machineDisk(disk, context) : nil
        let (before, report) =
            if let own { try own.change(look) } else { try look(try disks.layers(disk, context)) }
        context.output(
            Self.text(report, before: before), json: Self.document(report, before: before))
        if !report.isSound { throw ExitCode(ErrorKind.failure.exitStatus) }
    }

    /// What is the case, and with `--repair` also what was before.
    private func look(_ layers: [DiskLayer]) throws -> (before: CheckReport?, now: CheckReport) {
        guard repair else { return (nil, try DiskImage.check(layers[0])) }
        let result = try DiskImage.repair(layers[0])
        return (result.before, result.after)
    }

    private static func text(_ report: CheckReport, before: CheckReport?) -> String {
        var lines: [String] = []
        if let before, before != report { lines.append("Before the repair: " + summary(before)) }
        lines.append(summary(report))
        let shown = report.findings.prefix(20)
        lines += shown.map { "  byte \($0.offset): \($0.structure.rawValue): \($0.problem.rawValue)" }
        if report.findings.count > shown.count { lines.append("  and \(report.findings.count - shown.count) more") }
        return lines.joined(separator: "\n")
    }

    private static func summary(_ report: CheckReport) -> String {
        if report.isSound { return "The image is sound." }
        let parts = [
            (report.corruptions, "damaged entry", "damaged entries"),
            (report.refcountsTooLow, "refcount too low", "refcounts too low"),
            (report.leaks, "leaked cluster", "leaked clusters"), (report.wrongFlags, "wrong flag", "wrong flags"),
        ].filter { $0.0 > 0 }.map { counted($0.0, $0.1, $0.2) }
        let marks = [report.isDirty ? "not closed" : nil, report.isMarkedCorrupt ? "marked as corrupt" : nil]
        return (parts + marks.compactMap(\.self)).joined(separator: ", ") + "."
    }

    private static func document(_ report: CheckReport, before: CheckReport?) -> JSONValue {
        var members = facts(report)
        if let before { members.append(JSONMember("before", .object(facts(before)))) }
        return .object(members)
    }

    private static func facts(_ report: CheckReport) -> [JSONMember] {
        [
            JSONMember("sound", .bool(report.isSound)), JSONMember("corruptions", .size(report.corruptions)),
            JSONMember("refcountsTooLow", .size(report.refcountsTooLow)), JSONMember("leaks", .size(report.leaks)),
            JSONMember("wrongFlags", .size(report.wrongFlags)), JSONMember("dirty", .bool(report.isDirty)),
            JSONMember("markedCorrupt", .bool(report.isMarkedCorrupt)),
            JSONMember("dataClusters", .size(report.dataClusters)),
            JSONMember("compressedClusters", .size(report.compressedClusters)),
            JSONMember("zeroClusters", .size(report.zeroClusters)),
            JSONMember("clusterSize", .size(report.clusterSize)),
            JSONMember(
                "findings",
                .array(
                    report.findings.map { finding in
                        [
                            "problem": .string(finding.problem.rawValue),
                            "structure": .string(finding.structure.rawValue),
                            "offset": .size(finding.offset),
                        ]
                    })),
        ]
    }
}
