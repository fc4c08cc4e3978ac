public import SystemPackage

/// Who has a port of this host that a machine wants.
public enum PortOwner: Sendable, Hashable {
    /// A program, by its name and number.
    case process(String, Int32)
    case machine(String)
    /// A machine that runs although the Wanderfile no longer has it.
    case formerMachine(String)
    /// A machine of the environment in a folder.
    case machineElsewhere(String, FilePath)

    /// Completes "is taken by ...".
    var words: String {
        switch self {
        case .process(let name, let identifier): "\(name) (process \(identifier))"
        case .machine(let name): "\(name) of this environment"
        case .formerMachine(let name): "\(name), which runs although the Wanderfile no longer has it"
        case .machineElsewhere(let name, let folder): "\(name) of the environment in \(folder)"
        }
    }

    /// How it gives the port back; nil where that is not wander's to say.
    var remedy: String? {
        switch self {
        case .process: nil
        case .machine(let name): "If it no longer needs the port: wander reload \(name)"
        case .formerMachine(let name):
            "Stop it: wander halt \(name)\nOr remove it with its disk: wander destroy \(name)"
        case .machineElsewhere(let name, let folder): "Stop it there: cd \(folder) && wander halt \(name)"
        }
    }
}
