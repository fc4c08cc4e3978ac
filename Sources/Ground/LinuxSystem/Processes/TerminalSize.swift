import CLinux
import Glibc

/// How large a terminal is, in characters.
public struct TerminalSize: Equatable, Sendable {
    public var columns: UInt16
    public var rows: UInt16

    /// - Returns: nil if the descriptor is no terminal, or one that does not know its size.
    public static func of(_ raw: CInt) -> TerminalSize? {
        var size = winsize()
        guard unsafe linux_ioctl(raw, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return TerminalSize(columns: size.ws_col, rows: size.ws_row)
    }
}
