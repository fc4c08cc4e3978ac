import KVM

enum Host {
    /// Whether this host has a KVM of any kind that this user may open, even one that interprets guest kernels.
    static let hasKVM: Bool = { (try? Hypervisor.open()) != nil }()
}
