/// How large frames between guests and the network are. The switch, its links and the monitor's network device all go
/// by this.
public enum EthernetFrame {
    /// The largest IP packet, in bytes: the largest MTU.
    public static let largestPacket = 65_520
    /// Destination, source and type, in bytes.
    public static let headerCount = 14
    /// What tags and padding may add to a frame, in bytes.
    public static let slack = 18
    /// The longest frame, in bytes. Longer ones are dropped wherever they turn up; they break no connection.
    public static let limit = largestPacket + headerCount + slack
}
