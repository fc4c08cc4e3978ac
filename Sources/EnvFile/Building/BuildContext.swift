import SystemPackage
import YAML

/// What making definitions needs besides their values.
struct BuildContext {
    let problems: Problems
    /// Absolute.
    let project: FilePath
    let home: FilePath?
    /// The absolute folder that relative paths of each layer start from.
    let folders: [Int: FilePath]

    func hostPath(_ text: String, at mark: Mark) -> HostPath {
        HostPath(text, in: folders[mark.source] ?? project, project: project, home: home)
    }
}
