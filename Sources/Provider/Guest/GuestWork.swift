import EnvFile
import Provisioning

/// What wander does inside a running machine. Tests of machines' lives bring their own guest.
///
/// Used by one thread. A call that needs a connection opens it and leaves it open for the next call.
protocol GuestWork: AnyObject {
    /// Waits until the guest can be logged into, unless that has been so since its start, and has it accept the
    /// machine's own key alone.
    func becomeReady(_ definition: MachineDefinition) throws

    /// Tells the guest of the proxies and certificates of the network that it is in, if that has changed.
    func adapt(_ definition: MachineDefinition) throws

    /// Waits, once in a machine's life, until its cloud-init has done what it was told.
    func awaitCloudInit(_ definition: MachineDefinition) throws

    /// Sets the clock of a guest that stood still, and warns if that cannot be done.
    func setClock() throws

    /// Has the guest mount its shares, once after each start.
    func mountShares() throws

    /// Runs the provisioners that the choice asks for, and keeps a record of each.
    /// - Parameter hasStarted: Whether the machine has just been started: what runs at each start runs.
    /// - Returns: Whether any ran.
    func provision(_ definition: MachineDefinition, _ choice: ProvisioningChoice, hasStarted: Bool) throws -> Bool

    /// Asks the ready probes until all have passed.
    func waitUntilProbesPass(_ definition: MachineDefinition) throws

    /// Runs a step that nothing is recorded of.
    /// - Parameter output: Gets its lines.
    func run(_ step: ProvisioningStep, output: @escaping (String) -> Void) throws

    /// Asks the guest's operating system to shut down, whether or not the machine has become ready.
    /// - Parameter milliseconds: How long it may take to be reached.
    /// - Returns: Whether it was reached.
    func shutDown(within milliseconds: Int64) -> Bool

    /// Closes the connection, if there is one. May be called again.
    func close()
}
