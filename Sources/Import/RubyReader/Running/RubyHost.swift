/// What a file is read with.
public protocol RubyHost: AnyObject {
    /// What a constant is that Ruby itself does not have; nil: nobody knows it.
    func object(named name: String) -> (any RubyObject)?
    /// The last part of the folder's path.
    var folderName: String { get }
    /// What is in a file beside this one; nil: it may not be read, or is not there.
    func read(_ path: String) -> [UInt8]?
    /// Whether there is a file or a folder; nil: nobody may look there.
    func kind(of path: String) -> RubyFileKind?
    /// The names in a folder, sorted.
    func names(in path: String) -> [String]
    /// The value of a text in YAML; nil: it cannot be read.
    func yaml(_ text: [UInt8]) -> RubyValue?
    /// Methods and constants that ask for what nobody needs here: a file that ends for want of it loses nothing.
    var needless: Set<String> { get }
}

public enum RubyFileKind: Sendable { case file, folder, nothing }
