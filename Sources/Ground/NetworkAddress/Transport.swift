/// The protocols whose ports are forwarded, opened and looked at.
public enum Transport: String, Hashable, Sendable, CaseIterable { case tcp, udp }
