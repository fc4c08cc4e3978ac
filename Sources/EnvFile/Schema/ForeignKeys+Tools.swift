/// Keys of one tool only, with what a machine has instead.
extension ForeignKey {
    static let tools = compose.merging(lima, uniquingKeysWith: { $1 }).merging(devContainer, uniquingKeysWith: { $1 })
        .merging(vagrant, uniquingKeysWith: { $1 })

    private static let ownKernel = "Remove it: a machine has a kernel of its own, and a step may set what it needs."

    private static let compose = table([
        (["container_name"], .words("Remove it: a machine is called what its key below 'machines' says.")),
        (
            ["build", "dockerfile", "dockerFile", "context"],
            .words("Write the commands as steps in 'provision'. 'wander package' makes a box of the machine.")
        ),
        (["entrypoint"], .line(ForeignValue.step("run"), otherwise: "Write 'provision: [{ run: COMMAND }]'.")),
        (["working_dir", "workdir"], .words("Write 'cd FOLDER' as the first line of a step's 'run'.")),
        (["extra_hosts"], .words("Remove it: machines find each other by name, and this host as 'host.internal'.")),
        (["dns", "dns_search", "hostResolver"], .words("Remove it: the network's name server asks this host's.")),
        (["profiles"], .words("Write 'autostart: false', or 'if: \"${NAME}\"'.")),
        (
            ["stop_grace_period"],
            .line(
                { value in value.shortText.map { "stop: { timeout: \($0) }" } },
                otherwise: "Write 'stop: { timeout: 1m }'.")
        ),
        (["platform"], .words("Remove it: a box is for this host's kind of processor.")),
        (["pull_policy"], .words("Remove it: Wanderfile.lock says which version of a box it is.")),
        (["mem_limit", "mem_reservation"], .key("memory")), (["cpu_count"], .key("cpus")),
        (["scale", "replicas"], .key("count")),
        (["deploy"], .words("Write 'count: 2', 'cpus: 2' and 'memory: 2GiB'.")),
        (
            [
                "cap_add", "cap_drop", "capAdd", "security_opt", "securityOpt", "ulimits", "sysctls", "devices",
                "runArgs",
            ],
            .words(ownKernel)
        ),
        (["tmpfs"], .words("Write a step: 'run: mount -t tmpfs tmpfs FOLDER', with 'when: always'.")),
        (["logging"], .words("Remove it: 'wander logs' shows what a machine prints.")),
        (["configs"], .words("Write 'files: [{ path: /etc/app.conf, source: app.conf }]'.")),
        (["annotations"], .key("labels")), (["stdin_open"], .words("Remove it: 'wander ssh' logs in.")),
    ])

    private static let lima = table([
        (["images"], .words("Write 'box: NAME': one box, for this host's kind of processor.")),
        (["vmType", "vmOpts", "rosetta"], .words(ownHypervisor)),
        (["mountType", "mountInotify"], .words("Remove it: every share is live in both directions.")),
        (["containerd"], .words("Write a step: 'run: apt-get install -y containerd'.")),
        (["caCerts"], .key("ca_certificates")),
        (["copyToHost"], .words("Remove it: 'wander download MACHINE:PATH' copies out of a machine.")),
        (["additionalDisks"], .words("A machine has one disk in this version: 'disk: 40GiB' makes it larger.")),
        (["timezone"], .words("Write a step: 'run: timedatectl set-timezone ZONE'.")),
        (["cloud-init", "cloudInit"], .key("cloud_init")),
        (["mount"], .line(ForeignValue.shares, otherwise: "Did you mean 'shares'?")),
        (["bridged", "bridge"], .words("Write 'ports: [\"8080:80\"]': there is no bridge without root.")),
    ])

    private static let devContainer = table([
        (
            ["forwardPorts", "appPort"],
            .line(ForeignValue.ports, otherwise: "Write 'ports: [\"8080:80\"]': the host's port comes first.")
        ),
        (
            ["postCreateCommand", "onCreateCommand", "updateContentCommand"],
            .line(ForeignValue.step("run"), otherwise: "Write 'provision: [{ run: COMMAND }]'.")
        ),
        (
            ["postStartCommand", "postAttachCommand"],
            .words("Write 'provision: [{ run: COMMAND, when: always }]'.")
        ),
        (["remoteUser", "containerUser"], .key("user")), (["remoteEnv", "containerEnv"], .key("env")),
        (
            ["features", "customizations"],
            .words("Remove it: steps in 'provision' install tools, and 'wander ssh-config' lets an editor in.")
        ),
        (["hostRequirements"], .words("Write 'cpus: 2', 'memory: 4GiB' and 'disk: 20GiB'.")),
        (["workspaceFolder", "workspaceMount"], .words("Write 'shares: [\".:/project\"]'.")),
        (["shutdownAction", "overrideCommand"], .words("Remove it: a machine runs until it is stopped.")),
    ])

    private static let vagrant = table([
        (["mac", "base_mac", "base_address"], .words("Remove it: wander gives each machine an address of its own.")),
        (["communicator", "guest"], .words("Remove it: wander reaches its machines by SSH.")),
        (
            ["box_download_checksum", "box_download_checksum_type"],
            .words("Write 'box: { ref: NAME, digest: \"sha256:...\" }'.")
        ),
        (
            [
                "box_download_insecure", "ignore_box_vagrantfile", "allow_hosts_modification",
                "allow_fstab_modification",
            ],
            .words("Remove it: there is nothing to allow or to ignore here.")
        ),
        (
            ["keep_alive", "keys_only", "verify_host_key", "paranoid", "pty"],
            .words("Remove it: wander speaks SSH itself, with a key and a host key for each machine.")
        ),
    ])
}
