import LinuxSystem
import Reporting
import SystemPackage

extension Project {
    /// Warns of something that is worth saying once in a project's life.
    /// - Parameter subject: What it is about: the same words are said once. A file in the state remembers that.
    func noticeOnce(_ subject: String, _ say: () -> Void) {
        // Not where nobody hears it.
        guard events.showsWarnings else { return }
        let name = subject.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.joined(separator: "-")
        do throws(SystemError) {
            // Whoever makes the file says it: two commands at once say it once.
            try OwnedDescriptor.open(
                layout.state.appending("noticed-\(name.prefix(100))"), [.writeOnly, .create, .exclusive],
                permissions: 0o600
            ).close()
        } catch {
            // Where nothing can be remembered, it is said each time.
            if error.errno == .fileExists { return }
        }
        say()
    }
}
