/// The words that people bring from Vagrant, compose, Lima, multipass and cloud-init, map by map.
extension ForeignKey {
    static let machine = tools.merging(common, uniquingKeysWith: { $1 })

    private static let common = table([
        (["image", "box_url"], .key("box")),
        (
            ["box_version"],
            .line(
                { value in
                    value.shortText.flatMap { VersionRange($0) }.map { "box: { ref: NAME, version: \"\($0)\" }" }
                }, otherwise: "Write 'box: { ref: NAME, version: \">= 1\" }'.")
        ),
        (["box_check_update"], .words("Remove it: 'wander box outdated' looks for newer versions.")),
        (["ram", "mem", "memsize", "maxmemory"], .size("memory", unit: "MiB")),
        (["cores", "vcpu", "vcpus", "processors"], .key("cpus")),
        (["disk_size", "disksize", "storage"], .key("disk")),
        (["environment"], .key("env")),
        (["host_name", "vm_name"], .key("hostname")),
        (["username", "ssh_user", "login"], .key("user")),
        (["user_data", "user-data", "userdata"], .key("cloud_init")),
        (
            ["runcmd", "bootcmd", "write_files", "users"],
            .words("That is cloud-init's: write it below 'cloud_init: |', after a line '#cloud-config'.")
        ),
        (
            [
                "forwarded_port", "forwarded_ports", "forward_ports", "port_forwards", "portForwards", "publish",
                "expose",
            ],
            .line(ForeignValue.ports, otherwise: "Write 'ports: [\"8080:80\"]': the host's port comes first.")
        ),
        (
            ["private_network", "public_network", "ip", "address"],
            .line(ForeignValue.networks, otherwise: "Write 'networks: [{ ip: 192.168.56.10 }]'.")
        ),
        (["network"], .line(ForeignValue.network, otherwise: "Did you mean 'networks'?")),
        (
            ["synced_folder", "synced_folders", "shared_folders", "folders", "mounts", "volumes"],
            .line(ForeignValue.shares, otherwise: "Did you mean 'shares'?")
        ),
        (["healthcheck", "health", "probes"], .words("Write 'ready: [{ run: COMMAND }]'.")),
        (["restart"], .words("Remove it: a machine runs until it is stopped.")),
        (
            ["inline", "shell", "run", "command", "commands"], .line(ForeignValue.step("run"), otherwise: stepWords)
        ),
        (["script", "path"], .line(ForeignValue.step("script"), otherwise: stepWords)),
        (["provisioner", "provisioners", "setup"], .key("provision")),
        (["privileged"], .words("Write 'as: user' in a step that is not to run as root.")),
        (["needs", "requires", "links"], .key("depends_on")),
        (["group", "groups", "tags"], .words("Write 'labels: { group: NAME }'.")),
        (["gui", "vram", "video"], .words("Remove it: a machine has no screen. 'wander console' is its console.")),
        (["customize", "linked_clone"], .words("Remove it: 'cpus', 'memory' and 'disk' say what a machine has.")),
        (
            ["private_key", "private_key_path", "insert_key", "password"],
            .words("Remove it: each machine gets a key of its own.")
        ),
        (["forward_agent"], .words("Write 'ssh: { forward_agent: true }'.")),
        (["when", "condition", "only_if", "enabled"], .key("if")),
        (["unless"], .words("Write 'if: ${NAME} != VALUE'.")),
        (["post_up_message"], .key("message")),
        (["graceful_halt_timeout"], .words("Write 'stop: { timeout: 1m }'.")),
        (["trigger", "triggers"], .words("Write a step in 'provision', with 'when: always' to run it at every 'up'.")),
        (
            ["disks"],
            .words("A machine has one disk in this version: 'disk: 40GiB' makes it larger.")
        ),
        (hypervisors + ["providers"], .line(ForeignValue.hypervisor, otherwise: ownHypervisor)),
        (["define"], .line(ForeignValue.machines, otherwise: "Write 'machines: { NAME: {} }'.")),
        (
            ["config", "vm"],
            .line(
                { value in
                    let lines = VagrantKey.lines(value)
                    return lines.isEmpty ? nil : lines.joined(separator: "' and '")
                }, otherwise: "Write what is in it without 'config.vm': 'box: NAME', 'memory: 2GiB'.")
        ),
    ])

    private static let stepWords = "Write 'provision: [{ run: COMMAND }]', or '{ script: FILE }' in it."

    /// What runs machines elsewhere.
    static let hypervisors = [
        "virtualbox", "vmware", "vmware_desktop", "vmware_fusion", "vmware_workstation", "parallels", "hyperv",
        "libvirt", "docker", "utm", "lxc", "vz",
    ]
    static let ownHypervisor = "Remove it, since wander runs machines itself, on KVM where the host has it."

    static let project = machine.merging(
        table([
            (["services", "nodes", "vms", "hosts", "instances"], .key("machines")),
            (["version", "api_version"], .words("Remove it: 'wander: \">= 0.1\"' says which versions a file needs.")),
            (["variables"], .key("vars")),
            (["includes", "imports", "extends", "base"], .key("include")),
            (["env_file"], .key("env_files")), (["param"], .key("vars")),
            (["minimumLimaVersion"], .words("Remove it: 'wander: \">= 0.1\"' says which versions a file needs.")),
        ]), uniquingKeysWith: { $1 })

    static let include = table([
        (["path", "url", "source", "ref"], .key("file")), (["checksum", "sha256"], .key("digest")),
    ])

    static let step = table([
        (["shell", "inline", "command", "commands", "cmd", "exec"], .key("run")),
        (["path", "script_path"], .key("script")),
        (
            ["privileged", "user", "become"],
            .words("Write 'as: user' for the login user; without it, root runs the step.")
        ),
        (["environment"], .key("env")),
        (["playbook"], .key("ansible")),
        (["type"], .words("Remove it: 'run' or 'script' says what the step does.")),
        (["source", "destination"], .words("Write 'file: { path: /etc/motd, source: FILE }'.")),
        (["copy", "upload"], .key("file")),
        (["arguments"], .key("args")),
        (["condition", "only_if", "enabled"], .key("if")),
        (["unless"], .words("Write 'if: ${NAME} != VALUE'.")),
        (["workdir", "cwd", "chdir"], .words("Write 'cd FOLDER' as the first line of 'run'.")),
        (
            ["ansible_local"], .words("Write 'ansible: { playbook: FILE, run_in: guest }'.")
        ),
    ])

    static let port = table([
        (["guest_port", "target", "container_port"], .key("guest")),
        (["host_port", "published"], .key("host")),
        (["protocol", "transport"], .key("proto")),
        (["host_ip", "listen", "address"], .key("bind")),
        (["auto_correct"], .words("Write 'on_conflict: next'.")),
        (["id"], .key("name")),
    ])

    static let share = table([
        (["source", "src", "location"], .key("host")),
        (["target", "destination", "dest", "path", "mount_point", "mountPoint"], .key("guest")),
        (["readonly", "read_only", "ro"], .words("Write 'mode: ro'.")),
        (["writable"], .words("Write 'mode: rw' or 'mode: ro'.")),
        (["disabled"], .words("Leave the share out.")),
        (["type"], .words("Remove it: every share is live in both directions.")),
        (["owner", "group"], .words("Remove it: the files belong to the login user in the machine, and to you here.")),
        (["mount_options"], .words("Remove it: 'mode' says whether the machine may write.")),
        (["exclude", "rsync__exclude"], .words("Remove it: a share is the folder as it is.")),
    ])

    static let attachment = table([
        (["address"], .key("ip")), (["network"], .key("name")),
        (
            ["forwarded_port", "forwarded_ports"],
            .line(ForeignValue.ports, otherwise: "Write 'ports: [\"8080:80\"]' in the machine.")
        ),
        (
            ["private_network", "public_network"],
            .line(
                { value in ForeignValue.networks(value).map { String($0.dropFirst("networks: [".count).dropLast()) } },
                otherwise: "Write '{ ip: 192.168.56.10 }'.")
        ),
        (
            ["netmask", "subnet"],
            .words("Give it to the network at the top: 'networks: { NAME: { subnet: 192.168.56.0/24 } }'.")
        ),
        (["type", "dhcp"], .words("Remove it: without 'ip', the machine gets an address that stays the same.")),
    ])

    static let network = table([
        (["cidr", "range", "ip_range", "address"], .key("subnet")),
        (["internal", "isolated"], .words("Write 'internet: false'.")),
        (["driver", "type", "gateway"], .words("Remove it: wander brings the network and its router.")),
    ])

    static let probe = table([
        (["port"], .key("tcp")), (["url"], .key("http")), (["path"], .key("file")),
        (["command", "cmd", "test", "exec"], .key("run")),
        (["retries"], .words("Write 'timeout: 2m': how long to ask.")),
    ])

    static let provider = table([
        (["name", "kind"], .key("type")),
        (hypervisors, .line(ForeignValue.hypervisor, otherwise: ownHypervisor)),
        (["memory", "cpus"], .words("Write 'memory: 2GiB' and 'cpus: 2' in the machine.")),
        (["qemu", "qemu_options"], .words("Write 'emulation: { cpu: max }'.")),
    ])

    static let box = table([
        (["name", "url", "image"], .key("ref")), (["checksum", "sha256"], .key("digest")),
    ])

    static let ssh = table([
        (["agent", "forwardAgent"], .key("forward_agent")), (["host_port", "local_port", "localPort"], .key("port")),
        (["username", "user"], .words("Write 'user: NAME' in the machine.")),
    ])
}
